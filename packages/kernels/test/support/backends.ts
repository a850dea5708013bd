import { createReferenceKernels, KernelMemory, type Kernels } from "../../src/index.js";

/** One implementation under test, bound to a memory of its own. */
export interface Backend {
  readonly name: string;
  readonly kernels: Kernels;
  /** Where tests may place things. */
  readonly base: number;
}

type Create = (memory: KernelMemory) => Kernels;

const WORKSPACE_BYTES = 16 * 2 ** 20;

/** Beyond 2 GiB, where addresses are negative as an int32; the pages below are never touched and cost nothing. */
const HIGH_BASE = 2 ** 31 + 4_160;

function backend(name: string, create: Create, shared: boolean, base = 64): Backend {
  return { name, kernels: create(KernelMemory.create(base + WORKSPACE_BYTES, shared)), base };
}

/** Every implementation of the interface passes the same suite; some keep all their operands above 2 GiB. */
export const BACKENDS: readonly Backend[] = [
  backend("reference", createReferenceKernels, false),
  backend("reference, shared, above 2 GiB", createReferenceKernels, true, HIGH_BASE),
];

/** The same, for tests that plan a memory of their own. */
export const LARGE_BACKENDS: readonly { name: string; create: Create; shared: boolean }[] = [
  { name: "reference", create: createReferenceKernels, shared: false },
];
