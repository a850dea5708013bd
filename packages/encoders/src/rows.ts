import type { Address } from "@logq/kernels";

/**
 * Reads rows of an embedding table that lies outside the encoder's memory. Addresses are of the encoder's memory. The answers are, bit for
 * bit, those of the kernels on a table inside it.
 */
export interface EmbeddingRows {
  /** out[j] = row ids[j], j < count: `gatherRows` from the table. */
  gather(out: Address, ldOut: number, ids: Address, count: number): void;

  /**
   * out[u] = (accumulate ? out[u] : 0) + Σ_j weights[j] · row ids[j] over offsets[u] <= j < offsets[u + 1], u < count: `weightedRowSums` from
   * the table. weights may be 0.
   */
  weightedSums(
    out: Address,
    ldOut: number,
    offsets: Address,
    ids: Address,
    weights: Address,
    count: number,
    accumulate: boolean,
  ): void;
}
