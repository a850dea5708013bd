import { KeyedPermutation, STREAM } from "@logq/core";
import { compileKernels, instantiateKernels, type Kernels } from "@logq/kernels";
import { crossSparsely, SMALL_AWKWARD_SIZES } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { type Bind, bindKernel } from "../dist/bind.js";
import { generateProgram, type KernelName } from "../dist/generate/program.js";
import { loadNative, usableSets } from "../dist/index.js";
import { boundKernels } from "../dist/native.js";
import { Desk } from "./support/desk.js";
import { comparedBind, emulatedBind } from "./support/emulator/bind.js";
import { followCode } from "./support/emulator/flow.js";

const wasm = await compileKernels("wasm", true);
const desk = new Desk();
const others = instantiateKernels(wasm, desk.memory);

/** Sizes of what is worked on, and how often numbers are special. */
const CASES = crossSparsely(
  {
    rows: [1, 2, 3, 5, 6, 7, 12, 13, 25],
    columns: [...SMALL_AWKWARD_SIZES, 24, 31, 32, 33, 47, 64, 65],
    padding: [0, 1, 4],
    special: [0, 0, 4, 40],
    scale: [1, 0.3, -2],
    optional: [false, true],
  },
  3,
);

type Case = (typeof CASES)[number];

/** Every kernel once, on operands of these sizes. */
function runAll(kernels: Kernels, sizes: Case): void {
  runMatrix(kernels, sizes);
  runRows(kernels, sizes);
  runUpdates(kernels, sizes);
  runPieces(kernels, sizes);
  runTile(kernels, sizes);
  runDraws(kernels, sizes);
  desk.clear();
}

function runMatrix({ matrix }: Kernels, { rows, columns, padding, special, optional }: Case): void {
  const K = 2 * rows + 1;
  for (const transposed of [false, true]) {
    desk.clear();
    const packed = desk.floats(1, matrix.packedBytes(K, columns) / 4);
    const [height, width] = transposed ? [columns, K] : [K, columns];
    const right = desk.floats(height, width, width + padding, special);
    const left = desk.floats(rows, K, K + padding, special);
    const out = desk.floats(rows, columns, columns + padding);
    if (transposed) matrix.packRightTransposed(packed, right, width + padding, K, columns);
    else matrix.packRight(packed, right, width + padding, K, columns);
    const ld = columns + padding;
    matrix.multiply(out, ld, left, K + padding, 1, packed, rows, K, columns, optional);
    const leftColumns = desk.floats(K, rows, rows + padding, special);
    matrix.multiply(out, ld, leftColumns, 1, rows + padding, packed, rows, K, columns, optional);
    if (!transposed)
      matrix.multiplyUnpacked?.(out, ld, left, K + padding, 1, right, width + padding, rows, K, columns, false);
  }
}

function runRows(
  { rows: kernels, vector, dense }: Kernels,
  { rows, columns, padding, special, scale, optional }: Case,
): void {
  desk.clear();
  const ld = columns + padding;
  const block = () => desk.floats(rows, columns, ld, special);
  const table = desk.floats(2 * rows, columns, ld, special);
  const indices = desk.ints(desk.distinct(rows, 2 * rows));
  const [a, b, perRow] = [block(), block(), desk.floats(1, 2 * rows, 2 * rows, special)];
  const offsets = desk.ints(Array.from({ length: rows + 1 }, (_, i) => Math.floor((i * i) / (rows + 1))));
  kernels.gatherRows(a, ld, table, ld, indices, rows, columns);
  kernels.scatterRows(table, ld, indices, b, ld, rows, columns);
  kernels.weightedRowSums(a, ld, table, ld, offsets, indices, optional ? perRow : 0, rows, columns, scale < 1);
  kernels.pairDots(perRow, table, ld, indices, b, ld, 0, rows, columns);
  kernels.scaleRows(a, ld, b, ld, perRow, rows, columns);
  kernels.normalizeRows(a, ld, b, ld, perRow, rows, columns, 1e-6);
  kernels.normalizeRowsBackward(b, ld, a, ld, perRow, rows, columns);
  kernels.sumOfSquares(b, ld, rows, columns);
  kernels.allFinite(b, ld, rows, columns);
  dense.columnSums(perRow, b, ld, Math.min(rows, 3), Math.min(columns, 2 * rows));
  const draw = { key: { low: 3, high: 2 ** 31 + 5 }, step: 2 ** 33 + rows, layer: columns };
  dense.dropout(a, ld, rows, columns, optional ? 1 : 0.3, 2 ** 32 - 2, draw);
  vector.addScaled(a, b, scale, columns);
  vector.fill(a, scale, columns);
}

const KINDS = ["sgd", "momentum", "adagrad", "rowwise-adagrad", "adam"] as const;
const RATES = { learningRate: 0.1, weightDecay: 0.01, gradientScale: 0.5, momentum: 0.9, beta1: 0.9, beta2: 0.99 };

function runUpdates({ optimizer }: Kernels, { rows, columns, padding, special, optional }: Case): void {
  for (const kind of KINDS) {
    desk.clear();
    const ld = columns + padding;
    const block = () => desk.floats(2 * rows, columns, ld, special);
    const block64 = { table: block(), gradient: block(), secondState: block() };
    const state = kind === "rowwise-adagrad" ? desk.floats(1, 2 * rows, 2 * rows, special) : block();
    const indices = optional ? desk.ints(desk.distinct(rows, 2 * rows)) : 0;
    const rule = { kind, ...RATES, epsilon: 1e-7, correction1: 0.3, correction2: 0.2 };
    const widths = { ldTable: ld, ldGradient: ld, count: rows, D: columns };
    optimizer.updateRows(rule, { ...block64, ...widths, state, indices });
  }
}

/** A table in three pieces of the one memory there is, the last of them shorter. */
function runPieces({ pieces: kernels, memory }: Kernels, { rows, columns, padding, special }: Case): void {
  for (const kind of KINDS) {
    desk.clear();
    const ld = columns + padding;
    const rowsPerPiece = Math.ceil((2 * rows) / 3);
    const stateLd = kind === "rowwise-adagrad" ? 1 : ld;
    const pieces = Array.from({ length: Math.ceil((2 * rows) / rowsPerPiece) }, (_, p) => {
      const inPiece = Math.min(rowsPerPiece, 2 * rows - p * rowsPerPiece);
      const block = () => desk.floats(inPiece, columns, ld, special);
      const state = stateLd === 1 ? desk.floats(1, inPiece, inPiece, special) : block();
      return { memory, table: block(), state, secondState: block() };
    });
    const table = kernels!.open({ rowsPerPiece, pieces, ld, D: columns, stateLd, secondStateLd: ld })!;
    const indices = desk.ints(desk.distinct(rows, 2 * rows));
    const block = desk.floats(rows, columns, ld, special);
    table.gatherRows(block, ld, indices, rows);
    const rule = { kind, ...RATES, epsilon: 1e-7, correction1: 0.3, correction2: 0.2 };
    table.updateRows(rule, indices, desk.floats(rows, columns, ld, special), ld, rows);
  }
}

function runTile({ tile }: Kernels, { rows: C, columns: R, padding, special, scale, optional }: Case): void {
  desk.clear();
  const ld = R + padding;
  const z = desk.floats(C, R, ld, special);
  const [lse, coefficient, reference, decay] = [0, 0, 0, 0].map(() => desk.floats(1, R, R, special));
  const [sum, total] = [desk.doubles(R), desk.doubles(R)];
  const [add, weight, out] = [desk.floats(1, C, C, special), desk.floats(1, C), desk.floats(1, C)];
  const blocks = desk.floats(Math.ceil(C / 64), R, ld);
  const k = 3;
  const [values, ids] = [desk.floats(R, k), desk.ints(new Array(k * R).fill(-1))];
  const addOrNot = optional ? add : 0;
  tile.clearTopK(values, ids, k, R);
  tile.topK(values, ids, k, z, ld, C, R, scale, addOrNot, 0, 10, 2);
  tile.softmaxPartials(z, ld, C, R, scale, addOrNot, reference!, sum);
  const totals = optional ? total : 0;
  tile.softmaxExponentials(z, ld, C, R, scale, addOrNot, reference!, sum, decay!, totals, optional ? 0 : blocks, ld);
  tile.softmaxFactors(lse!, reference!, lse!, coefficient!, R);
  tile.softmaxGradient(z, ld, C, R, lse!, coefficient!);
  tile.logisticTile(z, ld, C, R, scale, addOrNot, optional ? 0 : weight, coefficient!, total);
  tile.hingeTile(z, ld, C, R, scale, addOrNot, optional ? 0 : weight, 0.25, coefficient!, total);
  tile.sumOverClasses(sum, z, ld, C, R);
  tile.subtractPerRow(z, ld, C, R, lse!);
  tile.sumOverRows(out, z, ld, C, R, 0);
  tile.scaleColumns(z, ld, C, R, decay!);
  tile.sumOverRows(out, z, ld, C, R, coefficient!);
  const tileRows = Math.ceil(R / 3);
  for (const factor of [0, coefficient!]) tile.sumOverTiles(out, z, ld, tileRows, C, tileRows, R, factor);
}

/** Draws as many as there are elements, and some dozens more. */
function runDraws({ draws }: Kernels, { rows, columns, padding, scale, optional }: Case): void {
  desk.clear();
  const count = rows * columns + 40 * padding;
  const draw = {
    key: { low: 2 ** 31 + rows, high: columns },
    stream: STREAM.candidates,
    step: 2 ** 33 + rows,
    item: 2 ** 32 - columns,
  };
  const first = optional ? 0 : 2 ** 24 + columns;
  const ids = desk.ints(new Array(count).fill(-1));
  draws.uniformPairs(desk.floats(1, 4 * count), count, draw, first);
  draws.uniformIds(ids, count, optional ? 2 ** 31 - 1 : rows, draw, first);
  const n = optional ? 2 ** 31 - 2 : rows;
  draws.logUniformIds(ids, count, n, Math.log(n + 1), draw, first);
  draws.logUniformLogs(desk.floats(1, count), ids, count, scale);
  const table = desk.doubles(3 * rows);
  for (let id = 0; id < rows; id++) {
    desk.memory.f64[table / 8 + 3 * id] = id / rows;
    desk.memory.i32[table / 4 + 6 * id + 4] = rows - 1 - id;
  }
  draws.aliasIds(ids, count, table, rows, draw, first, desk.floats(1, draws.scratchBytes / 4));
  const permutation = new KeyedPermutation(count + (optional ? 0 : 1000 * rows), draw.key, padding);
  draws.permuted(ids, count, permutation, permutation.size - count, desk.floats(1, count));
}

describe.each(["avx2", "avx512"] as const)("%s", (set) => {
  it.skipIf(usableSets().includes(set))("emulated: every kernel reads and writes its operands alone", () => {
    const kernels = boundKernels(set, desk.memory, others, emulatedBind(generateProgram(set), desk.memory));
    for (const sizes of CASES) runAll(kernels, sizes);
  });
});

describe.each(["avx2", "avx512"] as const)("%s on this processor and emulated", (set) => {
  it.skipIf(!usableSets().includes(set))(
    `leave the same bits: every kernel, ${CASES.length} sizes, NaN and ∞ among the numbers`,
    () => {
      const { address, entries } = loadNative(set);
      const ran = new Set<KernelName>();
      const bind: Bind = (name, words) => bindKernel(address + entries[name], desk.memory, words);
      const kernels = boundKernels(
        set,
        desk.memory,
        others,
        comparedBind(bind, generateProgram(set), desk.memory, ran),
      );
      for (const sizes of CASES) runAll(kernels, sizes);
      expect(Object.keys(entries).filter((name) => !ran.has(name as KernelName))).toEqual([]);
    },
  );

  it.skipIf(!usableSets().includes(set))("are told apart if one of them subtracts where the other adds", () => {
    const { address, entries } = loadNative(set);
    const { code } = generateProgram(set);
    const other = code.slice();
    for (const { name, at, encoding } of followCode(code, [
      entries.multiplyRows,
      entries.multiplyColumns,
    ]).instructions.values()) {
      // Behind the prefix: now vfnmadd231ps.
      if (name === "vfmadd231ps") other[at + (encoding === "evex" ? 4 : 3)] = 0xbc;
    }
    const bind: Bind = (name, words) => bindKernel(address + entries[name], desk.memory, words);
    const kernels = boundKernels(set, desk.memory, others, comparedBind(bind, { code: other, entries }, desk.memory));
    expect(() => {
      for (const sizes of CASES) runMatrix(kernels, sizes);
    }).toThrow(/multiplyRows leaves 0x/);
  });
});
