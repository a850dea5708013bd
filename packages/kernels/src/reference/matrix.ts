import type { MatrixKernels } from "../interface/matrix.js";
import type { KernelMemory } from "../memory.js";

/**
 * Matrix products in float64. A packed right operand is its transpose, (N, K) row-major without padding, so that the inner loop reads
 * one line.
 */
export function referenceMatrix({ f32 }: KernelMemory): MatrixKernels {
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

    multiply(out, ldOut, left, rowStride, columnStride, packed, M, K, N, accumulate) {
      for (let m = 0; m < M; m++) {
        const row = (left >>> 2) + m * rowStride;
        for (let j = 0; j < N; j++) {
          const column = (packed >>> 2) + j * K;
          const at = (out >>> 2) + m * ldOut + j;
          let sum = accumulate ? f32[at]! : 0;
          for (let k = 0; k < K; k++) sum += f32[row + k * columnStride]! * f32[column + k]!;
          f32[at] = sum;
        }
      }
    },
  };
}
