import type { Kernels } from "@logq/kernels";
import type { KernelSizes } from "../src/kernels/groups.js";
import { type CreateKernels, createKernels } from "../src/kernels/kernel-group.js";
import type { SamplerSizes } from "../src/samplers.js";
import type { StepShape } from "../src/step.js";

/** Sizes that are through in a moment, ragged where blocks end. */
export const SMALL_KERNELS: KernelSizes = {
  B: 40,
  S: 131,
  widths: [8, 13],
  vector: 1000,
  tables: [4000],
  sorted: [300],
  pairs: { T: 5, C: 7 },
  ranked: 300,
};

export const SMALL_SAMPLERS: SamplerSizes = { classes: [2000], S: 256 };

export const SMALL_LOSSES = { C: 37, R: 10 };

const step = { n: 300, B: 16, D: 8, S: 32 };

export const SMALL_STEPS: readonly StepShape[] = [
  { ...step, loss: "full-softmax", reference: false },
  { ...step, loss: "sampled-softmax", reference: true },
];

type Part = "matrix" | "tile" | "rows" | "optimizer" | "vector" | "indices" | "draws";

/** Back-ends in which one kernel does what `replace` makes of it. */
export function brokenKernels<P extends Part, F extends keyof Kernels[P]>(
  part: P,
  name: F,
  replace: (kernel: Kernels[P][F], kernels: Kernels) => Kernels[P][F],
): CreateKernels {
  return async (backend, memory) => {
    const kernels = await createKernels(backend, memory);
    const sound = kernels[part];
    return { ...kernels, [part]: { ...sound, [name]: replace(sound[name], kernels) } };
  };
}
