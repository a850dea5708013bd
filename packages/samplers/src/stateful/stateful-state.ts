import { OptionError, requireOneOf } from "@logq/core";
import { BatchSampler } from "./batch-sampler.js";
import { type BatchSpec, type BatchTables, batchBytes, createBatchTables, validateBatchSpec } from "./batch-spec.js";
import {
  type LearnedTables,
  type LearnedUnigramSpec,
  learnedBytes,
  validateLearnedUnigramSpec,
} from "./learned-tables.js";
import { createLearnedTables, LearnedUnigramSampler } from "./learned-unigram.js";
import { STATEFUL_NAMES, type StatefulSampler } from "./types.js";

/** What a user chooses. Plain data. */
export type StatefulSpec = LearnedUnigramSpec | BatchSpec;

/** Made once on the main thread and posted to workers: plain data and typed arrays in shared memory. One of the two is there. */
export interface StatefulState {
  readonly learned: LearnedTables | null;
  readonly batch: BatchTables | null;
}

export interface StatefulInputs {
  /**
   * (n): how often each class is a target. `learned-unigram` starts from it (whole numbers); a given frequency is made of it, and a unigram `extra`.
   * Not kept.
   */
  readonly counts?: ArrayLike<number>;
}

/**
 * Checks everything and makes the state, O(n).
 * @param n classes, in [1, 2^31 − 1]
 * @throws OptionError, ShapeError, NotFiniteError, SamplerError, MemoryLimitError
 */
export function createStatefulState(spec: StatefulSpec, n: number, { counts }: StatefulInputs = {}): StatefulState {
  return isLearned(spec)
    ? { learned: createLearnedTables(spec, n, counts), batch: null }
    : { learned: null, batch: createBatchTables(spec, n, counts) };
}

/** The sampler of a state, in any thread. O(1). */
export function statefulSamplerFrom({ learned, batch }: StatefulState): StatefulSampler {
  return learned === null ? new BatchSampler(batch!) : new LearnedUnigramSampler(learned);
}

/** Bytes of a state, known before it is made. @throws OptionError */
export function statefulStateBytes(spec: StatefulSpec, n: number): number {
  return isLearned(spec)
    ? learnedBytes(validateLearnedUnigramSpec(spec, n), n)
    : batchBytes(validateBatchSpec(spec, n), n);
}

function isLearned(spec: StatefulSpec): spec is LearnedUnigramSpec {
  if (typeof spec !== "object" || spec === null) {
    throw new OptionError(`a sampler spec must be an object, not ${spec}`, { value: spec });
  }
  return requireOneOf("sampler", spec.name, STATEFUL_NAMES) === "learned-unigram";
}
