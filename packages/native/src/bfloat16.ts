import { type KernelMemory, type MatrixKernels, sumOfProducts } from "@logq/kernels";
import type { Bind, BoundKernel } from "./bind.js";
import { FIRST_WORD } from "./generate/arguments.js";
import { BLOCK_K, BLOCK_ROWS, CHUNK, LINES_AT_ONCE, PAIR_BYTES, PANEL_COLUMNS } from "./generate/bfloat16/layout.js";
import { PACK_ARGUMENT } from "./generate/bfloat16/pack.js";
import { ARGUMENT } from "./generate/bfloat16/shared.js";
import type { Bfloat16KernelName } from "./generate/program.js";

/** Bytes of a panel for each step of k. */
const STEP_BYTES = PAIR_BYTES / 2;

const wholeChunks = (K: number) => CHUNK * Math.ceil(K / CHUNK);

/** As many bits as a part of 32 has elements, for those of `count` that do not fill one; 0 if all do. */
const restMask = (count: number) => 2 ** (count % 32) - 1;

/** Lines that are asked for with each chunk, at most: the processor remembers few at a time. */
const MOST_AHEAD = 32;

/**
 * Lines of the left operand that are asked for with each chunk of each panel, so that a block of rows is there when its turn comes. None where that would
 * be more than it helps to ask for, or rows are so far apart that most lines would be for nothing.
 */
function linesAhead(rowStride: number, K: number, N: number): number {
  if (rowStride > 2 * K) return 0;
  const chunks = Math.ceil(K / CHUNK) * Math.ceil(N / PANEL_COLUMNS);
  const lines = LINES_AT_ONCE * Math.ceil((4 * BLOCK_ROWS * rowStride) / 64 / chunks / LINES_AT_ONCE);
  return lines <= MOST_AHEAD ? lines : 0;
}

/** Places of arguments among a kernel's words. */
const word = (argument: number) => FIRST_WORD + argument;

/** The matrix products with operands rounded to bfloat16, over one memory. */
export function nativeBfloat16Matrix(memory: KernelMemory, bind: Bind<Bfloat16KernelName>): MatrixKernels {
  const product = bind("bfloat16Multiply");
  const pack = bind("bfloat16PackRight");
  const packTransposed = bind("bfloat16PackRightTransposed");
  const { f32 } = memory;
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
      if (!accumulate) for (let i = 0; i < M; i++) f32.fill(0, (out >>> 2) + i * ldOut, (out >>> 2) + i * ldOut + N);
    } else if (columnStride === 1 || rowStride === 1) {
      runProduct(product, out, ldOut, left, rowStride, columnStride, packed, M, K, N, accumulate);
    } else {
      // Neither way is contiguous: each row is the only one of a matrix whose columns are.
      for (let m = 0; m < M; m++) {
        const [to, row] = [out + 4 * m * ldOut, left + 4 * m * rowStride];
        runProduct(product, to, ldOut, row, 1, columnStride, packed, 1, K, N, accumulate);
      }
    }
  };
  const oneByOne = sumOfProducts(multiply);

  return {
    packedBytes: (K, N) => STEP_BYTES * wholeChunks(K) * Math.ceil(N / PANEL_COLUMNS),
    packRight: (packed, source, ld, K, N) => runPack(pack, packed, source, ld, K, N),
    packRightTransposed: (packed, source, ld, K, N) => runPack(packTransposed, packed, source, ld, K, N),
    packedColumn: (packed, K, column) => packed + STEP_BYTES * wholeChunks(K) * (column / PANEL_COLUMNS),
    multiply,

    multiplySum(out, ldOut, left, rowStride, leftStep, packed, packedStep, M, K, N, segments, accumulate) {
      const [few, whole] = [segments < 2, K > 0 && K <= BLOCK_K];
      if (few || !whole || M === 0 || N === 0)
        oneByOne(out, ldOut, left, rowStride, leftStep, packed, packedStep, M, K, N, segments, accumulate);
      else runSum(product, out, ldOut, left, rowStride, leftStep, packed, packedStep, M, K, N, segments, accumulate);
    },
  };
}

function runPack({ words, run }: BoundKernel, packed: number, source: number, ld: number, K: number, N: number): void {
  words[word(PACK_ARGUMENT.packed)] = packed;
  words[word(PACK_ARGUMENT.source)] = source;
  words[word(PACK_ARGUMENT.ld)] = 4 * ld;
  words[word(PACK_ARGUMENT.K)] = K;
  words[word(PACK_ARGUMENT.N)] = N;
  words[word(PACK_ARGUMENT.kMask)] = restMask(K);
  words[word(PACK_ARGUMENT.columnMask)] = restMask(N);
  run();
}

/** What is the same for all blocks of K, and all segments. */
function tellSizes(
  { words }: BoundKernel,
  ldOut: number,
  rowStride: number,
  columnStride: number,
  M: number,
  K: number,
  N: number,
): void {
  words[word(ARGUMENT.ldOut)] = 4 * ldOut;
  words[word(ARGUMENT.rowStride)] = 4 * rowStride;
  words[word(ARGUMENT.columnStride)] = 4 * columnStride;
  words[word(ARGUMENT.M)] = M;
  words[word(ARGUMENT.N)] = N;
  words[word(ARGUMENT.columnMask)] = restMask(N);
  words[word(ARGUMENT.panelBytes)] = STEP_BYTES * wholeChunks(K);
  words[word(ARGUMENT.turned)] = columnStride === 1 ? 0 : 1;
}

/** Steps of k of each segment that a call takes. */
function tellSteps({ words }: BoundKernel, steps: number): void {
  words[word(ARGUMENT.wholeChunks)] = Math.floor(steps / CHUNK);
  words[word(ARGUMENT.kRest)] = steps % CHUNK;
  words[word(ARGUMENT.kMask)] = restMask(steps);
  words[word(ARGUMENT.chunks)] = Math.ceil(steps / CHUNK);
}

/** All of K in as many blocks as it takes, one after another onto the same sums. */
function runProduct(
  product: BoundKernel,
  out: number,
  ldOut: number,
  left: number,
  rowStride: number,
  columnStride: number,
  packed: number,
  M: number,
  K: number,
  N: number,
  accumulate: boolean,
): void {
  const { words } = product;
  tellSizes(product, ldOut, rowStride, columnStride, M, K, N);
  words[word(ARGUMENT.linesAhead)] = columnStride === 1 ? linesAhead(rowStride, K, N) : 0;
  words[word(ARGUMENT.segments)] = 1;
  words[word(ARGUMENT.out)] = out;
  const depth = wholeChunks(K / Math.ceil(K / BLOCK_K));
  for (let k = 0; k < K; k += depth) {
    tellSteps(product, Math.min(depth, K - k));
    words[word(ARGUMENT.left)] = left + 4 * k * columnStride;
    words[word(ARGUMENT.packed)] = packed + STEP_BYTES * k;
    words[word(ARGUMENT.accumulate)] = accumulate || k > 0 ? 1 : 0;
    product.run();
  }
}

/** Sums of segments that a block holds as a whole, as many as it does at a time. */
function runSum(
  product: BoundKernel,
  out: number,
  ldOut: number,
  left: number,
  rowStride: number,
  leftStep: number,
  packed: number,
  packedStep: number,
  M: number,
  K: number,
  N: number,
  segments: number,
  accumulate: boolean,
): void {
  const { words } = product;
  tellSizes(product, ldOut, rowStride, 1, M, K, N);
  tellSteps(product, K);
  // Each row is in several places: the processor is left to find the next ones.
  words[word(ARGUMENT.linesAhead)] = 0;
  words[word(ARGUMENT.leftStep)] = 4 * leftStep;
  words[word(ARGUMENT.packedGap)] = packedStep - STEP_BYTES * wholeChunks(K);
  words[word(ARGUMENT.out)] = out;
  const most = Math.floor(BLOCK_K / wholeChunks(K));
  for (let first = 0; first < segments; first += most) {
    words[word(ARGUMENT.segments)] = Math.min(most, segments - first);
    words[word(ARGUMENT.left)] = left + 4 * leftStep * first;
    words[word(ARGUMENT.packed)] = packed + packedStep * first;
    words[word(ARGUMENT.accumulate)] = accumulate || first > 0 ? 1 : 0;
    product.run();
  }
}
