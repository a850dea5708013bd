import { type Backend, instantiateBackend } from "@logq/blas";
import { instantiateKernels, KernelMemory, type Kernels } from "@logq/kernels";
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

/** The kernels of one thread: over the main memory, and over each bank in order. Banks need no matrix products. */
export function openKernels(input: EngineInput, profile: Profile): { kernels: Kernels; banks: Kernels[] } {
  const timed = (kernels: Kernels) => (input.profiled ? profiledKernels(kernels, profile) : kernels);
  return {
    kernels: timed(instantiateBackend(input.backend, KernelMemory.over(input.memory))),
    banks: input.banks.map((bank) => timed(instantiateKernels(input.backend.kernels, KernelMemory.over(bank)))),
  };
}
