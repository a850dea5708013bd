import { type KernelMemory, type MatrixKernels, sumOfProducts } from "@logq/kernels";
import type { BlasLibrary } from "./library.js";

const ROW_MAJOR = 101;
const AS_IT_LIES = 111;
const TRANSPOSED = 112;

/** Words of a packed operand: where the matrix lies, its leading dimension, whether it is the transpose. */
const DESCRIPTOR_BYTES = 16;

/** Columns of the smallest part that may be packed alone; each has room for a descriptor, and the first one tells of all. */
const PART = 32;

/**
 * Matrix products by sgemm, on the memory itself: nothing is copied. Packing only notes where the right operand lies, as the contract allows
 * (the source does not change before the last product with it); sgemm packs on its own.
 */
export function blasMatrix(memory: KernelMemory, library: BlasLibrary): MatrixKernels {
  const base = library.addressOf(memory.u8);
  const { u32, f32 } = memory;
  const { sgemm } = library;

  const describe = (packed: number, source: number, ld: number, operation: number): void => {
    const at = packed >>> 2;
    u32[at] = source;
    u32[at + 1] = ld;
    u32[at + 2] = operation;
  };

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
    if (M === 0 || N === 0) return;
    if (K === 0) {
      if (!accumulate) for (let m = 0; m < M; m++) f32.fill(0, (out >>> 2) + m * ldOut, (out >>> 2) + m * ldOut + N);
      return;
    }
    const at = packed >>> 2;
    const right = base + u32[at]!;
    const operation = u32[at + 2]!;
    // A leading dimension that is never stepped by (a single row) may be anything, but BLAS wants it as long as a row.
    const ldRight = Math.max(u32[at + 1]!, operation === TRANSPOSED ? K : N);
    const beta = accumulate ? 1 : 0;
    const to = base + out;
    if (columnStride === 1) {
      const lda = Math.max(rowStride, K);
      const a = base + left;
      sgemm(ROW_MAJOR, AS_IT_LIES, operation, M, N, K, 1, a, lda, right, ldRight, beta, to, Math.max(ldOut, N));
    } else if (rowStride === 1) {
      const lda = Math.max(columnStride, M);
      const a = base + left;
      sgemm(ROW_MAJOR, TRANSPOSED, operation, M, N, K, 1, a, lda, right, ldRight, beta, to, Math.max(ldOut, N));
    } else {
      // Neither way is contiguous: each row is the only column of a matrix (K, 1).
      for (let m = 0; m < M; m++) {
        const a = base + left + 4 * m * rowStride;
        const c = to + 4 * m * ldOut;
        sgemm(ROW_MAJOR, TRANSPOSED, operation, 1, N, K, 1, a, columnStride, right, ldRight, beta, c, N);
      }
    }
  };

  return {
    packedBytes: (_, N) => Math.max(1, Math.ceil(N / PART)) * DESCRIPTOR_BYTES,
    packRight: (packed, source, ld) => describe(packed, source, ld, AS_IT_LIES),
    packRightTransposed: (packed, source, ld) => describe(packed, source, ld, TRANSPOSED),

    packedColumn: (packed, _, column) => packed + (column / PART) * DESCRIPTOR_BYTES,

    multiply,
    multiplySum: sumOfProducts(multiply),
  };
}
