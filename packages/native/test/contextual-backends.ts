import { compileKernels, instantiateKernels, type KernelMemory, type Kernels } from "@logq/kernels";
import { loadNative, nativeKernels, usableSets } from "../dist/index.js";

const wasm = await compileKernels("wasm", false);

interface ContextualBackend {
  readonly name: string;
  bind(memory: KernelMemory): Kernels;
}

const portable: ContextualBackend = { name: "wasm", bind: (memory) => instantiateKernels(wasm, memory) };

/** What samplers are tried on: machine code of each instruction set that the processor has; where it has none, kernels that run anywhere. */
export const CONTEXTUAL_BACKENDS: readonly ContextualBackend[] = [
  portable,
  ...usableSets().map(
    (set): ContextualBackend => ({
      name: set,
      bind: (memory) => nativeKernels(loadNative(set), memory, portable.bind(memory)),
    }),
  ),
].slice(usableSets().length === 0 ? 0 : 1);
