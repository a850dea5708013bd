import type { Key } from "@logq/core";
import type { EncoderSpec } from "@logq/encoders";
import type { TableType } from "@logq/kernels";
import type { AdaptiveClusters, ClassTree, LossSpec } from "@logq/losses";
import type { ContextualSpec, SamplerState, StatefulState } from "@logq/samplers";
import type { OptimizerSpec } from "../optimize/optimizer.js";
import type { ScheduleSpec } from "../optimize/schedule.js";
import type { SourceSpec } from "../sources/source.js";
import type { TableShape } from "../table/lanes.js";
import type { ProductType } from "./products.js";
import type { SelectionSpec } from "./selection.js";

/** A sampler whose law depends on the row's hidden vector. */
export interface ContextualCandidates {
  readonly spec: ContextualSpec;
  /** (n) how often each class occurs, as far as that is known; in shared memory. */
  readonly unigram: Float64Array | undefined;
}

/**
 * Who is drawn in each step: by a law, by a sampler that learns from the targets it sees, or by one that looks at hidden vectors. One of the three is
 * there.
 */
export interface CandidateSpec {
  readonly state: SamplerState | undefined;
  readonly stateful?: StatefulState;
  /** Draws for each row. */
  readonly contextual?: ContextualCandidates;
  /** What each row takes of the candidates that the batch shares; absent: all. */
  readonly select?: SelectionSpec;
  /** S: candidates of a draw, at most. */
  readonly S: number;
  /** Draws that a stateful sampler is asked for, beside the targets it brings itself. */
  readonly draws?: number;
  /** One draw shared by the batch, or one a row; or none, where rows meet the decisions on the paths of their labels alone. */
  readonly per: "batch" | "row" | "none";
}

/** Nobody is drawn. */
export const NO_CANDIDATES: CandidateSpec = { state: undefined, S: 0, per: "none" };

/** The most that one row of a batch can hold. */
export interface RowCapacity {
  readonly maxInputs: number;
  /** Labels, or, of a tree, decisions on their paths. */
  readonly maxTargets: number;
  readonly maxExcluded: number;
}

/** What a training step is, beyond the model: absent in engines that only evaluate. */
export interface TrainingSpec {
  /** B: rows of a batch; the last batch of an epoch may have fewer. */
  readonly B: number;
  readonly capacity: RowCapacity;
  readonly loss: LossSpec;
  /** Whether the loss of a batch is the mean over its rows, or their sum. What is reported is the mean. */
  readonly reduction: "mean" | "sum";
  readonly candidates: CandidateSpec | undefined;
  readonly optimizer: OptimizerSpec;
  readonly schedule: ScheduleSpec;
  /** Steps of the whole run: what schedules end at. */
  readonly totalSteps: number;
  /** Full softmax keeps the logits of a step in at most this many bytes, and recomputes them if they need more. */
  readonly logitBytes: number;
  /** How class rows are multiplied with. */
  readonly products: ProductType;
  /** Full softmax: the probability mass of a row that its class and hidden gradients may leave out; 0: none. */
  readonly gradientFilter: number;
  /** (n) what the mass of a label is multiplied by, by id: class weights, or 1/propensities; in shared memory. undefined: 1 each. */
  readonly labelFactors: Float32Array | undefined;
  /** Cosine logits: log(1/τ) is a parameter, and `scale` what it starts from. */
  readonly learnTemperature: boolean;
}

/** Everything an engine is made from: plain data, the same in every thread. */
export interface EngineSpec {
  readonly key: Key;
  readonly table: TableShape;
  /** Set: classes hang in this tree, and rows of the table are its nodes (one row, which nobody uses, if it has none). Else rows are classes. */
  readonly tree?: ClassTree | undefined;
  /** How class rows and embedding rows are stored. Biases, dense layers and the optimizer's state are always float32. */
  readonly tableType: TableType;
  /**
   * Whether the encoder's embedding table is the class table. Then inputs are classes, which batches name by their physical rows: `encoder.vocabulary` is
   * `table.rows`.
   */
  readonly tied: boolean;
  /** Whether classes have a bias. */
  readonly bias: boolean;
  /** Cosine logits: hidden vectors and class rows are brought to length 1 before the product. */
  readonly normalize: boolean;
  /** 1/τ; what it starts from, where it is learned */
  readonly scale: number;
  /** An adaptive softmax: the clusters that take the place of the class table and its biases. `table` is then one of one lane that nothing lies in. */
  readonly adaptive?: AdaptiveClusters;
  /** c > 0: logits are c·tanh(z/c), wherever they are looked at; 0: no cap */
  readonly softCap: number;
  readonly encoder: EncoderSpec;
  /** The sources that commands name. Absent: an external encoder, batches come with the command. */
  readonly sources: Readonly<Record<string, SourceSpec>>;
  readonly training: TrainingSpec | undefined;
  /** Rows an evaluation handles at a time. */
  readonly evaluationRows: number;
  /** The largest k of a ranking; 0: none is asked for. */
  readonly maxK: number;
  /** Over all sources that are evaluated. */
  readonly capacity: RowCapacity;
}

/** n, whatever the rows of the table are. */
export function classCount({ table, tree }: Pick<EngineSpec, "table" | "tree">): number {
  return tree?.n ?? table.n;
}

/** Rows of the table over n classes. */
export function tableRowCount(n: number, tree: ClassTree | undefined): number {
  return tree === undefined ? n : Math.max(1, n - 1);
}

/** The capacity of rows whose labels are paths. */
export function pathCapacity(capacity: RowCapacity, tree: ClassTree | undefined): RowCapacity {
  return tree === undefined ? capacity : { ...capacity, maxTargets: capacity.maxTargets * Math.max(1, tree.depth) };
}

/** Rows of a batch that one unit of the row phase handles. From the shapes alone: it fixes the order of sums over the batch. */
export function rowsPerBlock(B: number): number {
  return B > 512 ? 64 : 32;
}

/** Rows of the panel that are gathered, and packed for dH, by one unit. */
export const CLASS_BLOCK = 128;

/** Rows of the panel that one unit of the table phase handles: few, for the last unit decides how long the others wait. */
export const UPDATE_BLOCK = 64;

/** Class rows that one unit of a clipped full step updates. */
export const CLIPPED_BLOCK = 256;

export function blocksOf(count: number, size: number): number {
  return Math.ceil(count / size);
}
