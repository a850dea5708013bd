import { type Key, MemoryLimitError, requireOneOf } from "@logq/core";
import { type Address, type Kernels, MAX_MEMORY_BYTES } from "@logq/kernels";
import { kernelTreeFrom, planKernelTree } from "./kernel-tree.js";
import type { QuadraticKernelOptions, RandomFeaturesOptions } from "./kernel-tree-options.js";
import { lshFrom, planLsh } from "./lsh.js";
import type { LshOptions } from "./lsh-options.js";
import { midxFrom, planMidx } from "./midx.js";
import type { MidxOptions } from "./midx-options.js";
import { CONTEXTUAL_NAMES, type ContextualPlan, type ContextualSampler } from "./types.js";

/** What a user chooses. Plain data. */
export type ContextualSpec = QuadraticKernelOptions | RandomFeaturesOptions | MidxOptions | LshOptions;

/** What comes from the model. Plain data. */
export interface ContextualInputs {
  /** Of what is random in a structure: projections, features, hash functions. */
  readonly key: Key;
  /** 1/τ: logits, biases included, are multiplied by it. Above 0. */
  readonly scale: number;
  readonly hasBiases: boolean;
  /** (n), finite and ≥ 0, one at least above 0: how often each class occurs. */
  readonly unigram?: ArrayLike<number>;
}

/** Checks a spec and tells the bytes of its structure. @throws OptionError */
export function planContextual(spec: ContextualSpec, n: number, D: number): ContextualPlan {
  requireOneOf("sampler", spec.name, CONTEXTUAL_NAMES);
  switch (spec.name) {
    case "midx":
      return planMidx(spec, n, D);
    case "lsh":
      return planLsh(spec, n, D);
    default:
      return planKernelTree(spec, n, D);
  }
}

/**
 * The plan of a structure that is about to be given memory.
 * @throws OptionError, MemoryLimitError if no memory holds it, with the bytes, and those of rows of bfloat16 where there is the choice
 */
export function requireContextualFits(spec: ContextualSpec, n: number, D: number): ContextualPlan {
  const plan = planContextual(spec, n, D);
  const bytes = plan.tableBytes + plan.scratchBytes;
  if (bytes <= MAX_MEMORY_BYTES) return plan;
  const needs = `the structure of ${spec.name} needs ${bytes} bytes, but one memory holds at most ${MAX_MEMORY_BYTES}`;
  const values = { sampler: spec.name, bytes, limit: MAX_MEMORY_BYTES };
  const narrow = narrowed(spec);
  if (narrow === undefined) throw new MemoryLimitError(needs, values);
  const { tableBytes, scratchBytes } = planContextual(narrow, n, D);
  const narrowBytes = tableBytes + scratchBytes;
  throw new MemoryLimitError(`${needs}; with tableType bfloat16 it needs ${narrowBytes}`, { ...values, narrowBytes });
}

/** The same sampler with rows of half the bytes; undefined: it has no such rows, or they are so already. */
function narrowed(spec: ContextualSpec): ContextualSpec | undefined {
  if (spec.name === "midx" || spec.name === "lsh" || spec.tableType === "bfloat16") return undefined;
  return { ...spec, tableType: "bfloat16" };
}

/**
 * A thread's sampler over the shared structure at `table`, which one thread fills by `build`, with a scratch of its own. Both begin at multiples of 64 and
 * have the bytes that `planContextual` told.
 * @throws OptionError, ShapeError, SamplerError
 */
export function contextualFrom(
  spec: ContextualSpec,
  n: number,
  D: number,
  kernels: Kernels,
  table: Address,
  scratch: Address,
  inputs: ContextualInputs,
): ContextualSampler {
  switch (spec.name) {
    case "midx":
      return midxFrom(spec, n, D, kernels, table, scratch, inputs);
    case "lsh":
      return lshFrom(spec, n, D, kernels, table, scratch, inputs);
    default:
      return kernelTreeFrom(spec, n, D, kernels, table, scratch, inputs);
  }
}
