import type { LossName, SamplerName } from "../names.js";
import type { Settings } from "../sweep/settings.js";

/** One point of the sweep: what is trained. */
export interface Cell {
  /** n, the number of classes. Of a prepared data set, all it has. */
  readonly classes: number;
  readonly loss: LossName;
  /** Null for the full softmax. */
  readonly sampler: SamplerName | null;
  /** S, the candidates drawn for a batch; null for the full softmax. */
  readonly negatives: number | null;
  /** Worker threads. */
  readonly workers: number;
}

/** The shares of held-out examples whose class is among the first 1 and the first 10 of the exact ranking, in [0, 1]. */
export interface Recall {
  readonly "1": number;
  readonly "10": number;
}

/** What a cell was found to cost and to reach. Whatever was not measured is null, and `reason` says why. */
export interface CellMeasurement {
  /** The back-end that did the work, its variant included. */
  readonly backend: string | null;
  /** Optimizer steps taken, warm-up included. */
  readonly steps: number | null;
  /** Training time in seconds, evaluation not counted. */
  readonly seconds: number | null;
  /** Milliseconds of a step, data and candidates included: median, 10th and 90th percentile, warm-up left out. */
  readonly stepMilliseconds: number | null;
  readonly stepMillisecondsLow: number | null;
  readonly stepMillisecondsHigh: number | null;
  /** Batch size over the median step time. */
  readonly examplesPerSecond: number | null;
  /** Bytes of class table, bias, optimizer state and whatever the sampler keeps. */
  readonly tableBytes: number | null;
  /** Floating-point operations of the step's matrix products per second, over the machine's own GEMM rate with as many threads; in [0, 1]. */
  readonly gemmShare: number | null;
  /** Exact mean cross-entropy on held-out examples, nats, after `seconds` of training: equal time. */
  readonly crossEntropy: number | null;
  /** The same after `equalSteps` steps. */
  readonly crossEntropyAtEqualSteps: number | null;
  /** The cross-entropy of the law that made the data, on the same examples; null where nobody knows it (real data). */
  readonly bestCrossEntropy: number | null;
  /** Recall under the exact ranking, after equal time and after equal steps. */
  readonly recall: Recall | null;
  readonly recallAtEqualSteps: Recall | null;
  /** The step count at which "equal steps" was taken: one pass over the training data. */
  readonly equalSteps: number | null;
  /**
   * ‖E[ĝ] − g‖ / ‖g‖: ĝ the sampled gradient in H, g the exact one of the full softmax, at the same tables. Freed of Monte-Carlo noise. Null of
   * losses that do not estimate the full softmax's gradient.
   */
  readonly gradientBias: number | null;
  /** sqrt(E‖ĝ − E[ĝ]‖²) / ‖g‖. */
  readonly gradientSpread: number | null;
  /** Why something above is null; null when everything was measured. */
  readonly reason: string | null;
}

/** A cell with its measurement. `failed` cells carry the error in `reason` and are tried again when a sweep is resumed. */
export interface CellResult extends Cell, CellMeasurement {
  readonly failed: boolean;
}

/** What a measurer is asked to do for one cell. */
export interface MeasureRequest {
  readonly cell: Cell;
  /** Training time to spend, in seconds, evaluation not counted: the same for every cell, so that "equal time" is equal. */
  readonly seconds: number;
  /** Aborted when the sweep is interrupted: the promise then rejects soon, with any error. */
  readonly signal: AbortSignal;
  /** Called now and then with what is going on ("data", "training", "evaluation", "gradients") and the share of the cell done, in [0, 1]. */
  onProgress(phase: string, fraction: number): void;
}

/** The data that is trained on. */
export interface DataDescription {
  /** For people: "synthetic, planted softmax" or the name of a data set. */
  readonly name: string;
  /** n of a prepared data set; null where data of any class count can be made. */
  readonly classes: number | null;
  /** Training examples; null where that depends on the class count. */
  readonly examples: number | null;
}

/**
 * The one door between the sweep and the engine. A measurer may keep what cells of one size share (data, truth, probe set): cells come in
 * ascending order of class count. It measures one cell at a time.
 */
export interface Measurer {
  /** float32 GEMM rate of this machine through the chosen back-end, 1e9 flop/s by number of threads ("1", "2", ...). */
  readonly gemmGigaflops: Readonly<Record<string, number>>;

  /** The part of the time in which the system let the threads of that measurement run, in [0, 1]; near 1 on an idle machine. */
  readonly processorShare: number;

  /**
   * Trains a fresh model on the cell's data and tells what it cost and reached.
   * @throws LogqError if this cell cannot be measured (memory, divergence): the sweep records it and goes on. Other errors end the sweep.
   */
  measureCell(request: MeasureRequest): Promise<CellMeasurement>;

  /** Lets workers and memory go. */
  close(): Promise<void>;
}

/** Opens a measurer: loads the back-end and the data, and measures the GEMM rate. */
export type OpenMeasurer = (settings: Settings, signal: AbortSignal) => Promise<Measurer>;

/**
 * Looks at the data without loading it.
 * @throws MissingFileError, FileFormatError if `settings.data` is not a prepared data set.
 */
export type DescribeData = (settings: Settings) => Promise<DataDescription>;
