import type { Address } from "../memory.js";

/** Elementwise functions and reductions over contiguous float32 vectors. Relative error bounds are stated by each implementation. */
export interface VectorKernels {
  /** out = e^x; out may be x. Relative error below 3e-7 on [−87, 88]; below −87.3 it is 0, above 88.7 +∞. */
  exp(out: Address, x: Address, count: number): void;
  /** out = σ(x) = 1/(1 + e^−x), relative error below 6e-7 wherever the result is a normal number. */
  sigmoid(out: Address, x: Address, count: number): void;
  /** out = log(1 + e^x), absolute error below 1e-6 · max(1, result). */
  softplus(out: Address, x: Address, count: number): void;
  /** log Σ e^x; −∞ for an empty vector. */
  logSumExpOf(x: Address, count: number): number;
  /** out = softmax(x); out may be x. */
  softmax(out: Address, x: Address, count: number): void;
  /** y ← y + a·x */
  addScaled(y: Address, x: Address, a: number, count: number): void;
  fill(out: Address, value: number, count: number): void;
  /** out ← source, an array of the caller's own: how numbers come into the memory. */
  copyIn(out: Address, source: Float32Array): void;
}
