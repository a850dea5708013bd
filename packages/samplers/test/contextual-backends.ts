import { compileKernels, instantiateKernels, type KernelMemory, type Kernels } from "@logq/kernels";

/** Kernels for a memory, by the name of the back-end. */
export interface ContextualBackend {
  readonly name: string;
  bind(memory: KernelMemory): Kernels;
}

async function backendsHere(): Promise<ContextualBackend[]> {
  const reference = await compileKernels("reference", false);
  const wasm = await compileKernels("wasm", false);
  return [reference, wasm].map((compiled) => ({
    name: compiled.name,
    bind: (memory) => instantiateKernels(compiled, memory),
  }));
}

/** What this package may know of: the native package runs these suites with its own in their place. The last is the fastest. */
export const CONTEXTUAL_BACKENDS: readonly ContextualBackend[] = await backendsHere();
