import { BackendError } from "@logq/core";
import type { Kernels } from "@logq/kernels";
import type { EngineSpec } from "./spec.js";

/**
 * How a training step multiplies with the class table: in float32, or with operands rounded to bfloat16 and sums in float32, where the processor has
 * a unit for that. Tables, losses, updates, the encoder and every evaluation are float32 in both.
 */
export const PRODUCT_TYPES = ["float32", "bfloat16"] as const;
export type ProductType = (typeof PRODUCT_TYPES)[number];

/** The kernels of a training step over classes: the same but for its products. @throws BackendError if they cannot be had here */
export function trainingKernels(kernels: Kernels, spec: EngineSpec): Kernels {
  if (spec.training?.products !== "bfloat16") return kernels;
  const { bfloat16Matrix } = kernels;
  if (bfloat16Matrix === undefined) {
    throw new BackendError(
      `products in bfloat16 need the back-end native on a processor with AMX or AVX512_BF16, and this is ${kernels.name}: leave products at float32`,
      { products: "bfloat16", backend: kernels.name },
    );
  }
  return { ...kernels, matrix: bfloat16Matrix };
}

/** Bytes of a packed operand (K, N) that is either a training step's or an evaluation's. */
export function mostPackedBytes(kernels: Kernels, spec: EngineSpec, K: number, N: number): number {
  const { matrix } = trainingKernels(kernels, spec);
  return Math.max(kernels.matrix.packedBytes(K, N), matrix.packedBytes(K, N));
}
