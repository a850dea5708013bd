import type { MatrixKernels } from "../interface/matrix.js";
import type { Address, KernelMemory } from "../memory.js";
import { sumOfProducts } from "../sum-of-products.js";

/**
 * Matrix products in float64. A packed right operand is its transpose, (N, K) row-major without padding, so that the inner loop reads
 * one line.
 */
export function referenceMatrix({ f32 }: KernelMemory): MatrixKernels {
  /** The right operand's element (k, j) is at right + k·stepK + j·stepJ, in elements. */
  const product = (
    out: Address,
    ldOut: number,
    left: Address,
    rowStride: number,
    columnStride: number,
    [right, stepK, stepJ]: readonly [Address, number, number],
    M: number,
    K: number,
    N: number,
    accumulate: boolean,
  ) => {
    for (let m = 0; m < M; m++) {
      const row = (left >>> 2) + m * rowStride;
      for (let j = 0; j < N; j++) {
        const column = (right >>> 2) + j * stepJ;
        const at = (out >>> 2) + m * ldOut + j;
        let sum = accumulate ? f32[at]! : 0;
        for (let k = 0; k < K; k++) sum += f32[row + k * columnStride]! * f32[column + k * stepK]!;
        f32[at] = sum;
      }
    }
  };

  const multiply: MatrixKernels["multiply"] = (out, ldOut, left, rows, columns, packed, M, K, N, accumulate) =>
    product(out, ldOut, left, rows, columns, [packed, 1, K], M, K, N, accumulate);

  return {
    packedBytes: (K, N) => 4 * K * N,

    packRight(packed, source, ld, K, N) {
      const to = packed >>> 2;
      const from = source >>> 2;
      for (let j = 0; j < N; j++) {
        for (let k = 0; k < K; k++) f32[to + j * K + k] = f32[from + k * ld + j]!;
      }
    },

    packRightTransposed(packed, source, ld, K, N) {
      const to = packed >>> 2;
      const from = source >>> 2;
      for (let j = 0; j < N; j++) {
        for (let k = 0; k < K; k++) f32[to + j * K + k] = f32[from + j * ld + k]!;
      }
    },

    packedColumn: (packed, K, column) => packed + 4 * K * column,

    multiply,
    multiplyUnpacked: (out, ldOut, left, rows, columns, right, ldRight, M, K, N, accumulate) =>
      product(out, ldOut, left, rows, columns, [right, ldRight, 1], M, K, N, accumulate),
    multiplySum: sumOfProducts(multiply),
  };
}
