import { type Backend, instantiateBackend } from "@logq/blas";
import { KernelMemory, type Kernels } from "@logq/kernels";
import type { Profile } from "../parallel/profile.js";
import { profiledKernels } from "../parallel/profiled-kernels.js";
import type { EngineLayout } from "./layout.js";
import type { EngineSpec } from "./spec.js";

/** What an engine is built from, in any thread. Structured-cloneable; tables are shared, not copied. */
export interface EngineInput {
  readonly backend: Backend;
  /** The main memory. */
  readonly memory: WebAssembly.Memory;
  readonly banks: readonly WebAssembly.Memory[];
  readonly spec: EngineSpec;
  readonly layout: EngineLayout;
  /** Whether each kernel's time is taken: for a detailed profile. */
  readonly profiled: boolean;
}

/** The kernels of one thread: over the main memory, and over each bank in order. */
export function openKernels(input: EngineInput, profile: Profile): { kernels: Kernels; banks: Kernels[] } {
  const open = (memory: WebAssembly.Memory) => {
    const kernels = instantiateBackend(input.backend, KernelMemory.over(memory));
    return input.profiled ? profiledKernels(kernels, profile) : kernels;
  };
  return { kernels: open(input.memory), banks: input.banks.map(open) };
}
