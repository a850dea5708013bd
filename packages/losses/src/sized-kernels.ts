import { type CompiledKernels, instantiateKernels, type Kernels, MemoryPlan } from "@logq/kernels";

export const REFERENCE: CompiledKernels = { name: "reference", shared: false, module: undefined };

const sizing = new WeakMap<CompiledKernels, Kernels>();

/**
 * Kernels over the smallest memory, to ask for the sizes of packed operands and of scratch before the real memory is made.
 * Kept for each back-end: a WebAssembly memory, however small, is dear to make.
 */
export function sizingKernels(backend: CompiledKernels): Kernels {
  const known = sizing.get(backend);
  if (known) return known;
  const kernels = instantiateKernels(backend, new MemoryPlan().allocate(backend.shared));
  sizing.set(backend, kernels);
  return kernels;
}

/** Lays out a memory with `reserve`, makes it, and binds the back-end to it. */
export function openSpace<Space>(
  backend: CompiledKernels,
  reserve: (plan: MemoryPlan, sizing: Kernels) => Space,
): { kernels: Kernels; space: Space } {
  const plan = new MemoryPlan();
  const space = reserve(plan, sizingKernels(backend));
  return { kernels: instantiateKernels(backend, plan.allocate(backend.shared)), space };
}
