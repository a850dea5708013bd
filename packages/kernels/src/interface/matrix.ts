import type { Address } from "../memory.js";

/**
 * The three matrix products of a softmax layer, as one product with a packed right operand:
 *
 *     out (M, N) = left (M, K) · right (K, N)
 *
 * | product | left | right | M, K, N |
 * |---|---|---|---|
 * | logits Z (C, R) = W · Hᵀ | W, rows contiguous | packRightTransposed(H) | C, D, R |
 * | class gradients dW (C, D) = G · H | G, rows contiguous | packRight(H) | C, R, D |
 * | hidden gradients dH (R, D) = Gᵀ · W | G read with rowStride 1, columnStride ld | packRight(W) | R, C, D |
 *
 * A tile of logits is stored [class][row of the batch], so that a softmax runs along vectors of the batch and no product needs a
 * transposed copy of W. Strides and leading dimensions are in elements, not bytes. All operands are float32.
 */
export interface MatrixKernels {
  /** Bytes to reserve for a packed right operand (K, N). Addresses of packed operands are multiples of 16. */
  packedBytes(K: number, N: number): number;

  /** Packs right (K, N), stored row-major at `source` with leading dimension `ld` >= N. `source` must not change until the last product with it. */
  packRight(packed: Address, source: Address, ld: number, K: number, N: number): void;

  /** The same for a right operand whose transpose (N, K) is stored row-major at `source` with leading dimension `ld` >= K. */
  packRightTransposed(packed: Address, source: Address, ld: number, K: number, N: number): void;

  /**
   * Where the columns from `column` on, a multiple of 32, of a packed operand with K rows lie. So an operand may be packed in parts, by several
   * threads: `packRightTransposed(packedColumn(packed, K, j), source + rows from j on, …)`. All parts must come from one matrix.
   */
  packedColumn(packed: Address, K: number, column: number): Address;

  /**
   * out[m·ldOut + j] = (accumulate ? out : 0) + Σ_k left[m·rowStride + k·columnStride] · right[k][j], for m < M, j < N.
   * Writes exactly M x N elements. K = 0 gives zeros (or leaves out as it is when accumulating).
   * The sum over k is in a fixed order that depends on the shapes alone.
   */
  multiply(
    out: Address,
    ldOut: number,
    left: Address,
    rowStride: number,
    columnStride: number,
    packed: Address,
    M: number,
    K: number,
    N: number,
    accumulate: boolean,
  ): void;

  /**
   * `multiply` with a right operand (K, N) where it lies, rows `ldRight` apart, for one that is used too seldom to be packed: the same sums, bit for
   * bit. Absent where a back-end needs packed operands.
   */
  readonly multiplyUnpacked?: (
    out: Address,
    ldOut: number,
    left: Address,
    rowStride: number,
    columnStride: number,
    right: Address,
    ldRight: number,
    M: number,
    K: number,
    N: number,
    accumulate: boolean,
  ) => void;

  /**
   * A sum of products whose left operands have contiguous rows: with segments s = 0 … segments − 1,
   *
   *     out[m·ldOut + j] = (accumulate ? out : 0) + Σ_s Σ_k left[s·leftStep + m·rowStride + k] · right_s[k][j]
   *
   * right_s being a packed operand (K, N) that begins `packedStep` bytes behind right_{s−1}. So gradients are summed over tiles of a batch in
   * registers, where one product after the other would read and write `out` each time. leftStep >= K; packedStep >= packedBytes(K, N).
   */
  multiplySum(
    out: Address,
    ldOut: number,
    left: Address,
    rowStride: number,
    leftStep: number,
    packed: Address,
    packedStep: number,
    M: number,
    K: number,
    N: number,
    segments: number,
    accumulate: boolean,
  ): void;
}
