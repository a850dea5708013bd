import type { MatrixKernels } from "../interface/matrix.js";
import type { KernelMemory } from "../memory.js";
import { sumOfProducts } from "../sum-of-products.js";

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The bfloat16 nearest to a float32, ties to even, as a number. Too large ones become infinite, a NaN stays one. */
function nearestBfloat16(value: number): number {
  float[0] = value;
  const word = bits[0]!;
  if ((word & 0x7fffffff) > 0x7f800000) return Number.NaN;
  bits[0] = (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000;
  return float[0]!;
}

/**
 * Matrix products of operands rounded to bfloat16, summed in float32 along k. A packed right operand is its transpose, (N, K) row-major without padding,
 * rounded but stored as float32.
 */
export function referenceBfloat16Matrix({ f32 }: KernelMemory): MatrixKernels {
  const multiply: MatrixKernels["multiply"] = (
    out,
    ldOut,
    left,
    rowStride,
    columnStride,
    packed,
    M,
    K,
    N,
    accumulate,
  ) => {
    const row = new Float32Array(K);
    for (let m = 0; m < M; m++) {
      const from = (left >>> 2) + m * rowStride;
      for (let k = 0; k < K; k++) row[k] = nearestBfloat16(f32[from + k * columnStride]!);
      for (let j = 0; j < N; j++) {
        const column = (packed >>> 2) + j * K;
        const at = (out >>> 2) + m * ldOut + j;
        let sum = accumulate ? f32[at]! : 0;
        for (let k = 0; k < K; k++) sum = Math.fround(sum + row[k]! * f32[column + k]!);
        f32[at] = sum;
      }
    }
  };

  return {
    packedBytes: (K, N) => 4 * K * N,

    packRight(packed, source, ld, K, N) {
      const to = packed >>> 2;
      const from = source >>> 2;
      for (let j = 0; j < N; j++) {
        for (let k = 0; k < K; k++) f32[to + j * K + k] = nearestBfloat16(f32[from + k * ld + j]!);
      }
    },

    packRightTransposed(packed, source, ld, K, N) {
      const to = packed >>> 2;
      const from = source >>> 2;
      for (let j = 0; j < N; j++) {
        for (let k = 0; k < K; k++) f32[to + j * K + k] = nearestBfloat16(f32[from + j * ld + k]!);
      }
    },

    packedColumn: (packed, K, column) => packed + 4 * K * column,

    multiply,
    multiplySum: sumOfProducts(multiply),
  };
}
