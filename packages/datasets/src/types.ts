/**
 * A dataset in memory, as trainers consume it. Every array is backed by a SharedArrayBuffer, so workers see it without a
 * copy; nobody writes to it after it was opened. Class, user and feature ids are int32, dense from 0.
 */

export const SPLIT_NAMES = ["train", "validation", "test"] as const;
export type SplitName = (typeof SPLIT_NAMES)[number];

/** A dense numbering of names. */
export interface Names {
  readonly size: number;
  /** @throws ClassIdError if `id` is not an integer in [0, size) */
  name(id: number): string;
  /** The id, or undefined for an unknown name. The first call builds an index in O(size). */
  id(name: string): number | undefined;
}

/** The classes of a dataset, in descending order of their count in the training part; ties in order of first appearance. */
export interface Vocabulary extends Names {
  /** (n), how often each class is a target in the training part; 0 for a class seen only elsewhere. */
  readonly counts: Float64Array;
}

/** A running text. */
export interface TextSplit {
  /** (tokens), class ids in the order of the text; each line ends with `eos` if the dataset has one. */
  readonly tokens: Int32Array;
}

/** What users chose. */
export interface PairsSplit {
  /** (users+1), where each user's items begin. */
  readonly offsets: Int32Array;
  /** (interactions), class ids, per user in order of time if the source had times or was in that order, else in file order. */
  readonly items: Int32Array;
}

/** Rows of sparse features with any number of labels each, 0 included. */
export interface LabelsSplit {
  /** (rows+1) */
  readonly labelOffsets: Int32Array;
  /** class ids */
  readonly labels: Int32Array;
  /** (rows+1) */
  readonly featureOffsets: Int32Array;
  /** feature ids */
  readonly features: Int32Array;
  /** one weight a feature: the value of the file, or how often the word stands in the row */
  readonly values: Float32Array;
}

/** A context id and its class, example by example. */
export interface SyntheticSplit {
  readonly inputs: Int32Array;
  readonly targets: Int32Array;
}

/** What every prepared dataset carries besides its arrays. */
export interface DatasetOrigin {
  /** The directory it was opened from. */
  readonly directory?: string;
  /** The options it was prepared with, defaults filled in. */
  readonly options: Readonly<Record<string, unknown>>;
}

export interface TextDataset extends DatasetOrigin {
  readonly kind: "text";
  readonly classes: Vocabulary;
  readonly splits: Readonly<Partial<Record<SplitName, TextSplit>>>;
  /** The class that ends a line, −1 if none. */
  readonly eos: number;
  /** The class of words outside the vocabulary, −1 if none. */
  readonly unknown: number;
}

export interface PairsDataset extends DatasetOrigin {
  readonly kind: "pairs";
  /** The items. */
  readonly classes: Vocabulary;
  readonly users: Names;
  readonly splits: Readonly<Partial<Record<SplitName, PairsSplit>>>;
}

export interface LabelsDataset extends DatasetOrigin {
  readonly kind: "labels";
  /** The labels. */
  readonly classes: Vocabulary;
  readonly features: Names;
  readonly splits: Readonly<Partial<Record<SplitName, LabelsSplit>>>;
}

/** A dataset that can be prepared, kept on disk and opened. */
export type Dataset = TextDataset | PairsDataset | LabelsDataset;

/** The law that made a synthetic dataset. Everything is in nats. */
export interface SyntheticTruth {
  /** The expected −log p(class | context) of the law itself: no model does better in expectation. Exact. */
  readonly bestCrossEntropy: number;
  /** What the best model that ignores the context reaches: the entropy of the marginal law of the classes. Exact. */
  readonly unigramCrossEntropy: number;
  /** The hidden topic of a context, in [0, topics). */
  topicOf(context: number): number;
  /** How often the context is met; sums to 1. */
  contextProbability(context: number): number;
  /** log p(class | context), natural. */
  logProbability(context: number, classId: number): number;
  /** The mean −log p(class | context) of the examples of a split: `bestCrossEntropy` with that split's sampling noise. */
  crossEntropyOf(split: SyntheticSplit): number;
}

/** A dataset drawn from a known law. It is built, never stored. */
export interface SyntheticDataset {
  readonly kind: "synthetic";
  /** Ids descend in their true marginal probability, not in the noisy counts. */
  readonly classes: Vocabulary;
  /** How many contexts there are; inputs are in [0, contexts). */
  readonly contexts: number;
  readonly splits: Readonly<Record<SplitName, SyntheticSplit>>;
  readonly truth: SyntheticTruth;
  /** The options it was built with, defaults filled in. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** Anything a trainer can train on. */
export type AnyDataset = Dataset | SyntheticDataset;
