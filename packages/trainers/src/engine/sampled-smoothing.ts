import type { Address, Kernels } from "@logq/kernels";
import type { CandidateSpace } from "./candidate-space.js";
import type { RowMatrix } from "./shared-candidates.js";
import type { EngineSpec } from "./spec.js";

/**
 * Label smoothing under sampling takes uniform[r]·weight[c] off the gradient of row r by candidate c. That is a product of two vectors, so it goes into
 * dH and dW as sums of class rows and of rows of H, and never into the tile, which is relative to the rows' factors.
 */
export class SampledSmoothing {
  readonly #kernels: Kernels;
  readonly #spec: EngineSpec;
  readonly #space: CandidateSpace;
  /** A worker's own, (D) */
  readonly #sum: Address;

  constructor(kernels: Kernels, spec: EngineSpec, space: CandidateSpace, sum: Address) {
    this.#kernels = kernels;
    this.#spec = spec;
    this.#space = space;
    this.#sum = sum;
  }

  /** out (R, ldOut), rows of dH from `first` on, less uniform[r]·Σ_c weight[c]·w_c over the C candidates of the panel. */
  subtractFromHidden(first: number, R: number, C: number, out: Address, ldOut: number): void {
    const { vector, memory } = this.#kernels;
    const { ld, D } = this.#spec.table;
    const { panel, weight, uniform } = this.#space;
    vector.fill(this.#sum, 0, D);
    for (let c = 0; c < C; c++) vector.addScaled(this.#sum, panel + 4 * ld * c, memory.f32[(weight >>> 2) + c], D);
    for (let r = 0; r < R; r++)
      vector.addScaled(out + 4 * ldOut * r, this.#sum, -memory.f32[(uniform >>> 2) + first + r], D);
  }

  /** out (count, ld) and outBias (count) of candidates from `first` on, less weight[c]·Σ_r uniform[r]·h_r and weight[c]·Σ_r uniform[r]. */
  subtractFromClasses(
    first: number,
    count: number,
    batchRows: number,
    hidden: RowMatrix,
    out: Address,
    outBias: Address,
  ): void {
    const { vector, memory } = this.#kernels;
    const { f32 } = memory;
    const { ld, D } = this.#spec.table;
    const weight = (this.#space.weight >>> 2) + first;
    const uniform = this.#space.uniform >>> 2;
    vector.fill(this.#sum, 0, D);
    let total = 0;
    for (let r = 0; r < batchRows; r++) {
      vector.addScaled(this.#sum, hidden.address + 4 * hidden.ld * r, f32[uniform + r], D);
      total += f32[uniform + r];
    }
    for (let c = 0; c < count; c++) vector.addScaled(out + 4 * ld * c, this.#sum, -f32[weight + c], D);
    if (!this.#spec.bias) return;
    for (let c = 0; c < count; c++) f32[(outBias >>> 2) + c] -= total * f32[weight + c];
  }
}
