import { OptionError } from "@logq/core";
import {
  type AnyDataset,
  allocateShared,
  type LabelsDataset,
  type PairsDataset,
  type SplitName,
  type TextDataset,
} from "@logq/datasets";
import type { RankingSourceSpec, SourceSpec, StretchSpec } from "../sources/source.js";
import { keepThresholds } from "../sources/stretches.js";
import type { RunOptions } from "./options.js";

/** The examples of a split, as a run with these options sees them. undefined: the dataset has no such split. */
export function exampleSource(dataset: AnyDataset, split: SplitName, options: RunOptions): SourceSpec | undefined {
  switch (dataset.kind) {
    case "text":
      return textSource(dataset, split, options);
    case "pairs":
      if (split === "train" && options.examples === "users") return userSource(dataset);
      return split === "train" ? interactionSource(dataset, options) : rankingSource(dataset, split, options);
    case "labels":
      return labelSource(dataset, split);
    case "synthetic": {
      const { inputs, targets } = dataset.splits[split];
      return { kind: "pair", inputs, targets };
    }
  }
}

function textSource(dataset: TextDataset, split: SplitName, options: RunOptions): SourceSpec | undefined {
  const part = dataset.splits[split];
  if (part === undefined) return undefined;
  return {
    kind: "window",
    tokens: part.tokens,
    window: options.window,
    mode: options.contextMode,
    eos: dataset.eos,
    withinLine: options.withinLine,
    filled: options.hidden.length > 0,
    stretches: split === "train" ? stretchesOf(dataset, options) : undefined,
  };
}

/** Skip-gram is always trained by stretches; other windows if words are left out or windows vary. */
function stretchesOf(
  dataset: TextDataset,
  { contextMode, dynamicWindow, subsample }: RunOptions,
): StretchSpec | undefined {
  if (contextMode !== "neighbours" && !dynamicWindow && subsample === 0) return undefined;
  const { counts } = dataset.classes;
  return { keep: keepThresholds(counts, subsample, allocateShared("float64", counts.length)), dynamicWindow };
}

/** Every interaction of the training part that has an input: a history needs an item before. */
function interactionSource(dataset: PairsDataset, options: RunOptions): SourceSpec | undefined {
  const part = dataset.splits.train;
  if (part === undefined) return undefined;
  const history = options.encoder === "history";
  const { offsets, items } = part;
  const users = offsets.length - 1;
  let examples = 0;
  for (let user = 0; user < users; user++) {
    examples += Math.max(0, offsets[user + 1]! - offsets[user]! - (history ? 1 : 0));
  }
  if (examples === 0)
    throw new OptionError("the training part has no example for this encoder", { encoder: options.encoder });
  const positions = allocateShared("int32", examples);
  const owners = allocateShared("int32", examples);
  let next = 0;
  for (let user = 0; user < users; user++) {
    for (let i = offsets[user]! + (history ? 1 : 0); i < offsets[user + 1]!; i++) {
      positions[next] = i;
      owners[next] = user;
      next++;
    }
  }
  return { kind: history ? "history" : "user", offsets, items, positions, users: owners, window: options.window };
}

/** Every user of the training part, with the distinct items in the order of their first choice. */
function userSource(dataset: PairsDataset): SourceSpec | undefined {
  const part = dataset.splits.train;
  if (part === undefined) return undefined;
  const offsets = allocateShared("int32", part.offsets.length);
  const distinct = allocateShared("int32", part.items.length);
  let next = 0;
  for (let user = 0; user + 1 < offsets.length; user++) {
    for (const item of new Set(part.items.subarray(part.offsets[user], part.offsets[user + 1])))
      distinct[next++] = item;
    offsets[user + 1] = next;
  }
  return { kind: "user-items", users: usersOf(part), offsets, items: distinct };
}

/** Users that have interactions in a part. */
function usersOf({ offsets }: { readonly offsets: Int32Array }): Int32Array {
  const users = Array.from({ length: offsets.length - 1 }, (_, user) => user).filter(
    (user) => offsets[user + 1]! > offsets[user]!,
  );
  const shared = allocateShared("int32", users.length);
  shared.set(users);
  return shared;
}

/** Users that have something to find in a split; what they did in earlier splits is known. */
function rankingSource(dataset: PairsDataset, split: SplitName, options: RunOptions): RankingSourceSpec | undefined {
  const part = dataset.splits[split];
  if (part === undefined) return undefined;
  const earlier = split === "test" ? (["train", "validation"] as const) : (["train"] as const);
  const seen = joinParts(dataset, earlier);
  return {
    kind: options.encoder === "history" ? "history-ranking" : "user-ranking",
    users: usersOf(part),
    offsets: part.offsets,
    items: part.items,
    seenOffsets: seen.offsets,
    seenItems: seen.items,
    window: options.window,
  };
}

/** The interactions of several parts as one ragged array, part after part within a user. */
export function joinParts(
  dataset: PairsDataset,
  names: readonly SplitName[],
): { offsets: Int32Array; items: Int32Array } {
  const parts = names.flatMap((name) => dataset.splits[name] ?? []);
  if (parts.length === 1) return parts[0]!;
  const users = dataset.users.size;
  const offsets = allocateShared("int32", users + 1);
  const items = allocateShared(
    "int32",
    parts.reduce((sum, part) => sum + part.items.length, 0),
  );
  let next = 0;
  for (let user = 0; user < users; user++) {
    offsets[user] = next;
    for (const part of parts) {
      for (let i = part.offsets[user]!; i < part.offsets[user + 1]!; i++) items[next++] = part.items[i]!;
    }
  }
  offsets[users] = next;
  return { offsets, items };
}

/** Rows that have labels. */
function labelSource(dataset: LabelsDataset, split: SplitName): SourceSpec | undefined {
  const part = dataset.splits[split];
  if (part === undefined) return undefined;
  const rows: number[] = [];
  for (let row = 0; row + 1 < part.labelOffsets.length; row++) {
    if (part.labelOffsets[row + 1]! > part.labelOffsets[row]!) rows.push(row);
  }
  const shared = allocateShared("int32", rows.length);
  shared.set(rows);
  return {
    kind: "features",
    featureOffsets: part.featureOffsets,
    features: part.features,
    values: part.values,
    labelOffsets: part.labelOffsets,
    labels: part.labels,
    rows: shared,
  };
}
