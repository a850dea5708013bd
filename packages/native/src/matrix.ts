import type { KernelMemory, MatrixKernels } from "@logq/kernels";
import type { BoundKernel } from "./bind.js";
import { aheadBytes, aheadStep, RIGHT_STEPS_AHEAD, TILE } from "./generate/multiply.js";
import type { InstructionSet } from "./generate/vectors.js";

/** Steps of k in a block: with as many columns as a block has, 256 KiB of the second-level cache. */
const BLOCK_K = 384;
const BLOCK_COLUMNS = 256;

/** A right operand: packed in panels of as many columns as a tile has, or rows where they lie. */
interface RightOperand {
  readonly address: number;
  /** Bytes from row to row, and from the columns of one tile to those of the next. */
  readonly rowBytes: number;
  readonly panelBytes: number;
}

/** `MatrixKernels.multiply` with a right operand of either kind. */
type Product = (
  out: number,
  ldOut: number,
  left: number,
  rowStride: number,
  columnStride: number,
  right: RightOperand,
  M: number,
  K: number,
  N: number,
  accumulate: boolean,
) => void;

/** The matrix products, over one memory. */
export function nativeMatrix(
  memory: KernelMemory,
  set: InstructionSet,
  bind: (name: "multiplyRows" | "multiplyColumns" | "packRight" | "packRightTransposed") => BoundKernel,
): MatrixKernels {
  const { columns } = TILE[set];
  const byRows = bind("multiplyRows");
  const byColumns = bind("multiplyColumns");
  const pack = bind("packRight");
  const packTransposed = bind("packRightTransposed");
  const { f32 } = memory;

  const runPack = ({ words, run }: BoundKernel, packed: number, source: number, ld: number, K: number, N: number) => {
    words[2] = packed;
    words[3] = source;
    words[4] = 4 * ld;
    words[5] = K;
    words[6] = N;
    run();
  };

  const packedRight = (address: number, K: number): RightOperand => ({
    address,
    rowBytes: 4 * columns,
    panelBytes: 4 * K * columns,
  });

  /** The product that a form's arguments describe, but for what is said here; as many columns at a time as the second-level cache holds. */
  const run = (form: BoundKernel, out: number, right: RightOperand, M: number, K: number, N: number) => {
    const { words: m } = form;
    m[9] = K;
    m[11] = right.rowBytes;
    m[12] = right.panelBytes;
    for (let column = 0; column < N; column += BLOCK_COLUMNS) {
      m[2] = out + 4 * column;
      m[7] = right.address + (column / columns) * right.panelBytes;
      m[8] = M;
      m[10] = Math.min(BLOCK_COLUMNS, N - column);
      m[17] = aheadStep(set, m[10]);
      m[19] = aheadBytes(set, K, m[10]);
      form.run();
    }
  };

  const clear = (out: number, ldOut: number, M: number, N: number) => {
    for (let i = 0; i < M; i++) f32.fill(0, (out >>> 2) + i * ldOut, (out >>> 2) + i * ldOut + N);
  };

  /** The rows of `left` are contiguous, or its columns are. As many steps of k at a time as the second-level cache holds. */
  const multiplyContiguous: Product = (out, ldOut, left, rowStride, columnStride, right, M, K, N, accumulate) => {
    const form = columnStride === 1 ? byRows : byColumns;
    const { words: m } = form;
    m[3] = 4 * ldOut;
    m[5] = 4 * rowStride;
    m[6] = 4 * columnStride;
    m[14] = 1;
    m[20] = RIGHT_STEPS_AHEAD * right.rowBytes;
    const depth = Math.ceil(K / Math.ceil(K / BLOCK_K));
    for (let k = 0; k < K; k += depth) {
      m[13] = accumulate || k > 0 ? 1 : 0;
      m[4] = left + 4 * k * columnStride;
      const part = k === 0 ? right : { ...right, address: right.address + k * right.rowBytes };
      run(form, out, part, M, Math.min(depth, K - k), N);
    }
  };

  const multiply: Product = (out, ldOut, left, rowStride, columnStride, right, M, K, N, accumulate) => {
    if (M === 0 || N === 0) return;
    if (K === 0) {
      if (!accumulate) clear(out, ldOut, M, N);
    } else if (rowStride === 1 || columnStride === 1) {
      multiplyContiguous(out, ldOut, left, rowStride, columnStride, right, M, K, N, accumulate);
    } else {
      // Neither way is contiguous: each row is a column of one element a step.
      for (let i = 0; i < M; i++) {
        const [outRow, row] = [out + 4 * i * ldOut, left + 4 * i * rowStride];
        multiplyContiguous(outRow, ldOut, row, 1, columnStride, right, 1, K, N, accumulate);
      }
    }
  };

  return {
    packedBytes: (K, N) => 4 * K * columns * Math.ceil(N / columns),
    packRight: (packed, source, ld, K, N) => runPack(pack, packed, source, ld, K, N),
    packRightTransposed: (packed, source, ld, K, N) => runPack(packTransposed, packed, source, ld, K, N),
    packedColumn: (packed, K, column) => packed + 4 * K * column,

    multiply(out, ldOut, left, rowStride, columnStride, packed, M, K, N, accumulate) {
      multiply(out, ldOut, left, rowStride, columnStride, packedRight(packed, K), M, K, N, accumulate);
    },

    multiplyUnpacked(out, ldOut, left, rowStride, columnStride, right, ldRight, M, K, N, accumulate) {
      const operand = { address: right, rowBytes: 4 * ldRight, panelBytes: 4 * columns };
      multiply(out, ldOut, left, rowStride, columnStride, operand, M, K, N, accumulate);
    },

    multiplySum(out, ldOut, left, rowStride, leftStep, packed, packedStep, M, K, N, segments, accumulate) {
      if (M === 0 || N === 0) return;
      if (K === 0 || segments === 0) {
        if (!accumulate) clear(out, ldOut, M, N);
        return;
      }
      const { words: m } = byRows;
      const most = Math.max(1, Math.floor(BLOCK_K / K));
      m[3] = 4 * ldOut;
      m[5] = 4 * rowStride;
      m[15] = 4 * (leftStep - K);
      m[16] = packedStep - 4 * K * columns;
      for (let first = 0; first < segments; first += most) {
        m[4] = left + 4 * leftStep * first;
        m[13] = accumulate || first > 0 ? 1 : 0;
        m[14] = Math.min(most, segments - first);
        run(byRows, out, packedRight(packed + packedStep * first, K), M, K, N);
      }
    },
  };
}
