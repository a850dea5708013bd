import type { Machine } from "@logq/micro-benchmarks";
import type { ProductType } from "@logq/trainers";

/** Raised when the meaning of a field changes. */
export const RESULTS_FORMAT = 2;

export const SET_NAMES = ["wikitext-2", "reddit"] as const;
export type SetName = (typeof SET_NAMES)[number];

/** How a training's gradients differ from the exact ones, by name. */
export interface Approximation {
  /** The gradient filter's ε; 0: none. */
  readonly epsilon: number;
  readonly products: ProductType;
}

export const EXACT: Approximation = { epsilon: 0, products: "float32" };

/** What a run found, with its circumstances. Plain data: printed by `--json`. */
export interface Results {
  readonly format: typeof RESULTS_FORMAT;
  /** When the run began, ISO 8601, UTC. */
  readonly date: string;
  readonly machine: Machine;
  readonly settings: Settings;
  readonly sets: readonly SetResult[];
}

export interface Settings {
  readonly sets: readonly SetName[];
  /** null: as many as each data set has by default. */
  readonly steps: number | null;
  /** Each above 0. */
  readonly epsilons: readonly number[];
  /** Whether products of bfloat16 operands are tried as well, where the processor has a unit for them. */
  readonly bfloat16: boolean;
  readonly workers: number;
  readonly seed: number;
}

/** One data set: the same model trained again and again, the exact run first. */
export interface SetResult {
  readonly set: SetName;
  readonly title: string;
  readonly work: string;
  /** What the matrix products ran in. */
  readonly backend: string;
  readonly classes: number;
  readonly dim: number;
  readonly batch: number;
  readonly steps: number;
  readonly validationExamples: number;
  readonly runs: readonly FilterRun[];
}

/** A training, and what its approximation does to the gradients of one step. */
export interface FilterRun extends Training {
  /** How many times as fast as the exact run. */
  readonly speed: number;
  /** The cross-entropy's difference to the exact run's, as a share of that. */
  readonly crossEntropyChange: number;
  readonly errors: GradientErrors;
}

/** What a training came to. */
export interface Training extends Approximation {
  /** Of the blocks of classes and rows, those that were left out; a mean over the steps. */
  readonly skippedShare: number;
  /** The probability of a row that was left out with them; a mean over rows and steps. */
  readonly skippedMass: number;
  /** The median. */
  readonly stepMs: number;
  /** Exact, of the validation part after the last step, in nats a word. */
  readonly crossEntropy: number;
}

/** How far the approximate gradients of one step are from the exact ones, at the parameters of the exact run's end. */
export interface GradientErrors {
  /** The largest ‖dH_f − dH‖₂ / ‖dH‖₂ of a row. */
  readonly hiddenRelative: number;
  /** ‖dW_f − dW‖ / ‖dW‖, Frobenius. */
  readonly tableRelative: number;
  /** The largest ‖dH_f − dH‖₂ of a row, of the row's own cross-entropy: without the coefficient 1/B of the batch's mean. */
  readonly hiddenLargest: number;
  /** Of a filter alone: ε·max‖w‖, which `hiddenLargest` cannot exceed but by rounding. null: there is no such bound. */
  readonly bound: number | null;
}
