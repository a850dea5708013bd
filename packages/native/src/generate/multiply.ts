import type { Assembler } from "../assembler/assembler.js";
import {
  at,
  indexed,
  Label,
  type Memory,
  R8,
  R9,
  R10,
  R11,
  R12,
  R13,
  R14,
  R15,
  RAX,
  RBP,
  RBX,
  RCX,
  RDX,
  type Register,
  RSI,
} from "../assembler/operands.js";
import { argument, loadAddress, loadArgument } from "./arguments.js";
import { framed } from "./frame.js";
import type { InstructionSet } from "./vectors.js";
import { Vectors } from "./vectors.js";

/** Sizes of the tile of sums that stays in registers: 12 of 16 with AVX2, 24 of 32 with AVX-512. */
export const TILE = {
  avx2: { rows: 6, vectors: 2, columns: 16 },
  avx512: { rows: 12, vectors: 2, columns: 32 },
} as const;

/** Arguments of the kernel, in order. Strides are in bytes. */
const MULTIPLY_ARGUMENTS = [
  "out",
  "ldOut",
  "left",
  "rowStride",
  "columnStride",
  "packed",
  "M",
  "K",
  "N",
  "panelBytes",
  "accumulate",
  "linesAhead",
  // Of the kernel's own: the next line of the left operand to be asked for, 64 bits.
  "nextLine",
] as const;

const ARGUMENT = Object.fromEntries(MULTIPLY_ARGUMENTS.map((name, i) => [name, i])) as Record<
  (typeof MULTIPLY_ARGUMENTS)[number],
  number
>;

/** Steps of k that are written out one after another. */
const UNROLL = 4;

const [OUT, LD_OUT, LEFT, ROW_STRIDE, COLUMN_STRIDE, PANEL, COLUMNS, ROWS] = [R8, R9, R10, R11, R12, R13, R14, R15];
const [STEP, RIGHT] = [RAX, RBX];
const LINE_BYTES = 64;
/** Addresses of rows 0, 3, 6 and 9 of the left operand; the two after each are reached with the stride as an index. */
const LEFT_ROWS: readonly Register[] = [RSI, RDX, RCX, RBP];

/**
 * out (M, N) (+)= left (M, K) · packed (K, N). A tile of rows of the left operand passes over all panels of the right one before the next
 * begins: so the left operand, which may come from memory, is read once and evenly, while the right one stays in the second-level
 * cache. Each sum runs over k in ascending order with fused multiply-adds, wherever its row and column stand.
 *
 * While a tile of rows is at work, the lines of the next one are asked for, `linesAhead` with each panel (0: they do not lie one after another, or are
 * near); and each tile's lines of `out`, which are written when it ends, when it begins.
 */
export function generateMultiply(asm: Assembler, set: InstructionSet): void {
  const v = new Vectors(asm, set);
  const { rows } = TILE[set];
  framed(asm, () => {
    loadAddress(asm, LEFT, ARGUMENT.left);
    loadArgument(asm, LD_OUT, ARGUMENT.ldOut);
    loadArgument(asm, ROW_STRIDE, ARGUMENT.rowStride);
    loadArgument(asm, COLUMN_STRIDE, ARGUMENT.columnStride);
    loadArgument(asm, ROWS, ARGUMENT.M);
    loadAddress(asm, OUT, ARGUMENT.out);

    const next = asm.here();
    const done = new Label();
    const bodies = Array.from({ length: rows + 1 }, () => new Label());
    chooseRows(asm, rows, bodies, done);
    for (let count = 1; count <= rows; count++) {
      asm.bind(bodies[count]!);
      rowTile(v, count);
      asm.jump(next);
    }
    asm.bind(done);
  });
}

/** Jumps to the tile of as many rows as come next: all there is room for, but what is left in the end goes in two halves, since thin tiles are slow. */
function chooseRows(asm: Assembler, most: number, bodies: readonly Label[], done: Label): void {
  asm.test(ROWS);
  asm.jumpIf("equal", done);
  asm.computeConstant("cmp", ROWS, 2 * most);
  asm.jumpIf("aboveOrEqual", bodies[most]!);
  for (let left = 1; left < 2 * most; left++) {
    const count = left <= most ? left : Math.ceil(left / 2);
    asm.computeConstant("cmp", ROWS, left);
    asm.jumpIf("equal", bodies[count]!);
  }
}

/** `rows` rows against all panels. */
function rowTile(v: Vectors, rows: number): void {
  const { asm, lanes, set } = v;
  const { columns, vectors } = TILE[set];
  const tail = new Label();
  const finished = new Label();
  // First time: the tile's own panel and column counters.
  loadAddress(asm, PANEL, ARGUMENT.packed);
  loadArgument(asm, COLUMNS, ARGUMENT.N);
  asm.push(OUT);
  beginAsking(asm, rows);
  const loop = asm.here();
  asm.computeConstant("cmp", COLUMNS, columns);
  asm.jumpIf("below", tail);
  tile(v, rows, vectors, false);
  asm.computeConstant("add", OUT, 4 * columns);
  loadArgument(asm, STEP, ARGUMENT.panelBytes);
  asm.compute("add", PANEL, STEP);
  asm.computeConstant("sub", COLUMNS, columns);
  asm.jumpIf("notEqual", loop);
  asm.jump(finished);

  asm.bind(tail);
  for (let count = 1; count <= vectors; count++) {
    const wider = new Label();
    if (count < vectors) {
      asm.computeConstant("cmp", COLUMNS, count * lanes);
      asm.jumpIf("above", wider);
    }
    asm.computeConstant("sub", COLUMNS, (count - 1) * lanes);
    v.setTail(COLUMNS, STEP);
    tile(v, rows, count, true);
    asm.jump(finished);
    asm.bind(wider);
  }
  asm.bind(finished);
  asm.pop(OUT);
  for (let i = 0; i < rows; i++) asm.compute("add", OUT, LD_OUT);
  for (let i = 0; i < rows; i++) asm.compute("add", LEFT, ROW_STRIDE);
  asm.computeConstant("sub", ROWS, rows);
}

/** Lines are asked for from the row after this tile's on. */
function beginAsking(asm: Assembler, rows: number): void {
  asm.mov(STEP, LEFT);
  for (let i = 0; i < rows; i++) asm.compute("add", STEP, ROW_STRIDE);
  asm.store(argument(ARGUMENT.nextLine), STEP);
}

/** Asks for the next lines of the left operand, and for this tile's of `out`, to write them. */
function ask(asm: Assembler, rows: number, columns: number): void {
  const [left, line] = [LEFT_ROWS[0]!, STEP];
  const none = new Label();
  loadArgument(asm, left, ARGUMENT.linesAhead);
  asm.test(left);
  asm.jumpIf("equal", none);
  asm.mov(line, argument(ARGUMENT.nextLine));
  const loop = asm.here();
  asm.prefetch(1, at(line));
  asm.computeConstant("add", line, LINE_BYTES);
  asm.computeConstant("sub", left, 1);
  asm.jumpIf("notEqual", loop);
  asm.store(argument(ARGUMENT.nextLine), line);
  asm.bind(none);
  asm.mov(RIGHT, OUT);
  for (let row = 0; row < rows; row++) {
    for (let offset = 0; offset < 4 * columns; offset += LINE_BYTES) asm.prefetch(0, at(RIGHT, offset));
    if (row + 1 < rows) asm.compute("add", RIGHT, LD_OUT);
  }
}

/** One tile: `rows` x `vectors` sums over all k, then stored. In a tail the last vector is stored in part. */
function tile(v: Vectors, rows: number, vectors: number, tail: boolean): void {
  const { asm } = v;
  const sum = (row: number, vector: number) => row * vectors + vector;
  ask(asm, rows, TILE[v.set].columns);
  for (let i = 0; i < rows * vectors; i++) v.zero(i);
  asm.mov(LEFT_ROWS[0]!, LEFT);
  for (let group = 1; 3 * group < rows; group++) {
    // 3 rows further: stride + 2·stride
    asm.lea(LEFT_ROWS[group]!, indexed(LEFT_ROWS[group - 1]!, ROW_STRIDE, 2));
    asm.compute("add", LEFT_ROWS[group]!, ROW_STRIDE);
  }
  asm.mov(RIGHT, PANEL);
  loopOverK(v, rows, vectors, sum);
  storeTile(v, rows, vectors, sum, tail);
}

function loopOverK(v: Vectors, rows: number, vectors: number, sum: (row: number, vector: number) => number): void {
  const { asm, set } = v;
  const panelRowBytes = 4 * TILE[set].columns;
  const rest = new Label();
  const end = new Label();
  loadArgument(asm, STEP, ARGUMENT.K);
  asm.computeConstant("sub", STEP, UNROLL);
  asm.jumpIf("below", rest);
  asm.align(32);
  const loop = asm.here();
  for (let u = 0; u < UNROLL; u++) stepOfK(v, rows, vectors, sum, u * panelRowBytes);
  asm.computeConstant("add", RIGHT, UNROLL * panelRowBytes);
  asm.computeConstant("sub", STEP, UNROLL);
  asm.jumpIf("aboveOrEqual", loop);
  asm.bind(rest);
  asm.computeConstant("add", STEP, UNROLL);
  asm.jumpIf("equal", end);
  const single = asm.here();
  stepOfK(v, rows, vectors, sum, 0);
  asm.computeConstant("add", RIGHT, panelRowBytes);
  asm.computeConstant("sub", STEP, 1);
  asm.jumpIf("notEqual", single);
  asm.bind(end);
}

/** One k: a column of the left tile times a row of the panel. */
function stepOfK(
  v: Vectors,
  rows: number,
  vectors: number,
  sum: (row: number, vector: number) => number,
  offset: number,
): void {
  const { asm } = v;
  const first = TILE[v.set].rows * TILE[v.set].vectors;
  const right = (vector: number) => first + vector;
  const spare = first + vectors;
  for (let i = 0; i < vectors; i++) v.load(right(i), at(RIGHT, offset + v.bytes * i));
  for (let row = 0; row < rows; row++) {
    // With AVX2 the register of the tail's lanes is needed only when sums are stored, and is not among these.
    const left = spare + (v.set === "avx2" ? 0 : row % 4);
    v.broadcast(left, leftElement(row));
    for (let i = 0; i < vectors; i++) v.op("vfmadd231ps", sum(row, i), left, right(i));
  }
  for (let group = 0; 3 * group < rows; group++) asm.compute("add", LEFT_ROWS[group]!, COLUMN_STRIDE);
}

function leftElement(row: number): Memory {
  const base = LEFT_ROWS[Math.floor(row / 3)]!;
  if (row % 3 === 0) return at(base);
  return indexed(base, ROW_STRIDE, row % 3 === 1 ? 1 : 2);
}

function storeTile(
  v: Vectors,
  rows: number,
  vectors: number,
  sum: (row: number, vector: number) => number,
  tail: boolean,
): void {
  const { asm } = v;
  const fresh = new Label();
  const spare = TILE[v.set].rows * TILE[v.set].vectors;
  loadArgument(asm, STEP, ARGUMENT.accumulate);
  asm.test(STEP);
  const eachPart = (use: (place: Memory, register: number, isTail: boolean) => void): void => {
    asm.mov(RIGHT, OUT);
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < vectors; i++) use(at(RIGHT, v.bytes * i), sum(row, i), tail && i === vectors - 1);
      if (row + 1 < rows) asm.compute("add", RIGHT, LD_OUT);
    }
  };
  asm.jumpIf("equal", fresh);
  eachPart((place, register, isTail) => {
    if (isTail) {
      v.loadTail(spare, place);
      v.op("vaddps", register, register, spare);
    } else {
      v.op("vaddps", register, register, place);
    }
  });
  asm.bind(fresh);
  eachPart((place, register, isTail) => v.storePart(place, register, isTail));
}
