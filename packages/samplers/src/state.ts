import { OptionError, requireInteger } from "@logq/core";
import { type GivenLists, type GivenTables, shareGivenLists } from "./given-lists.js";
import { buildUnigramTables, UNIGRAM_BYTES_PER_CLASS, type UnigramTables } from "./laws/unigram.js";
import { validateSamplerSpec } from "./spec.js";
import type { SamplerSpec, ValidSamplerSpec } from "./types.js";

/** The most classes: ids are int32. */
export const MAX_CLASSES = 2 ** 31 - 1;

/**
 * Everything a sampler needs, made once on the main thread and posted to workers: plain data and typed arrays, which lie in shared memory
 * where there is any, so that posting copies nothing.
 */
export interface SamplerState {
  readonly spec: ValidSamplerSpec;
  readonly n: number;
  /** Only `unigram`. */
  readonly unigram: UnigramTables | null;
  /** Only `given`. */
  readonly given: GivenTables | null;
}

/** What some samplers need beside the spec. */
export interface SamplerInputs {
  /** (n), `unigram`: how often each class occurs, ≥ 0. Not kept. */
  readonly counts?: ArrayLike<number>;
  /** `given`: the user's own candidates. Copied. */
  readonly given?: GivenLists;
}

/**
 * Checks everything and builds the tables, O(n) for `unigram` and O(1) for laws without tables.
 * @param n classes, in [1, 2^31 − 1]
 * @throws OptionError, ShapeError, NotFiniteError, SamplerError, ClassIdError, MemoryLimitError
 */
export function createSamplerState(spec: SamplerSpec, n: number, inputs: SamplerInputs = {}): SamplerState {
  const valid = validateSamplerSpec(spec);
  requireInteger("n", n, 1, MAX_CLASSES);
  const given = valid.name === "given" ? shareGivenLists(n, requireInput(valid, "given", inputs.given)) : null;
  if (valid.name !== "unigram") return { spec: valid, n, unigram: null, given };
  const counts = requireInput(valid, "counts", inputs.counts);
  return { spec: valid, n, unigram: buildUnigramTables(n, counts, valid.distortion, valid.smoothing), given };
}

/** Bytes of the tables that a spec's state holds, known before they are built; the lists of `given` are its user's to count. */
export function samplerStateBytes(spec: SamplerSpec, n: number): number {
  return spec.name === "unigram" ? UNIGRAM_BYTES_PER_CLASS * n : 0;
}

function requireInput<T>(spec: ValidSamplerSpec, name: string, value: T | undefined): T {
  if (value === undefined) {
    throw new OptionError(`the sampler ${spec.name} needs ${name}`, { sampler: spec.name, name });
  }
  return value;
}
