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

/** Arguments of the kernel, in order. Strides and distances are in bytes. */
const MULTIPLY_ARGUMENTS = [
  "out",
  "ldOut",
  "left",
  "rowStride",
  "columnStride",
  "right",
  "M",
  "K",
  "N",
  // From a row of the right operand to the next, and from the columns of one tile to those of the next.
  "rightStride",
  "panelBytes",
  "accumulate",
  // Sums over several products, by rows only: how many there are, and how far the operands of the next begin behind the end of this one's.
  "segments",
  "leftJump",
  "rightJump",
  // By rows only: how many bytes of the left operand are asked for ahead in UNROLL steps (`aheadStep`; an addend of 64 bits), and during one product.
  "aheadStep",
  "aheadStepHigh",
  "aheadBytes",
  // By columns only: how far ahead of its use the right operand is asked for, in bytes.
  "rightAhead",
  // Of the kernel's own: how far asking has come, products of the sum that are left.
  "ahead",
  "segmentsLeft",
] as const;

const ARGUMENT = Object.fromEntries(MULTIPLY_ARGUMENTS.map((name, i) => [name, i])) as Record<
  (typeof MULTIPLY_ARGUMENTS)[number],
  number
>;

/**
 * How the left operand lies, and so how its elements are addressed: rows one after another (`rowStride` apart), elements of a row adjoining; or the
 * other way round, elements of a column adjoining and columns `columnStride` apart. The fewer pointers are moved in the inner loop the better: they
 * take turns with multiply-adds.
 */
export type LeftForm = "rows" | "columns";

/** Steps of k that are written out one after another. */
const UNROLL = 4;

const LINE_BYTES = 64;
/** Lines of the left operand that are asked for in as many steps, at most: all of the next tile's, where there is one tile of columns. */
const LINES_AHEAD = 3;

/**
 * Bytes of the left operand that UNROLL steps ask for: of N columns, each tile asks for its share of the next tile of rows. More would come
 * too early, and drive out what is at work.
 */
export function aheadStep(set: InstructionSet, N: number): number {
  const { rows, columns } = TILE[set];
  const lines = (rows * UNROLL * 4) / LINE_BYTES / Math.ceil(N / columns);
  return LINE_BYTES * Math.min(LINES_AHEAD, Math.max(1, Math.ceil(lines)));
}

/** The same of a product over K. */
export function aheadBytes(set: InstructionSet, K: number, N: number): number {
  return Math.floor(K / UNROLL) * aheadStep(set, N);
}

/** Steps of k that the right operand is asked for ahead: what a line takes to come from another core. */
export const RIGHT_STEPS_AHEAD = 24;

const [OUT, LD_OUT, LEFT, ROW_STRIDE, RIGHT_STRIDE, PANEL, COLUMNS, NEXT_LINE] = [R8, R9, R10, R11, R12, R13, R14, R15];
const [STEP, RIGHT] = [RAX, RBX];
/** Between tiles, where STEP counts nothing. */
const ROWS = STEP;
/** By rows: addresses of rows 0, 3, 6 and 9 of the left operand; the two after each are reached with the stride as an index. By columns: the first alone. */
const LEFT_ROWS: readonly Register[] = [RSI, RDX, RCX, RBP];
/** By columns. */
const COLUMN_STRIDE = RDX;
/** The same, while a sum runs and nothing is stored: how far ahead the right operand is asked for. */
const RIGHT_AHEAD = LD_OUT;

/** A kernel while it is written. */
interface Writing {
  readonly v: Vectors;
  readonly form: LeftForm;
}

/** A tile of sums: `rows` x `vectors` registers, of which the last vector is a tail or not. */
interface Tile {
  readonly rows: number;
  readonly vectors: number;
  readonly tail: boolean;
}

function sumOf({ vectors }: Tile, row: number, vector: number): number {
  return row * vectors + vector;
}

/**
 * out (M, N) (+)= left (M, K) · right (K, N). A tile of rows of the left operand passes over all columns of the right one before the next
 * begins: so the left operand, which may come from memory, is read once and evenly, while the right one stays in the second-level
 * cache. Each sum runs over k in ascending order with fused multiply-adds, wherever its row and column stand. The right operand is packed, or lies
 * row by row: only strides differ.
 *
 * While a tile of rows is at work the lines of the next one are asked for, some with each product; and each tile's lines of `out`, which are written
 * when it ends, when it begins. By columns it is the right operand that is asked for, some steps ahead: there it is what other cores have written, or read,
 * last.
 */
export function generateMultiply(asm: Assembler, set: InstructionSet, form: LeftForm): void {
  const writing: Writing = { v: new Vectors(asm, set), form };
  const { rows } = TILE[set];
  framed(asm, () => {
    loadAddress(asm, LEFT, ARGUMENT.left);
    loadArgument(asm, LD_OUT, ARGUMENT.ldOut);
    loadArgument(asm, ROW_STRIDE, ARGUMENT.rowStride);
    loadArgument(asm, RIGHT_STRIDE, ARGUMENT.rightStride);
    loadAddress(asm, OUT, ARGUMENT.out);

    const next = asm.here();
    loadArgument(asm, ROWS, ARGUMENT.M);
    const done = new Label();
    const bodies = Array.from({ length: rows + 1 }, () => new Label());
    chooseRows(asm, rows, bodies, done);
    for (let count = 1; count <= rows; count++) {
      asm.bind(bodies[count]!);
      rowTile(writing, count);
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

/** `rows` rows against all columns. */
function rowTile(writing: Writing, rows: number): void {
  const { asm, lanes, set } = writing.v;
  const { columns, vectors } = TILE[set];
  const tail = new Label();
  const finished = new Label();
  loadAddress(asm, PANEL, ARGUMENT.right);
  loadArgument(asm, COLUMNS, ARGUMENT.N);
  asm.push(OUT);
  if (writing.form === "rows") askFromHere(asm, rows);
  const loop = asm.here();
  asm.computeConstant("cmp", COLUMNS, columns);
  asm.jumpIf("below", tail);
  sumTile(writing, { rows, vectors, tail: false });
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
    writing.v.setTail(COLUMNS, STEP);
    sumTile(writing, { rows, vectors: count, tail: true });
    asm.jump(finished);
    asm.bind(wider);
  }
  asm.bind(finished);
  asm.pop(OUT);
  for (let i = 0; i < rows; i++) asm.compute("add", OUT, LD_OUT);
  for (let i = 0; i < rows; i++) asm.compute("add", LEFT, ROW_STRIDE);
  loadArgument(asm, ROWS, ARGUMENT.M);
  asm.computeConstant("sub", ROWS, rows);
  asm.store32(argument(ARGUMENT.M), ROWS);
}

/** Asking ahead begins with the row after this tile's: `ahead` is how far that is from where a product begins. */
function askFromHere(asm: Assembler, rows: number): void {
  asm.movConstant(STEP, 0);
  for (let i = 0; i < rows; i++) asm.compute("add", STEP, ROW_STRIDE);
  asm.store32(argument(ARGUMENT.ahead), STEP);
}

/** Asks for a tile's lines of `out`, to write them. */
function askForOut({ v }: Writing, rows: number): void {
  const { asm } = v;
  asm.mov(RIGHT, OUT);
  for (let row = 0; row < rows; row++) {
    for (let offset = 0; offset < 4 * TILE[v.set].columns; offset += LINE_BYTES) asm.prefetch(0, at(RIGHT, offset));
    if (row + 1 < rows) asm.compute("add", RIGHT, LD_OUT);
  }
}

/** One tile: its sums over all k, then stored. */
function sumTile(writing: Writing, tile: Tile): void {
  const { v, form } = writing;
  const { asm } = v;
  const { rows, vectors } = tile;
  askForOut(writing, rows);
  for (let i = 0; i < rows * vectors; i++) v.zero(i);
  asm.mov(LEFT_ROWS[0]!, LEFT);
  asm.mov(RIGHT, PANEL);
  if (form === "columns") {
    loadArgument(asm, COLUMN_STRIDE, ARGUMENT.columnStride);
    loadArgument(asm, RIGHT_AHEAD, ARGUMENT.rightAhead);
    loopOverK(writing, tile);
    loadArgument(asm, LD_OUT, ARGUMENT.ldOut);
  } else {
    for (let group = 1; 3 * group < rows; group++) {
      // 3 rows further: stride + 2·stride
      asm.lea(LEFT_ROWS[group]!, indexed(LEFT_ROWS[group - 1]!, ROW_STRIDE, 2));
      asm.compute("add", LEFT_ROWS[group]!, ROW_STRIDE);
    }
    loopOverSegments(writing, tile);
  }
  storeTile(writing, tile);
}

/** The products of a sum, one after the other. */
function loopOverSegments(writing: Writing, tile: Tile): void {
  const { asm } = writing.v;
  const done = new Label();
  loadArgument(asm, STEP, ARGUMENT.segments);
  asm.store32(argument(ARGUMENT.segmentsLeft), STEP);
  const segment = asm.here();
  loadArgument(asm, NEXT_LINE, ARGUMENT.ahead);
  asm.compute("add", NEXT_LINE, LEFT_ROWS[0]!);
  loopOverK(writing, tile);
  loadArgument(asm, STEP, ARGUMENT.segmentsLeft);
  asm.computeConstant("sub", STEP, 1);
  asm.jumpIf("equal", done);
  asm.store32(argument(ARGUMENT.segmentsLeft), STEP);
  loadArgument(asm, STEP, ARGUMENT.leftJump);
  for (let group = 0; 3 * group < tile.rows; group++) asm.compute("add", LEFT_ROWS[group]!, STEP);
  loadArgument(asm, STEP, ARGUMENT.rightJump);
  asm.compute("add", RIGHT, STEP);
  asm.jump(segment);
  asm.bind(done);
  // The next columns go on asking where these have come to.
  loadArgument(asm, STEP, ARGUMENT.ahead);
  loadArgument(asm, RIGHT, ARGUMENT.aheadBytes);
  asm.compute("add", STEP, RIGHT);
  asm.store32(argument(ARGUMENT.ahead), STEP);
}

function loopOverK(writing: Writing, tile: Tile): void {
  const { asm } = writing.v;
  const rest = new Label();
  const end = new Label();
  loadArgument(asm, STEP, ARGUMENT.K);
  asm.computeConstant("sub", STEP, UNROLL);
  asm.jumpIf("below", rest);
  asm.align(32);
  const loop = asm.here();
  if (writing.form === "rows") {
    for (let line = 0; line < LINES_AHEAD; line++) asm.prefetch(1, at(NEXT_LINE, LINE_BYTES * line));
    asm.compute("add", NEXT_LINE, argument(ARGUMENT.aheadStep));
  }
  stepsOfK(writing, tile, UNROLL);
  asm.computeConstant("sub", STEP, UNROLL);
  asm.jumpIf("aboveOrEqual", loop);
  asm.bind(rest);
  asm.computeConstant("add", STEP, UNROLL);
  asm.jumpIf("equal", end);
  const single = asm.here();
  stepsOfK(writing, tile, 1);
  asm.computeConstant("sub", STEP, 1);
  asm.jumpIf("notEqual", single);
  asm.bind(end);
}

/** `count` steps of k, each a column of the left tile times a row of the right one. */
function stepsOfK({ v, form }: Writing, tile: Tile, count: number): void {
  const { asm } = v;
  const { rows, vectors } = tile;
  const first = TILE[v.set].rows * TILE[v.set].vectors;
  const right = (vector: number) => first + vector;
  const spare = first + vectors;
  for (let k = 0; k < count; k++) {
    for (let i = 0; i < vectors; i++) {
      if (tile.tail && i === vectors - 1) v.loadTail(right(i), at(RIGHT, v.bytes * i));
      else v.load(right(i), at(RIGHT, v.bytes * i));
    }
    for (let row = 0; row < rows; row++) {
      // With AVX2 the register of the tail's lanes is v15: not among these.
      const left = spare + (v.set === "avx2" ? 0 : row % 4);
      v.broadcast(left, form === "rows" ? elementOfRow(row, k) : at(LEFT_ROWS[0]!, 4 * row));
      for (let i = 0; i < vectors; i++) v.op("vfmadd231ps", sumOf(tile, row, i), left, right(i));
    }
    if (form === "columns") {
      asm.compute("add", LEFT_ROWS[0]!, COLUMN_STRIDE);
      for (let offset = 0; offset < vectors * v.bytes; offset += LINE_BYTES)
        asm.prefetch(1, indexed(RIGHT, RIGHT_AHEAD, 1, offset));
    }
    asm.compute("add", RIGHT, RIGHT_STRIDE);
  }
  for (let group = 0; form === "rows" && 3 * group < rows; group++)
    asm.computeConstant("add", LEFT_ROWS[group]!, 4 * count);
}

/** Element k of a row of the left tile, from where its pointers stand. */
function elementOfRow(row: number, k: number): Memory {
  const base = LEFT_ROWS[Math.floor(row / 3)]!;
  if (row % 3 === 0) return at(base, 4 * k);
  return indexed(base, ROW_STRIDE, row % 3 === 1 ? 1 : 2, 4 * k);
}

function storeTile({ v }: Writing, tile: Tile): void {
  const { asm } = v;
  const fresh = new Label();
  const spare = TILE[v.set].rows * TILE[v.set].vectors;
  loadArgument(asm, STEP, ARGUMENT.accumulate);
  asm.test(STEP);
  const eachPart = (use: (place: Memory, register: number, isTail: boolean) => void): void => {
    asm.mov(RIGHT, OUT);
    for (let row = 0; row < tile.rows; row++) {
      for (let i = 0; i < tile.vectors; i++) {
        use(at(RIGHT, v.bytes * i), sumOf(tile, row, i), tile.tail && i === tile.vectors - 1);
      }
      if (row + 1 < tile.rows) asm.compute("add", RIGHT, LD_OUT);
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
