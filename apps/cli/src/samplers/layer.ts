import type { Key } from "@logq/core";

/** The output layer that proposals are measured on: real contexts and their targets, and all logits of each. Nobody writes to it. */
export interface Layer {
  readonly n: number;
  readonly D: number;
  /** (n, D), at length 1 each if logits are cosines. */
  readonly rows: Float32Array;
  /** (n); undefined: classes have none. */
  readonly biases: Float32Array | undefined;
  /** 1/τ */
  readonly scale: number;
  /** (n), above 0: how often each class is a target in the training part, at least 0.1. */
  readonly counts: Float64Array;
  /** (contexts, D), at length 1 each if logits are cosines. */
  readonly hidden: Float32Array;
  /** (contexts) */
  readonly targets: Int32Array;
  /** log softmax of each context (n), natural, float64. */
  readonly logSoftmax: readonly Float64Array[];
  /** Of all draws, and of what is random in stored structures. */
  readonly key: Key;
}

/** log softmax(scale·(⟨h, w⟩ + b)) of every class, in float64. @param h (D) */
export function logSoftmaxOf(
  layer: Pick<Layer, "n" | "D" | "rows" | "biases" | "scale">,
  h: Float32Array,
): Float64Array {
  const { n, D, rows, biases, scale } = layer;
  const logits = new Float64Array(n);
  let greatest = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < n; id++) {
    let z = biases === undefined ? 0 : biases[id]!;
    for (let d = 0, at = id * D; d < D; d++, at++) z += h[d]! * rows[at]!;
    logits[id] = scale * z;
    greatest = Math.max(greatest, logits[id]!);
  }
  let sum = 0;
  for (let id = 0; id < n; id++) sum += Math.exp(logits[id]! - greatest);
  const logSum = greatest + Math.log(sum);
  for (let id = 0; id < n; id++) logits[id]! -= logSum;
  return logits;
}

/** Brings each row (D) of a table to length 1; a row shorter than 1e-6 is divided by 1e-6, as in training. */
export function normaliseRows(table: Float32Array, D: number): void {
  for (let from = 0; from < table.length; from += D) {
    let squares = 0;
    for (let d = 0; d < D; d++) squares += table[from + d]! ** 2;
    const factor = 1 / Math.max(Math.sqrt(squares), 1e-6);
    for (let d = 0; d < D; d++) table[from + d]! *= factor;
  }
}
