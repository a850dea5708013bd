import type { Key } from "@logq/core";
import type { ExampleOrder } from "./order.js";

/**
 * Where examples come from. A source is made from plain data (`SourceSpec`) in whichever thread needs it; example e is computed from its
 * index alone. Ids are written into the caller's arrays, nothing is allocated.
 */
export interface Source {
  /** How many examples there are. */
  readonly examples: number;
  /** The most input ids a row can have. */
  readonly maxInputs: number;
  /** The most labels a row can have: T. */
  readonly maxTargets: number;
  /** The most excluded ids a row can have. */
  readonly maxExcluded: number;
  /** Whether inputs have weights; else each counts once. */
  readonly weighted: boolean;
  /** Writes the input ids of an example to ids[at …] and, of a weighted source, their weights to weights[at …]; answers how many. */
  inputs(example: number, ids: Int32Array, weights: Float32Array, at: number): number;
  /** Writes the classes that are right to ids[at …]; answers how many. They are distinct, unless a source says otherwise. */
  targets(example: number, ids: Int32Array, at: number): number;
  /** Writes the classes that may not count as wrong (seen items) to ids[at …]; answers how many. */
  excluded(example: number, ids: Int32Array, at: number): number;
  /** How much the example counts in the mean of a batch whose rows share one unit of mass among their labels; absent: 1. */
  weight?(example: number): number;
  /**
   * Looks at what the first `rows` rows of the order's batch are made of. Examples lie far apart: the memory that holds them answers all these looks at
   * once, where rows that are made one after another would each wait for it. Answers a number that means nothing.
   */
  lookAhead?(order: ExampleOrder, rows: number): number;
  /** Batches of B examples and the source of their rows, where training sees other rows than evaluation does; absent: the examples, by `EpochOrder`. */
  training?(B: number, key: Key): { readonly source: Source; readonly order: ExampleOrder } | undefined;
}

export const CONTEXT_MODES = ["previous", "around", "pair", "neighbours"] as const;

/**
 * What predicts what in a text. previous: the words before a word predict it. around: those on both sides do (CBOW). pair: a word predicts its
 * neighbours, each (word, neighbour) being an example. neighbours: the same, a word with all its neighbours being one example (skip-gram).
 */
export type ContextMode = (typeof CONTEXT_MODES)[number];

/** A text: predict a word from the words around it. */
export interface WindowSourceSpec {
  readonly kind: "window";
  readonly tokens: Int32Array;
  /** Words on a side. */
  readonly window: number;
  readonly mode: ContextMode;
  /** The class that ends a line; −1: none. It fills a window that reaches beyond the text. */
  readonly eos: number;
  /** If set, words beyond the nearest line end are replaced by `eos`. */
  readonly withinLine: boolean;
  /** If set, exactly `window` ids a row (concatenated windows); else those beyond the line or the text are left out. */
  readonly filled: boolean;
  /** Set: how training walks through the text. Modes around and neighbours. */
  readonly stretches?: StretchSpec | undefined;
}

/** Batches that are stretches of the text, see `Stretches`. */
export interface StretchSpec {
  /** (n): a token stays if its random 32-bit word is below this; see `keepThresholds`. */
  readonly keep: Float64Array;
  /** If set, the width of each window is uniform in 1 … window. */
  readonly dynamicWindow: boolean;
}

/** Interactions: one example for each, its input the user or the items before it. */
export interface InteractionSourceSpec {
  readonly kind: "user" | "history";
  /** (users+1) and (interactions): what is predicted. */
  readonly offsets: Int32Array;
  readonly items: Int32Array;
  /** (examples) indices into items. */
  readonly positions: Int32Array;
  /** (examples) the user of each. */
  readonly users: Int32Array;
  /** The most items of a history. */
  readonly window: number;
}

/** Users, each with everything they chose as labels. */
export interface UserSourceSpec {
  readonly kind: "user-items";
  /** (examples) the users that chose anything. */
  readonly users: Int32Array;
  /** (users+1) and what it points into: distinct items, what is predicted. */
  readonly offsets: Int32Array;
  readonly items: Int32Array;
}

/** Users and everything they chose later: one example a user, for ranking. */
export interface RankingSourceSpec {
  readonly kind: "user-ranking" | "history-ranking";
  /** (examples) the users that have something to find. */
  readonly users: Int32Array;
  /** (users+1) and items: what is to be found. */
  readonly offsets: Int32Array;
  readonly items: Int32Array;
  /** (users+1) and items: what was known before, the input of a history and what is masked. */
  readonly seenOffsets: Int32Array;
  readonly seenItems: Int32Array;
  readonly window: number;
}

/** Rows of sparse features with labels. */
export interface FeatureSourceSpec {
  readonly kind: "features";
  readonly featureOffsets: Int32Array;
  readonly features: Int32Array;
  readonly values: Float32Array;
  readonly labelOffsets: Int32Array;
  readonly labels: Int32Array;
  /** (examples) the rows that are examples: those with labels. */
  readonly rows: Int32Array;
}

/** One input id and one class an example. */
export interface PairSourceSpec {
  readonly kind: "pair";
  readonly inputs: Int32Array;
  readonly targets: Int32Array;
}

/** Rows given on the spot, for serving and for hidden vectors from elsewhere. Each pair is ragged: (rows+1) offsets and what they point into. */
export interface ListSourceSpec {
  readonly kind: "list";
  readonly inputOffsets: Int32Array;
  readonly inputs: Int32Array;
  readonly weights: Float32Array;
  readonly targetOffsets: Int32Array;
  readonly targets: Int32Array;
  readonly excludedOffsets: Int32Array;
  readonly excluded: Int32Array;
}

export type SourceSpec =
  | WindowSourceSpec
  | InteractionSourceSpec
  | UserSourceSpec
  | RankingSourceSpec
  | FeatureSourceSpec
  | PairSourceSpec
  | ListSourceSpec;

/** The longest run of a ragged array. */
export function longestRun(offsets: Int32Array, rows?: Int32Array): number {
  let longest = 0;
  const count = rows?.length ?? offsets.length - 1;
  for (let i = 0; i < count; i++) {
    const row = rows === undefined ? i : rows[i]!;
    longest = Math.max(longest, offsets[row + 1]! - offsets[row]!);
  }
  return longest;
}

/** Copies source[first … end) to target[at …]; answers the count. */
export function copyRun(source: Int32Array, first: number, end: number, target: Int32Array, at: number): number {
  for (let i = first; i < end; i++) target[at + i - first] = source[i]!;
  return end - first;
}
