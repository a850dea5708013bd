import type { Draw, DrawRequest, Law } from "../types.js";

export const STATEFUL_NAMES = ["learned-unigram", "in-batch", "mixed", "cross-batch"] as const;
/** Samplers that learn from the targets they are shown, by name. */
export type StatefulName = (typeof STATEFUL_NAMES)[number];

export type StateArray = Float64Array | Int32Array;

/**
 * A state as a checkpoint keeps it: a plain head that can be written as JSON, and typed arrays that belong to the receiver. The head holds
 * what must agree (options, sizes), the arrays hold what was learned.
 */
export interface StateSnapshot {
  readonly kind: string;
  readonly head: Readonly<Record<string, number | string | null>>;
  readonly arrays: Readonly<Record<string, StateArray>>;
}

/**
 * What learns from observed targets. Its state is a pure function of the calls of `observe`, in their order; it lies in typed arrays that all
 * threads see. One thread writes, between steps, while nobody draws; every thread may read during a step.
 */
export interface Stateful {
  /** The least step that may be observed next: one above the last observed one, 0 at the start. */
  readonly nextStep: number;
  /**
   * Takes in the targets ids[from .. to) of a step, repeats included. O(to − from), never O(n) (but see the alias structure of
   * `learned-unigram`). Checked before anything changes.
   * @throws OptionError if the step was observed already, or from and to are no range; ClassIdError
   */
  observe(step: number, ids: Int32Array, from: number, to: number): void;
  /** A copy of the state: drawing and observing on from it gives the same bits. */
  exportState(): StateSnapshot;
  /**
   * Puts an exported state in the place of the present one, for all threads.
   * @throws OptionError if it is the state of something else, ShapeError if an array has another length, SamplerError if a value cannot be
   */
  importState(snapshot: StateSnapshot): void;
}

/** How often each class is a target. Reads are O(arrays), without garbage. */
export interface FrequencyEstimator extends Stateful {
  readonly kind: FrequencyKind;
  /** The estimated share of a class among all targets, linear, in [0, 1]. For most kinds shares need not sum to 1. */
  share(id: number): number;
  /** The expected count of a class among `labels` targets (B of them if each row has one), linear: labels·share. */
  expectedCount(id: number, labels: number): number;
}

export const FREQUENCY_KINDS = ["average", "streaming", "given"] as const;
export type FrequencyKind = (typeof FREQUENCY_KINDS)[number];

/** What a stateful draw is for. */
export interface StatefulRequest extends DrawRequest {
  /** Draws of a law: `learned-unigram` draws S, `mixed` draws S beside the batch's own; others ignore it, and it may be 0 there. */
  readonly S: number;
  /** The targets of the batch at hand, labels[from .. to), in batch order, repeats included. `learned-unigram` does not look at them. */
  readonly labels: Int32Array;
  readonly from: number;
  readonly to: number;
}

/**
 * Draws candidates from a known state: the draw of step t sees what was observed of steps before t, and never the targets of t through the state.
 * Each thread has its own sampler of the shared state, for it owns scratch.
 */
export interface StatefulSampler extends Stateful {
  readonly name: StatefulName;
  readonly n: number;
  readonly replacement: boolean;
  /** False: candidates do not depend on the hidden vector. */
  readonly contextual: false;
  readonly hasLogQ: true;
  readonly hasTargetLogQ: true;
  /** The law drawn from, as it is now; null where candidates are targets. */
  readonly law: Law | null;
  /** How many candidates a draw now gives, for S draws of the law and a batch of `labels` targets. */
  count(S: number, labels: number): number;
  /** The most that `count` can be, at any time, for batches of at most `labels` targets: the size of buffers. */
  most(S: number, labels: number): number;
  /** Checks once, at the border, that S can be drawn. @throws OptionError, SamplerError */
  requireDrawable(S: number): void;
  /**
   * Writes Draw.S = count(S, to − from) candidates to ids[at ..) (int32) and log Q to logQ[at ..) (float64, natural log). Buffers are the caller's.
   * A class may come several times. The Draw is valid until the next draw or observation.
   * @throws OptionError, SamplerError (a step that was observed already, or no candidate), ShapeError, ClassIdError
   */
  draw(request: StatefulRequest, ids: Int32Array, logQ: Float64Array, at?: number): Draw;
}
