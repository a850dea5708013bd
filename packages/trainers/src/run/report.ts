import type { BlasFacts, InstructionSet } from "@logq/blas";
import type { BackendName } from "@logq/kernels";
import type { Correction } from "@logq/losses";
import type { TrainLossName } from "../model/adaptive.js";
import type { TrainSamplerName } from "../model/samplers.js";

/** The exact cross-entropy of the probe's examples, in nats a label, after `step` steps and `seconds` of training. */
export interface ProbePoint {
  readonly step: number;
  readonly seconds: number;
  readonly crossEntropy: number;
}

/** An exact evaluation on the validation part. */
export interface ValidationPoint {
  readonly step: number;
  readonly seconds: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** How a run goes, told about once a second. */
export interface TrainProgress {
  readonly step: number;
  readonly totalSteps: number;
  /** Epochs done, fractional. */
  readonly epoch: number;
  readonly examples: number;
  readonly examplesPerSecond: number;
  /** Texts: tokens read, left-out ones included, for each second and thread. */
  readonly wordsPerSecondPerThread: number | undefined;
  /** Mean training loss since the last report. Of a sampled loss it is no cross-entropy and has no perplexity. */
  readonly loss: number;
  /** τ as it is now, where it is learned. */
  readonly temperature: number | undefined;
  /** Seconds of training so far, evaluations apart. */
  readonly seconds: number;
  readonly secondsLeft: number;
  /** The newest of each. */
  readonly probe: ProbePoint | undefined;
  readonly validation: ValidationPoint | undefined;
}

export type TrainEnd = "finished" | "time" | "early-stopping" | "interrupted";

/** What a gradient filter left out of a step, on average. */
export interface FilterReport {
  /** Of the blocks of classes and rows, those that were left out. */
  readonly skippedShare: number;
  /** The probability of a row that was left out with them, linear. */
  readonly skippedMass: number;
}

/** What a run came to. Plain data, stored with the model. */
export interface TrainReport {
  readonly loss: TrainLossName;
  readonly sampler: TrainSamplerName | null;
  readonly correction: Correction;
  readonly negatives: number;
  readonly classes: number;
  readonly dim: number;
  readonly workers: number;
  readonly backend: BackendName;
  /** The instruction set of the machine code, if the back-end is `native`. */
  readonly native: InstructionSet | null;
  /** The library behind matrix products, if the back-end is `blas`. */
  readonly blas: BlasFacts | null;
  readonly node: string;
  readonly steps: number;
  readonly examples: number;
  /** τ of the parameters that the model has, where it was learned; null: it was not. */
  readonly temperature: number | null;
  /** null: gradients were exact. */
  readonly gradientFilter: FilterReport | null;
  /** Training alone. */
  readonly seconds: number;
  readonly examplesPerSecond: number;
  /** Texts: tokens read, left-out ones included; null for other data. */
  readonly words: number | null;
  readonly wordsPerSecond: number | null;
  readonly wordsPerSecondPerThread: number | null;
  /** Probes and validations. */
  readonly evaluationSeconds: number;
  /** Mean over the last tenth of the steps; NaN if there were none. */
  readonly trainingLoss: number;
  /** The step whose parameters the model has: with patience the one of the best validation, else the last. */
  readonly keptStep: number;
  /** Of the parameters that the model has. */
  readonly probeCrossEntropy: number;
  readonly probeSplit: string;
  readonly probes: readonly ProbePoint[];
  readonly validations: readonly ValidationPoint[];
  readonly tableBytes: number;
  readonly memoryBytes: number;
  readonly peakMemoryBytes: number;
  readonly ended: TrainEnd;
  /** Share of the training time that each worker spent in units of work. */
  readonly busy: readonly number[];
}
