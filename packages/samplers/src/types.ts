import type { Key } from "@logq/core";

export const SAMPLER_NAMES = ["uniform", "log-uniform", "unigram", "given"] as const;
export type SamplerName = (typeof SAMPLER_NAMES)[number];

export const EXPECTED_COUNTS = ["exact", "tensorflow"] as const;
export type ExpectedCount = (typeof EXPECTED_COUNTS)[number];

/** The most candidates one draw may ask for. */
export const MAX_CANDIDATES = 2 ** 24;

/** What a user chooses. Plain data; `validateSamplerSpec` checks it and fills in the defaults. */
export interface SamplerSpec {
  readonly name: SamplerName;
  /** True: S independent draws, a class may come twice. False: S distinct classes. Default true. */
  readonly replacement?: boolean;
  /** Only `unigram`: the exponent on the counts, in [0, 4]. 1 (the default) is the unigram law, 0 is uniform. */
  readonly distortion?: number;
  /** Only `unigram`: added to every count before the exponent, ≥ 0, default 0. Above 0 it gives every class some mass. */
  readonly smoothing?: number;
  /**
   * Which expected count a draw without replacement states. `exact` (the default): inclusion probabilities P with E[Σ f/P] = Σ f.
   * `tensorflow`: 1 − (1 − p)^T after T tries, p·S if T happens to equal S (TensorFlow, range_sampler.cc); biased, for comparison.
   * With replacement both are S·p.
   */
  readonly expectedCount?: ExpectedCount;
}

/** A spec that was checked, every field present. */
export type ValidSamplerSpec = Required<SamplerSpec>;

/** A law over the class ids 0 … n−1. One implementation of each law serves every path. Arguments are not checked. */
export interface Law {
  readonly name: SamplerName;
  readonly n: number;
  /** How many classes have a probability above 0. */
  readonly support: number;
  /** p(id), linear, in [0, 1]. 0: the class is never drawn. */
  probability(id: number): number;
  /** Natural log of p(id); −∞ for a class without mass. */
  logProbability(id: number): number;
  /** The id drawn by two independent uniforms in [0, 1). Never a class without mass, never n. */
  draw(u1: number, u2: number): number;
}

/** What a draw is for. The same address gives the same draw, whoever asks, however often, in whatever order. */
export interface DrawRequest {
  readonly key: Key;
  /** In [0, 2^56). */
  readonly step: number;
  /** 0: the draw shared by the batch. r + 1: the draw of row r alone. In [0, 2^32). */
  readonly item: number;
  /** How many candidates, in [1, 2^24]; without replacement at most the classes that can be drawn. */
  readonly S: number;
}

/**
 * What is known after a draw. Q(id) is the expected count of a class among the S candidates; logs are natural.
 * The object belongs to the sampler and is valid until its next draw.
 */
export interface Draw {
  readonly S: number;
  /** Draws of the law that were needed, those of excluded and repeated classes included. */
  readonly tries: number;
  /** True if the law was too skewed for tries and the rest was drawn in O(n), by the same law. */
  readonly continued: boolean;
  /** Σ p over the excluded classes, linear; 0 where nothing is excluded. */
  readonly excludedMass: number;
  /** log Q(id), −∞ for a class this draw could not contain (no mass, or excluded). For candidates it equals what was written. */
  logQ(id: number): number;
  /**
   * The log Q that corrects the logit of a target: `logQ`, except that an excluded class gets the value of the formula for the others,
   * so that target and candidates are corrected on one scale. −∞ for a class without mass: see `requireMass`.
   * @throws MissingLogQError (sampler `given` without a log Q for classes)
   */
  targetLogQ(id: number): number;
}

/** Draws candidates. Cheap to make in any thread from a SamplerState; not to be shared between threads: it owns scratch. */
export interface Sampler {
  readonly name: SamplerName;
  readonly n: number;
  readonly replacement: boolean;
  /** False: the law does not depend on the hidden vector, so candidates can be drawn before it is known. */
  readonly contextual: false;
  /** Null for `given`, whose law only its user knows. */
  readonly law: Law | null;
  /** False only for `given` without the log Q of its candidates: losses that correct refuse it. */
  readonly hasLogQ: boolean;
  /** False only for `given` without the log Q of every class: losses that correct targets refuse it. */
  readonly hasTargetLogQ: boolean;
  /** Checks once, at the border, that S candidates can be drawn. @throws OptionError, SamplerError (with S and what there is) */
  requireDrawable(S: number): void;
  /**
   * Draws S candidates into ids[at .. at+S) (int32) and log Q into logQ[at .. at+S) (float64, natural log). The buffers are the
   * caller's. Allocates nothing once its scratch has grown to S.
   * @throws OptionError, SamplerError as requireDrawable; ShapeError if a buffer is too short
   */
  draw(request: DrawRequest, ids: Int32Array, logQ: Float64Array, at?: number): Draw;
  /**
   * As `draw`, from the law conditional on none of excluded[start .. end), which is ascending and distinct ids in [0, n).
   * With replacement Q = S·q/(1 − Σ_A q). The slice must stay as it is while the Draw is used.
   * @throws SamplerError also if too few classes, or too little mass, remain
   */
  drawExcluding(
    request: DrawRequest,
    excluded: Int32Array,
    start: number,
    end: number,
    ids: Int32Array,
    logQ: Float64Array,
    at?: number,
  ): Draw;
}
