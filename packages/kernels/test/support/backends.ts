import { compileKernels, instantiateKernels, KernelMemory, type Kernels } from "../../src/index.js";

/** One implementation under test, bound to a memory of its own. */
export interface Backend {
  readonly name: string;
  readonly kernels: Kernels;
  /** Where tests may place things. */
  readonly base: number;
}

/** One implementation for one kind of memory, for tests that plan a memory of their own. */
export interface Flavour {
  readonly name: string;
  readonly shared: boolean;
  readonly create: (memory: KernelMemory) => Kernels;
}

async function flavour(choice: "reference" | "wasm", shared: boolean): Promise<Flavour> {
  const compiled = await compileKernels(choice, shared);
  const name = `${choice}, ${shared ? "shared" : "unshared"}`;
  return { name, shared, create: (memory) => instantiateKernels(compiled, memory) };
}

const WORKSPACE_BYTES = 16 * 2 ** 20;

/** Beyond 2 GiB, where addresses are negative as an int32; the pages below are never touched and cost nothing. */
const HIGH_BASE = 2 ** 31 + 4_160;

function backend({ name, shared, create }: Flavour, base = 64): Backend {
  const place = base === HIGH_BASE ? ", above 2 GiB" : "";
  return { name: name + place, kernels: create(KernelMemory.create(base + WORKSPACE_BYTES, shared)), base };
}

const reference = await flavour("reference", false);
const unshared = await flavour("wasm", false);
const shared = await flavour("wasm", true);

/** Every implementation of the interface passes the same suite, and does so with all its operands above 2 GiB. */
export const BACKENDS: readonly Backend[] = [
  backend(reference, HIGH_BASE),
  backend(unshared),
  backend(shared),
  backend(shared, HIGH_BASE),
];

export const FLAVOURS: readonly Flavour[] = [reference, unshared, shared];

/** Those that have products in bfloat16. */
export const BFLOAT16_BACKENDS: readonly Backend[] = [backend(reference), backend(reference, HIGH_BASE)];
