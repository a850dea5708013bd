import { BackendError, type Key, ShapeError } from "@logq/core";
import type { Address, Kernels } from "@logq/kernels";
import { type BlockWeights, QuadraticWeights, SoftmaxWeights } from "./block-laws.js";
import { ClassFactors } from "./class-factors.js";
import { TreeLayout } from "./kernel-tree-layout.js";
import {
  type KernelTreeInputs,
  type QuadraticKernelOptions,
  type RandomFeaturesOptions,
  type ValidKernelTreeOptions,
  validateKernelTreeInputs,
  validateKernelTreeOptions,
} from "./kernel-tree-options.js";
import { KernelTreeSampler } from "./kernel-tree-sampler.js";
import type { NodeFeatures } from "./node-features.js";
import { QuadraticFeatures } from "./quadratic-features.js";
import { RandomFeatures } from "./random-features.js";
import { NarrowRows, type RowStore, WideRows } from "./row-store.js";
import type { ContextualPlan, ContextualSampler } from "./types.js";

/**
 * Bytes of a kernel tree: b·n·width + 4·(n + nodes·(F + 3)) and little more for all threads, with rows of width r, or D where they are whole, of numbers of
 * b bytes (4, of bfloat16 2), nodes ≈ n/block · arity/(arity − 1), and F = r(r + 1)/2 (quadratic) or the number of features.
 * @throws OptionError
 */
export function planKernelTree(
  options: QuadraticKernelOptions | RandomFeaturesOptions,
  n: number,
  D: number,
): ContextualPlan {
  return new TreeLayout(validateKernelTreeOptions(options, n, D), n, D, 0, 0).plan;
}

/**
 * The sampler of a thread over a shared tree, which one thread then has to `build`.
 * @param table tableBytes of the plan, the same for all threads, a multiple of 64
 * @param scratch scratchBytes of the plan, the thread's own, a multiple of 64
 * @throws OptionError, ShapeError, SamplerError (unigram weights that are none); BackendError if a back-end packs operands into more than planned
 */
export function kernelTreeFrom(
  options: QuadraticKernelOptions | RandomFeaturesOptions,
  n: number,
  D: number,
  kernels: Kernels,
  table: Address,
  scratch: Address,
  inputs: KernelTreeInputs,
): ContextualSampler {
  const valid = validateKernelTreeOptions(options, n, D);
  const factor = validateKernelTreeInputs(valid, inputs, n);
  requirePlace("table", table);
  requirePlace("scratch", scratch);
  const layout = new TreeLayout(valid, n, D, table, scratch);
  requirePackedFits(kernels, layout, valid);
  const { scale } = inputs;
  return new KernelTreeSampler(kernels, layout, {
    name: valid.name,
    features: featuresOf(valid, kernels, layout, scale),
    factors: new ClassFactors(kernels, layout, factor, scale),
    weights: weightsOf(valid, kernels, scale),
    rows: rowsOf(valid, kernels, layout, inputs.key),
    key: inputs.key,
    unigram: factor === "unigram" ? inputs.unigram : undefined,
    refreshSteps: valid.refreshSteps,
  });
}

function featuresOf(
  { name, alpha, kind, floor, sharpness }: ValidKernelTreeOptions,
  kernels: Kernels,
  layout: TreeLayout,
  scale: number,
): NodeFeatures {
  return name === "quadratic-kernel"
    ? new QuadraticFeatures(kernels, layout, alpha * scale * scale)
    : new RandomFeatures(kernels, layout, kind, sharpness * scale, floor);
}

function weightsOf({ alpha, blockLaw }: ValidKernelTreeOptions, kernels: Kernels, scale: number): BlockWeights {
  return blockLaw === "kernel"
    ? new QuadraticWeights(kernels, alpha * scale * scale)
    : new SoftmaxWeights(kernels, scale);
}

function rowsOf({ tableType }: ValidKernelTreeOptions, kernels: Kernels, layout: TreeLayout, key: Key): RowStore {
  return tableType === "bfloat16" ? new NarrowRows(kernels, layout, key) : new WideRows(kernels, layout);
}

function requirePlace(name: string, address: Address): void {
  if (address > 0 && address % 64 === 0) return;
  throw new ShapeError(`${name} must begin at a multiple of 64 bytes above 0, not at ${address}`, { name, address });
}

function requirePackedFits({ name, matrix }: Kernels, layout: TreeLayout, { block }: ValidKernelTreeOptions): void {
  const { D, r, frequencies } = layout;
  const inTable = matrix.packedBytes(D, Math.max(frequencies, r < D ? r : 0));
  const inScratch = matrix.packedBytes(block, r);
  if (inTable <= layout.packedTableBytes && inScratch <= layout.packedScratchBytes) return;
  throw new BackendError(`the back-end ${name} needs more room for packed matrices than a kernel tree plans`, {
    backend: name,
    inTable,
    inScratch,
    planned: [layout.packedTableBytes, layout.packedScratchBytes],
  });
}
