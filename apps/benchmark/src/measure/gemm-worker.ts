import { parentPort, workerData } from "node:worker_threads";
import { type Backend, instantiateBackend } from "@logq/blas";
import { KernelMemory, type Kernels, MemoryPlan } from "@logq/kernels";

/** What a thread of the GEMM probe is given. */
export interface GemmTask {
  readonly backend: Backend;
  /** D */
  readonly dim: number;
}

/** One turn of all threads together. Times are milliseconds since the epoch. */
export interface GemmTurn {
  readonly start: number;
  readonly end: number;
}

/** Classes of a tile and rows of a block: the shapes that training uses. */
const C = 256;
const R = 32;
/** Tiles that take turns, so that class rows come from the second-level cache as they do in training. */
const TILES = 4;
const LARGEST_ERROR = 1e-4;
/** Milliseconds of a window; the best of a turn counts. Shorter than what a scheduler gives to others in one go. */
const WINDOW = 2;

const { backend, dim } = workerData as GemmTask;
const products = prepare(backend, dim);
const flops = 3 * 2 * C * R * dim;

parentPort!.on("message", ({ start, end }: GemmTurn) => {
  const now = () => performance.timeOrigin + performance.now();
  while (now() < start);
  let best = 0;
  for (let begin = now(); begin < end; ) {
    let done = 0;
    let last = begin;
    while (last < begin + WINDOW) {
      products(done % TILES);
      done++;
      last = now();
    }
    best = Math.max(best, (done * flops) / (last - begin) / 1e6);
    begin = last;
  }
  parentPort!.postMessage(best);
});
parentPort!.postMessage("ready");

/** The three products of a step on a tile: logits, class gradients, gradients of H. Checked against plain sums before anything is timed. */
function prepare(choice: Backend, D: number): (tile: number) => void {
  const plan = new MemoryPlan();
  const sizes = instantiateBackend(choice, KernelMemory.create(1, true)).matrix;
  const table = plan.reserve("class rows", 4 * TILES * C * D);
  const hidden = plan.reserve("hidden", 4 * R * D);
  const logits = plan.reserve("logits", 4 * C * R);
  const classGradient = plan.reserve("class gradients", 4 * C * D);
  const hiddenGradient = plan.reserve("hidden gradients", 4 * R * D);
  const packedColumns = plan.reserve("packed hidden, transposed", sizes.packedBytes(D, R));
  const packedRows = plan.reserve("packed hidden", sizes.packedBytes(R, D));
  const packedTable = plan.reserve("packed class rows", TILES * sizes.packedBytes(C, D));
  const kernels = instantiateBackend(choice, plan.allocate(true));
  const { matrix, memory } = kernels;
  const values = memory.floats(table, TILES * C * D);
  for (let i = 0; i < values.length; i++) values[i] = ((i * 7919) % 1009) / 1009 - 0.5;
  const rows = memory.floats(hidden, R * D);
  for (let i = 0; i < rows.length; i++) rows[i] = ((i * 104729) % 997) / 997 - 0.5;
  matrix.packRightTransposed(packedColumns, hidden, D, D, R);
  matrix.packRight(packedRows, hidden, D, R, D);
  for (let t = 0; t < TILES; t++)
    matrix.packRight(packedTable + t * sizes.packedBytes(C, D), table + 4 * t * C * D, D, C, D);

  const run = (tile: number) => {
    matrix.multiply(logits, R, table + 4 * tile * C * D, D, 1, packedColumns, C, D, R, false);
    matrix.multiply(classGradient, D, logits, R, 1, packedRows, C, R, D, false);
    matrix.multiply(hiddenGradient, D, logits, 1, R, packedTable + tile * sizes.packedBytes(C, D), R, C, D, false);
  };
  run(1);
  check(kernels, {
    a: table + 4 * C * D,
    row: D,
    column: 1,
    b: hidden,
    bRow: 1,
    bColumn: D,
    out: logits,
    M: C,
    K: D,
    N: R,
  });
  check(kernels, {
    a: logits,
    row: R,
    column: 1,
    b: hidden,
    bRow: D,
    bColumn: 1,
    out: classGradient,
    M: C,
    K: R,
    N: D,
  });
  check(kernels, {
    a: logits,
    row: 1,
    column: R,
    b: table + 4 * C * D,
    bRow: D,
    bColumn: 1,
    out: hiddenGradient,
    M: R,
    K: C,
    N: D,
  });
  return run;
}

/** out (M, N) = a (M, K) · b (K, N), each operand with its strides. */
interface Product {
  readonly a: number;
  readonly row: number;
  readonly column: number;
  readonly b: number;
  readonly bRow: number;
  readonly bColumn: number;
  readonly out: number;
  readonly M: number;
  readonly K: number;
  readonly N: number;
}

/** Compares every element with a float64 sum. */
function check({ memory: { f32 }, name }: Kernels, { a, row, column, b, bRow, bColumn, out, M, K, N }: Product): void {
  for (let m = 0; m < M; m++) {
    for (let j = 0; j < N; j++) {
      let sum = 0;
      let size = 0;
      for (let k = 0; k < K; k++) {
        const term = f32[(a >>> 2) + m * row + k * column]! * f32[(b >>> 2) + k * bRow + j * bColumn]!;
        sum += term;
        size += Math.abs(term);
      }
      const found = f32[(out >>> 2) + m * N + j]!;
      if (!(Math.abs(found - sum) <= LARGEST_ERROR * (size + 1))) {
        throw new Error(`the ${name} matrix product gives ${found} where a plain sum gives ${sum}`);
      }
    }
  }
}
