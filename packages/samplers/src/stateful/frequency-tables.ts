import {
  OptionError,
  requireAllFinite,
  requireInteger,
  requireLength,
  requireNumber,
  requireOneOf,
  SamplerError,
} from "@logq/core";
import { shareFloats } from "../shared.js";
import { MAX_CLASSES } from "../state.js";
import { FREQUENCY_KINDS, type FrequencyKind } from "./types.js";

/** How often each class is a target, and how that is learned. Plain data. */
export interface FrequencySpec {
  /**
   * `average` (the default of samplers): moving average of multiplicities. `streaming`: average gap between steps (Yi et al. 2019), which cannot tell
   * one occurrence in a batch from many. `given`: fixed counts.
   */
  readonly kind: FrequencyKind;
  /** α in (0, 1]. Default 0.001 for `average` (per step), 0.01 for `streaming` (per occurrence of the class). */
  readonly rate?: number;
  /** H: ids are hashed to arrays of so many slots. Default null: a slot for each of n classes. Not for `given`. */
  readonly slots?: number | null;
  /** m, in [1, 16]: how many hash arrays. Default 1, or 4 where slots are given. */
  readonly arrays?: number;
  /**
   * The least share a class is said to have, in [0, 1]. Default 0.1/n (0.1/H) for `average`: a class that did not come for a while would
   * otherwise have a share near 0 and an enormous −log Q. Default 0 for the others.
   */
  readonly floor?: number;
  /** Only `given`: added to every count, ≥ 0, default 0. */
  readonly smoothing?: number;
}

export type ValidFrequencySpec = Required<FrequencySpec>;

/** An estimator's state, made once and posted to threads: 16 bytes a slot and array, 8 a class for `given`. */
export interface FrequencyTables {
  readonly spec: ValidFrequencySpec;
  /** Null: an open set of ids ≥ 0. */
  readonly n: number | null;
  /** (arrays, size): `average` f as of step `last`; `streaming` δ, 0 if never seen; `given` (n) shares. */
  readonly value: Float64Array;
  /** (arrays, size): the step of the last occurrence. Empty for `given`. */
  readonly last: Float64Array;
  /** See CLOCK. */
  readonly clock: Float64Array;
}

/** Places in the clock of an estimator. */
export const CLOCK = {
  next: 0,
  /** The first observed step. */
  first: 1,
  /** `average`: moving average of targets a step, without the correction for its start. `streaming`: all targets observed. */
  labels: 2,
  /** How many observations. */
  observed: 3,
  length: 4,
} as const;

const FIELDS = ["kind", "rate", "slots", "arrays", "floor", "smoothing"];

/**
 * Checks a spec and fills in the defaults.
 * @param n classes, or null for an open set, which needs slots
 * @throws OptionError
 */
export function validateFrequencySpec(spec: FrequencySpec, n: number | null): ValidFrequencySpec {
  if (typeof spec !== "object" || spec === null) {
    throw new OptionError(`a frequency spec must be an object, not ${spec}`, { value: spec });
  }
  for (const field of Object.keys(spec)) requireOneOf("a field of a frequency spec", field, FIELDS);
  const kind = requireOneOf("the kind of a frequency", spec.kind, FREQUENCY_KINDS);
  if (n !== null) requireInteger("n", n, 1, MAX_CLASSES);
  refuse(spec, kind === "given" ? ["rate", "slots", "arrays", "floor"] : ["smoothing"]);
  const slots = spec.slots ?? null;
  if (slots !== null) requireInteger("slots", slots, 1, MAX_CLASSES);
  if (slots === null && n === null) {
    throw new OptionError("an open set of ids needs slots to be hashed to; give slots, or n", { name: "slots", n });
  }
  if (slots === null && (spec.arrays ?? 1) !== 1) {
    throw new OptionError(`${spec.arrays} arrays need slots: without hashing, one array has every class apart`, {
      name: "arrays",
      arrays: spec.arrays,
    });
  }
  const rate = requireNumber("rate", spec.rate ?? (kind === "average" ? 0.001 : 0.01), 0, 1);
  if (rate === 0) throw new OptionError("rate must be above 0: at 0 nothing is learned", { name: "rate", value: rate });
  const size = slots ?? n!;
  return {
    kind,
    rate,
    slots,
    arrays: requireInteger("arrays", spec.arrays ?? (slots === null ? 1 : 4), 1, 16),
    floor: requireNumber("floor", spec.floor ?? (kind === "average" ? 0.1 / size : 0), 0, 1),
    smoothing: requireNumber("smoothing", spec.smoothing ?? 0, 0),
  };
}

/**
 * The state of an estimator that has seen nothing, in shared memory where there is any.
 * @param counts (n), only `given`: how often each class is a target, ≥ 0, one at least above 0 together with smoothing. Not kept.
 * @throws OptionError, ShapeError, NotFiniteError, SamplerError, MemoryLimitError
 */
export function createFrequencyTables(
  spec: FrequencySpec,
  n: number | null,
  counts?: ArrayLike<number>,
): FrequencyTables {
  const valid = validateFrequencySpec(spec, n);
  const clock = shareFloats(CLOCK.length);
  if (valid.kind === "given") {
    return { spec: valid, n, value: sharesOf(counts, n!, valid.smoothing), last: shareFloats(0), clock };
  }
  const length = valid.arrays * (valid.slots ?? n!);
  return { spec: valid, n, value: shareFloats(length), last: shareFloats(length), clock };
}

/** Bytes of the tables of a valid spec. */
export function frequencyBytes(spec: ValidFrequencySpec, n: number | null): number {
  const length = spec.kind === "given" ? n! : 2 * spec.arrays * (spec.slots ?? n!);
  return 8 * (length + CLOCK.length);
}

function sharesOf(counts: ArrayLike<number> | undefined, n: number, smoothing: number): Float64Array {
  if (counts === undefined) throw new OptionError("a given frequency needs counts", { name: "counts" });
  requireLength("counts", counts.length, n, "(n)");
  requireAllFinite("counts", counts);
  const shares = shareFloats(n);
  let sum = 0;
  for (let id = 0; id < n; id++) {
    if (counts[id] < 0) {
      throw new SamplerError(`counts[${id}] is ${counts[id]}; a count must be at least 0`, {
        index: id,
        value: counts[id],
      });
    }
    shares[id] = counts[id] + smoothing;
    sum += shares[id];
  }
  if (!(sum > 0 && sum < Infinity)) {
    throw new SamplerError(`the counts sum to ${sum}: no share can be told`, { sum, smoothing });
  }
  for (let id = 0; id < n; id++) shares[id] /= sum;
  return shares;
}

function refuse(spec: FrequencySpec, fields: readonly (keyof FrequencySpec)[]): void {
  for (const field of fields) {
    if (spec[field] === undefined) continue;
    throw new OptionError(`a frequency of kind ${spec.kind} has no option ${field}`, {
      name: field,
      value: spec[field],
    });
  }
}
