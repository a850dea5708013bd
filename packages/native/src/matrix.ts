import type { KernelMemory, MatrixKernels } from "@logq/kernels";
import type { BoundKernel } from "./bind.js";
import { TILE } from "./generate/multiply.js";
import type { InstructionSet } from "./generate/vectors.js";

/** Steps of k in a block: with as many columns as a block has, 256 KiB of the second-level cache. */
const BLOCK_K = 384;
const BLOCK_COLUMNS = 256;

/** Lines that are asked for at once, at most: the processor remembers few at a time. */
const MOST_AHEAD = 12;

/** Lines of the left operand that are asked for with each panel, so that a tile of rows is there when its turn comes. */
function linesAhead(tileBytes: number, panels: number): number {
  return Math.min(MOST_AHEAD, Math.ceil(tileBytes / 64 / panels));
}

/** The matrix products, over one memory. */
export function nativeMatrix(
  memory: KernelMemory,
  set: InstructionSet,
  bind: (name: "multiply" | "packRight" | "packRightTransposed") => BoundKernel,
): MatrixKernels {
  const { columns } = TILE[set];
  const multiply = bind("multiply");
  const pack = bind("packRight");
  const packTransposed = bind("packRightTransposed");
  const { words: m } = multiply;
  const { f32 } = memory;

  const runPack = ({ words, run }: BoundKernel, packed: number, source: number, ld: number, K: number, N: number) => {
    words[2] = packed;
    words[3] = source;
    words[4] = 4 * ld;
    words[5] = K;
    words[6] = N;
    run();
  };

  return {
    packedBytes: (K, N) => 4 * K * columns * Math.ceil(N / columns),
    packRight: (packed, source, ld, K, N) => runPack(pack, packed, source, ld, K, N),
    packRightTransposed: (packed, source, ld, K, N) => runPack(packTransposed, packed, source, ld, K, N),
    packedColumn: (packed, K, column) => packed + 4 * K * column,

    multiply(out, ldOut, left, rowStride, columnStride, packed, M, K, N, accumulate) {
      if (M === 0 || N === 0) return;
      if (K === 0) {
        if (!accumulate) for (let i = 0; i < M; i++) f32.fill(0, (out >>> 2) + i * ldOut, (out >>> 2) + i * ldOut + N);
        return;
      }
      m[3] = 4 * ldOut;
      m[5] = 4 * rowStride;
      m[6] = 4 * columnStride;
      m[8] = M;
      m[11] = 4 * K * columns;
      m[13] = columnStride === 1 ? linesAhead(4 * TILE[set].rows * rowStride, Math.ceil(N / columns)) : 0;
      const blocks = Math.ceil(K / BLOCK_K);
      const depth = Math.ceil(K / blocks);
      for (let k = 0; k < K; k += depth) {
        m[9] = Math.min(depth, K - k);
        m[12] = accumulate || k > 0 ? 1 : 0;
        m[4] = left + 4 * k * columnStride;
        for (let column = 0; column < N; column += BLOCK_COLUMNS) {
          m[2] = out + 4 * column;
          m[7] = packed + 4 * (column * K + k * columns);
          m[10] = Math.min(BLOCK_COLUMNS, N - column);
          multiply.run();
        }
      }
    },
  };
}
