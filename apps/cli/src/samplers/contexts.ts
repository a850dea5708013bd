import { OptionError } from "@logq/core";
import type { AnyDataset, LabelsDataset, PairsDataset, SplitName, TextDataset } from "@logq/datasets";
import type { ModelInput, RunHead } from "@logq/trainers";

/** What a model is asked, and the class that was right. */
export interface RealContext {
  readonly input: ModelInput;
  readonly target: number;
}

/**
 * Examples of a part of a dataset as a model's encoder sees them, spread evenly over the part: the same for the same data and count.
 * @throws OptionError if the part is not there or holds none
 */
export function realContexts(head: RunHead, dataset: AnyDataset, split: SplitName, count: number): RealContext[] {
  const found = contextsOf(head, dataset, split, count);
  if (found.length > 0) return found;
  throw new OptionError(`the ${split} part of the dataset has no examples to look at`, {
    split,
    parts: Object.keys(dataset.splits),
  });
}

function contextsOf(head: RunHead, dataset: AnyDataset, split: SplitName, count: number): RealContext[] {
  switch (dataset.kind) {
    case "text":
      return wordContexts(head, dataset, split, count);
    case "pairs":
      return itemContexts(head, dataset, split, count);
    case "labels":
      return featureContexts(dataset, split, count);
    case "synthetic":
      throw new OptionError("contexts are taken from data on disk, not from synthetic ones", { kind: dataset.kind });
  }
}

/** `count` of `length` places, evenly spread; all of them if there are fewer. */
function spread(length: number, count: number): number[] {
  const some = Math.min(length, count);
  return Array.from({ length: some }, (_, i) => Math.floor(((i + 0.5) * length) / some));
}

/** The words before a token, or on both sides of it; of models of neighbours the word before alone. */
function wordContexts(
  { options }: RunHead,
  { splits, eos }: TextDataset,
  split: SplitName,
  count: number,
): RealContext[] {
  const { tokens } = splits[split] ?? { tokens: new Int32Array(0) };
  const { window, contextMode, withinLine } = options;
  const reach = contextMode === "previous" || contextMode === "around" ? window : 1;
  const positions = spread(tokens.length - 2 * reach, count).map((position) => position + reach);
  return positions.map((position) => {
    const before = [...tokens.subarray(position - reach, position)];
    const after = contextMode === "around" ? [...tokens.subarray(position + 1, position + 1 + reach)] : [];
    const line = withinLine ? before.slice(before.lastIndexOf(eos) + 1) : before;
    return { input: { words: [...line, ...after] }, target: tokens[position]! };
  });
}

/** A choice of a user, and the user, or what was chosen in the training part. */
function itemContexts({ options }: RunHead, dataset: PairsDataset, split: SplitName, count: number): RealContext[] {
  const { offsets, items } = dataset.splits[split] ?? { offsets: Int32Array.of(0), items: new Int32Array(0) };
  const { train } = dataset.splits;
  let user = 0;
  return spread(items.length, count).flatMap((place): RealContext[] => {
    while (offsets[user + 1]! <= place) user++;
    const target = items[place]!;
    if (options.encoder === "user") return [{ input: { user }, target }];
    const chosen = train === undefined ? [] : [...train.items.subarray(train.offsets[user], train.offsets[user + 1])];
    return chosen.length === 0 ? [] : [{ input: { items: chosen }, target }];
  });
}

/** The features of a row and its first label. */
function featureContexts(dataset: LabelsDataset, split: SplitName, count: number): RealContext[] {
  const part = dataset.splits[split];
  if (part === undefined) return [];
  const { labelOffsets, labels, featureOffsets, features, values } = part;
  const labelled: number[] = [];
  for (let row = 0; row + 1 < labelOffsets.length; row++) {
    if (labelOffsets[row + 1]! > labelOffsets[row]!) labelled.push(row);
  }
  return spread(labelled.length, count).map((place) => {
    const row = labelled[place]!;
    const entries: [number, number][] = [];
    for (let i = featureOffsets[row]!; i < featureOffsets[row + 1]!; i++) entries.push([features[i]!, values[i]!]);
    return { input: { features: entries }, target: labels[labelOffsets[row]!]! };
  });
}
