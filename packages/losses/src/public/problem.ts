import type { CompiledKernels } from "@logq/kernels";
import type { LossSpec } from "../loss-spec.js";

/** Ids of B rows, any number each: row i has ids[offsets[i]] … ids[offsets[i+1] − 1], none of them twice. */
export interface RaggedIds {
  /** (B + 1), ascending, offsets[0] = 0 */
  readonly offsets: ArrayLike<number>;
  readonly ids: ArrayLike<number>;
}

/** Labels of B rows. A row without labels is ignored by softmax losses; in logistic losses all its classes are negatives, unless they are counted by labels. */
export interface RaggedTargets extends RaggedIds {
  /** The mass of each label, linear, >= 0. Default: equal shares that sum to 1 in softmax losses, 1 each in others. */
  readonly mass?: ArrayLike<number>;
}

/** What a sampler answered. Duplicates are draws of their own; they are merged and counted here. */
export interface LossCandidates {
  /** (S), shared by all rows, or (B, S) if `perRow`, each row's in the order in which they were drawn. */
  readonly ids: ArrayLike<number>;
  /** log Q of each candidate, shaped like ids: natural log of the expected count of its class among the S draws. */
  readonly logQ?: ArrayLike<number>;
  /** log Q of each target, shaped like the target ids. Values of ignored rows are not read. */
  readonly targetLogQ?: ArrayLike<number>;
  /** Default false. */
  readonly perRow?: boolean;
}

/** A loss of H (B, D) and W (n, D). B and n follow from the lengths. Nothing given is written to or kept. */
export interface LossProblem {
  readonly spec: LossSpec;
  readonly D: number;
  /** (B, D), finite */
  readonly hidden: Float32Array;
  /** (n, D), finite */
  readonly table: Float32Array;
  /** (n), finite. Absent: no bias. Refused by losses of cosines. */
  readonly bias?: Float32Array;
  /** One class id per row (B), where `ignoreIndex` means that the row is ignored, or ragged labels. */
  readonly targets: ArrayLike<number> | RaggedTargets;
  /** Default −1. */
  readonly ignoreIndex?: number;
  /** (B), >= 0. Default 1 each. The loss is the mean over rows that are not ignored, weighted by these. */
  readonly exampleWeights?: ArrayLike<number>;
  /**
   * (n), >= 0. Softmax family without label smoothing: a label of class c counts classWeights[c] times, and the loss is the mean over rows weighted by that
   * as well, like the weight of PyTorch's cross_entropy. Default 1 each.
   */
  readonly classWeights?: ArrayLike<number>;
  /** (n), in (0, 1]: how probable it is that a label of the class is among those given. Wants spec.labelMass "weight": masses are divided by them. */
  readonly propensities?: ArrayLike<number>;
  /** Wanted by candidate losses, refused by full ones. */
  readonly candidates?: LossCandidates;
  /** Wanted if spec.exclude is "seen": the classes that take no part in each row. Labels of the row among them stay labels. */
  readonly seen?: RaggedIds;
}

/** How to compute; no option changes more than the rounding of the answer. */
export interface ComputeOptions {
  /** From `compileKernels`. Default: the reference back-end. */
  readonly backend?: CompiledKernels;
  /** Rows of a block. Default: such that a tile of logits stays near 16 MiB, at most 256. */
  readonly blockRows?: number;
  /** Classes of a tile. Default: all in one, as always in losses of pairs. */
  readonly tileClasses?: number;
}

export interface LossAnswer {
  /** The weighted mean of perExample, in nats; 0 if every row is ignored. */
  readonly loss: number;
  /** (B): ℓ of each row, without its weight; 0 in rows that are ignored or weigh 0. */
  readonly perExample: Float64Array;
  /** (B, D): dloss/dH */
  readonly hiddenGradient: Float32Array;
  readonly tableGradient: {
    /** The distinct classes with a gradient, ascending (U): targets and candidates. null: all n, in order (full losses). */
    readonly ids: Int32Array | null;
    /** (U, D) or (n, D): dloss/dW of those rows; of all others it is 0. */
    readonly rows: Float32Array;
  };
  /** dloss/db of the same classes, (U) or (n). null without bias. */
  readonly biasGradient: Float32Array | null;
  /** dloss/dlog(1/τ), for temperatures that are learned: Σ over all logits z = (h·w + b)/τ of dloss/dz·z. */
  readonly logScaleGradient: number;
}
