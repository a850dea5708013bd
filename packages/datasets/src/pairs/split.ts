import { RatioSplit } from "../ratio-split.js";
import { ElementList } from "../reading/element-list.js";
import type { SplitName } from "../types.js";
import type { Sequences } from "./interactions.js";
import type { ParsedPairsOptions } from "./options.js";

type Parts = Partial<Record<SplitName, Sequences>>;
/** The part of each of a user's `count` interactions. */
type Dealer = (user: number, count: number) => (index: number) => SplitName;

/** Fewer interactions than this have nothing to spare. */
const LEAVE_ONE_OUT_MINIMUM = 3;

/** Cuts the training sequences into parts as the options say; sequences of their own files are not touched. */
export function splitSequences(train: Sequences, options: ParsedPairsOptions): Parts {
  if (options.leaveOneOut) return deal(train, ["train", "validation", "test"], leaveOneOut);
  const split = new RatioSplit(options);
  if (split.isWhole) return { train };
  const parts: SplitName[] = ["train"];
  if (options.validationRatio > 0) parts.push("validation");
  if (options.testRatio > 0) parts.push("test");
  return deal(train, parts, byRatio(split));
}

const leaveOneOut: Dealer = (_, count) => (index) => {
  if (count < LEAVE_ONE_OUT_MINIMUM || index < count - 2) return "train";
  return index === count - 1 ? "test" : "validation";
};

function byRatio(split: RatioSplit): Dealer {
  return (user, count) => {
    const partOf = split.group(user);
    for (let index = 0; index < count; index++) if (partOf(index) === "train") return partOf;
    // A user of whom nothing is known cannot be trained: the first interaction stays.
    return (index) => (index === 0 ? "train" : partOf(index));
  };
}

function deal({ offsets, items }: Sequences, names: readonly SplitName[], dealer: Dealer): Parts {
  const users = offsets.length - 1;
  const drafts = new Map(
    names.map((name) => [name, { offsets: new Int32Array(users + 1), items: new ElementList(Int32Array), length: 0 }]),
  );
  for (let user = 0; user < users; user++) {
    const start = offsets[user];
    const partOf = dealer(user, offsets[user + 1] - start);
    for (let i = start; i < offsets[user + 1]; i++) {
      const draft = drafts.get(partOf(i - start))!;
      draft.items.push(items[i]);
      draft.length++;
    }
    for (const draft of drafts.values()) draft.offsets[user + 1] = draft.length;
  }
  const parts: Parts = {};
  for (const [name, draft] of drafts) parts[name] = { offsets: draft.offsets, items: draft.items.toArray() };
  return parts;
}

/** The sequences with every item v as newId[v]; those with −1 are left out. */
export function renumber({ offsets, items }: Sequences, newId: Int32Array): Sequences {
  const newOffsets = new Int32Array(offsets.length);
  const newItems = new Int32Array(items.length);
  let at = 0;
  for (let user = 0; user + 1 < offsets.length; user++) {
    for (let i = offsets[user]; i < offsets[user + 1]; i++) {
      if (newId[items[i]] >= 0) newItems[at++] = newId[items[i]];
    }
    newOffsets[user + 1] = at;
  }
  return { offsets: newOffsets, items: newItems.subarray(0, at) };
}
