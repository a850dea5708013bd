import { createReferenceKernels, KernelMemory, type Kernels } from "../../src/index.js";

/** One implementation under test, bound to a memory of its own. */
export interface Backend {
  readonly name: string;
  readonly kernels: Kernels;
  /** Where tests may place things. */
  readonly base: number;
}

const WORKSPACE_BYTES = 16 * 2 ** 20;

/** Not a power of two, so that no multiple of a row's bytes lands on 2 GiB by luck. */
const HIGH_BASE = 2 ** 31 + 4_160;

function backend(name: string, create: (memory: KernelMemory) => Kernels, shared: boolean, base = 64): Backend {
  return { name, kernels: create(KernelMemory.create(base + WORKSPACE_BYTES, shared)), base };
}

/** Every implementation of the interface passes the same suite; the last ones keep all their operands above 2 GiB. */
export const BACKENDS: readonly Backend[] = [
  backend("reference", createReferenceKernels, false),
  backend("reference, shared, above 2 GiB", createReferenceKernels, true, HIGH_BASE),
];
