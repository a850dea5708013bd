import { STREAM } from "@logq/core";
import type { Address, Kernels } from "@logq/kernels";
import { KernelUniforms } from "../uniforms.js";
import type { ContextualRequest } from "./types.js";

/**
 * The uniforms of some draws of a row in ascending order, and which draw each belongs to. Draw j of a row has uniform j of the address
 * (rowCandidates, step, item = row + 1): it does not depend on S, nor on how draws are parted.
 */
export class SortedUniforms {
  /** Ascending, in [0, 1). Whoever takes them may change them. */
  readonly values: Float64Array;
  /** values[i] is the uniform of draw order[i] of the part. */
  readonly order: Int32Array;
  readonly #starts: Int32Array;
  readonly #uniforms: KernelUniforms;

  /**
   * @param most the most draws of a part; even, at most twice CHUNK_PAIRS
   * @param place UNIFORMS_BYTES on a multiple of 8
   */
  constructor(most: number, kernels: Kernels, place: Address) {
    this.#uniforms = new KernelUniforms(kernels, place);
    this.values = new Float64Array(most);
    this.order = new Int32Array(most);
    this.#starts = new Int32Array(most + 1);
  }

  address({ key, step }: ContextualRequest, row: number): void {
    this.#uniforms.address(key, STREAM.rowCandidates, step, row + 1);
  }

  /** Uniforms of draws [first, first + count); first is even. Sorted by buckets: expected time proportional to count. */
  fill(first: number, count: number): void {
    const { values, order } = this;
    const starts = this.#starts.fill(0, 0, count + 1);
    const { pairs } = this.#uniforms;
    this.#uniforms.fill(first / 2, Math.ceil(count / 2));
    for (let j = 0; j < count; j++) starts[Math.floor(pairs[j] * count) + 1]++;
    for (let bucket = 0; bucket < count; bucket++) starts[bucket + 1] += starts[bucket];
    for (let j = 0; j < count; j++) {
      const at = starts[Math.floor(pairs[j] * count)]++;
      values[at] = pairs[j];
      order[at] = j;
    }
    for (let i = 1; i < count; i++) {
      const value = values[i];
      const draw = order[i];
      let at = i;
      for (; at > 0 && values[at - 1] > value; at--) {
        values[at] = values[at - 1];
        order[at] = order[at - 1];
      }
      values[at] = value;
      order[at] = draw;
    }
  }
}
