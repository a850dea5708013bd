import type { Address } from "../memory.js";

/**
 * Rows of tables: float32, D elements, `ld` elements apart. Index vectors are int32, in elements of rows (row i of a table starts at
 * table + 4·ld·i bytes; the product is taken modulo 2^32, so a table may reach up to 4 GiB).
 * Everything sums in the order the arguments give, so results depend on nothing else.
 */
export interface RowKernels {
  /** out[j] = table[indices[j]], j < count. Lines of coming rows are touched ahead. */
  gatherRows(
    out: Address,
    ldOut: number,
    table: Address,
    ldTable: number,
    indices: Address,
    count: number,
    D: number,
  ): void;

  /** table[indices[j]] = source[j], j < count. */
  scatterRows(
    table: Address,
    ldTable: number,
    indices: Address,
    source: Address,
    ldSource: number,
    count: number,
    D: number,
  ): void;

  /**
   * out[u] = (accumulate ? out[u] : 0) + Σ_{j = offsets[u]}^{offsets[u+1]−1} weights[j] · source[indices[j]], for u < count.
   * offsets (count + 1) int32 index into indices and weights as they are (offsets[0] need not be 0); weights 0: all ones.
   * Forward it is an embedding bag; backward it sums the gradients of a row's uses.
   */
  weightedRowSums(
    out: Address,
    ldOut: number,
    source: Address,
    ldSource: number,
    offsets: Address,
    indices: Address,
    weights: Address,
    count: number,
    D: number,
    accumulate: boolean,
  ): void;

  /** out[j] = a[aIndices[j]] · b[bIndices[j]], the dot product of two rows, j < count. An index vector of 0 means row j. */
  pairDots(
    out: Address,
    a: Address,
    ldA: number,
    aIndices: Address,
    b: Address,
    ldB: number,
    bIndices: Address,
    count: number,
    D: number,
  ): void;

  /** out[i] = factor[i] · source[i], factor (rows) float32. out may be source. */
  scaleRows(
    out: Address,
    ldOut: number,
    source: Address,
    ldSource: number,
    factor: Address,
    rows: number,
    D: number,
  ): void;

  /** norms[i] = max(‖source[i]‖₂, epsilon); out[i] = source[i] / norms[i]. out may be source. */
  normalizeRows(
    out: Address,
    ldOut: number,
    source: Address,
    ldSource: number,
    norms: Address,
    rows: number,
    D: number,
    epsilon: number,
  ): void;

  /** gradient[i] ← (gradient[i] − unit[i]·⟨unit[i], gradient[i]⟩) / norms[i]: from the unit vector back to the vector. */
  normalizeRowsBackward(
    gradient: Address,
    ld: number,
    unit: Address,
    ldUnit: number,
    norms: Address,
    rows: number,
    D: number,
  ): void;

  /** Σ of squares of a (rows, D) block, accumulated in float64. */
  sumOfSquares(source: Address, ld: number, rows: number, D: number): number;

  /** True if no element of a (rows, D) block is NaN or infinite. */
  allFinite(source: Address, ld: number, rows: number, D: number): boolean;
}
