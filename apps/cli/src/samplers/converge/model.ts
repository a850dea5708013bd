import type { AnyDataset } from "@logq/datasets";
import type { RunOptions, TrainOptions } from "@logq/trainers";

/** What is trained anew with each sampler, for how long, and what it is judged by. */
export interface ConvergeModel {
  /** Encoder, table, batch and optimizer: neither a loss nor a length. */
  readonly options: TrainOptions;
  readonly steps: number;
  /** A ranking is better if it is greater, cross-entropy if it is less. */
  readonly metric: "cross-entropy" | "recall@20";
  /** The most held-out examples that are evaluated. */
  readonly limit: number;
}

/**
 * Without it, Adagrad's steps for a rare class are as long as the rate however small its gradient: of full softmax, whose every step has one for every
 * class, more than of a sampled loss.
 */
const OPTIMIZER = { name: "adagrad", learningRate: 0.1, initialAccumulator: 1e-7 } as const;

/** What depends on the data alone: all of a grid in about half an hour of two cores, for data sets of tens of thousands of classes. */
const USUAL: Readonly<Record<AnyDataset["kind"], ConvergeModel>> = {
  text: {
    options: {
      encoder: "window",
      window: 4,
      hidden: [128],
      activation: "relu",
      dim: 64,
      batch: 512,
      optimizer: OPTIMIZER,
    },
    steps: 1000,
    metric: "cross-entropy",
    limit: 20_000,
  },
  // A row is a user with all items: full softmax then has one row of logits for them.
  pairs: {
    options: {
      encoder: "user",
      examples: "users",
      dim: 64,
      batch: 128,
      optimizer: { ...OPTIMIZER, learningRate: 0.05, weightDecay: 1e-4 },
    },
    steps: 2400,
    metric: "recall@20",
    limit: 100_000,
  },
  labels: {
    options: { encoder: "features", dim: 64, batch: 512, optimizer: OPTIMIZER },
    steps: 1000,
    metric: "cross-entropy",
    limit: 20_000,
  },
  synthetic: {
    options: { dim: 32, batch: 256, optimizer: OPTIMIZER },
    steps: 1000,
    metric: "cross-entropy",
    limit: 20_000,
  },
};

/** A model for data of this kind. */
export function usualModel(kind: AnyDataset["kind"]): ConvergeModel {
  return USUAL[kind];
}

/** A run's encoder, table, batch and optimizer; neither its loss nor its length. */
export function modelOfRun(options: RunOptions): TrainOptions {
  const { encoder, examples, window, contextMode, withinLine, hidden, activation, embedding, dropout } = options;
  const { dim, batch, reduce, reduction, optimizer, classBias, classScale, embeddingScale } = options;
  const { temperature, normalize, softCap } = options.loss;
  const ofEncoder = { encoder, examples, window, contextMode, withinLine, hidden, activation, embedding, dropout };
  const ofTable = { dim, batch, reduction, optimizer, classBias, classScale, embeddingScale, temperature, normalize };
  return { ...ofEncoder, reduce, ...ofTable, ...(softCap > 0 ? { softCap } : {}) };
}
