import type { Assembler } from "../../assembler/assembler.js";
import { at, atLabel, indexed, Label, R11, R12, RAX, RCX, RDX, type Register, RSI } from "../../assembler/operands.js";
import { loadArgument } from "../arguments.js";
import type { Vectors } from "../vectors.js";
import { type BlockProduct, eachSegment, generateProduct } from "./block.js";
import { BLOCK_BYTES, CHUNK_BYTES, LINES_AT_ONCE, MASKS, ROW_BYTES } from "./layout.js";
import { ARGUMENT, BLOCK, COLUMNS, LD_OUT, NEXT_LINE, OUT_AT, PANEL, ROWS, rowsOfBlock } from "./shared.js";
import { loadMasked, storeMasked } from "./squares.js";

/** Palette 1, and eight tiles of 16 rows of 64 bytes: of each 16 bits for the bytes and 8 for the rows. */
const CONFIGURATION = [1, 0, 0, 0, ...new Array<number>(4).fill(0x00400040), 0, 0, 0, 0, 0x10101010, 0x10101010, 0, 0];

/** Rows and columns of a tile of sums. */
const SIDE = 16;
/** Tiles of sums: two by two; of the block's rows, and of the panel's columns. */
const sum = (row: number, column: number) => 2 * row + column;
const [LEFT, RIGHT] = [4, 6];

/** Sums of an edge, as a tile by tile of whole rows: 32 by 32 floats. */
const EDGE_BYTES = 4 * 32 * 32;
const EDGE_ROW = 128;

const LINE_BYTES = 64;

const [SUMS, SUMS_STRIDE] = [RSI, RDX];

/** The product with tiles (AMX): the outer products of two tiles of rows with two of columns, 32 steps of k each. */
const TILES: BlockProduct = {
  scratchBytes: EDGE_BYTES,
  begin: (v) => v.asm.vex("ldtilecfg", 16, 0, -1, atLabel(v.asm.table(CONFIGURATION))),
  end: (v) => v.asm.vex("tilerelease", 16, 0, -1, 0),

  panel(v) {
    const { asm } = v;
    const [oneRow, oneColumn, oneOfEach, done] = [new Label(), new Label(), new Label(), new Label()];
    asm.computeConstant("cmp", ROWS, SIDE);
    asm.jumpIf("belowOrEqual", oneRow);
    asm.computeConstant("cmp", COLUMNS, SIDE);
    asm.jumpIf("belowOrEqual", oneColumn);
    sums(v, 2, 2);
    asm.jump(done);
    asm.bind(oneColumn);
    sums(v, 2, 1);
    asm.jump(done);
    asm.bind(oneRow);
    asm.computeConstant("cmp", COLUMNS, SIDE);
    asm.jumpIf("belowOrEqual", oneOfEach);
    sums(v, 1, 2);
    asm.jump(done);
    asm.bind(oneOfEach);
    sums(v, 1, 1);
    asm.bind(done);
  },
};

/** `left` by `right` tiles of sums. Where they are not whole, they pass through the stack. */
function sums(v: Vectors, left: number, right: number): void {
  const { asm } = v;
  const [edge, placed, fresh, begun] = [new Label(), new Label(), new Label(), new Label()];
  asm.mov(SUMS, OUT_AT);
  asm.mov(SUMS_STRIDE, LD_OUT);
  asm.computeConstant("cmp", ROWS, SIDE * left);
  asm.jumpIf("below", edge);
  asm.computeConstant("cmp", COLUMNS, SIDE * right);
  asm.jumpIf("aboveOrEqual", placed);
  asm.bind(edge);
  asm.lea(SUMS, at(BLOCK, BLOCK_BYTES));
  asm.movConstant(SUMS_STRIDE, EDGE_ROW);
  asm.bind(placed);

  loadArgument(asm, RAX, ARGUMENT.accumulate);
  asm.test(RAX);
  asm.jumpIf("equal", fresh);
  ifEdge(asm, () => copyEdge(v, true));
  eachSum(asm, left, right, "tileloadd");
  asm.jump(begun);
  asm.bind(fresh);
  for (let i = 0; i < left; i++) for (let j = 0; j < right; j++) asm.vex("tilezero", 16, sum(i, j), -1, 0);
  asm.bind(begun);

  overChunks(asm, left, right);
  eachSum(asm, left, right, "tilestored");
  ifEdge(asm, () => copyEdge(v, false));
}

/** The sums of all chunks: 2048 bytes further in the block and in the panel with each. */
function overChunks(asm: Assembler, left: number, right: number): void {
  const [A, B, LINE, CHUNKS] = [RAX, RCX, R11, R12];
  asm.mov(A, BLOCK);
  asm.mov(B, PANEL);
  asm.movConstant(LINE, ROW_BYTES);
  eachSegment(asm, B, CHUNKS, () => {
    loadArgument(asm, CHUNKS, ARGUMENT.chunks);
    asm.align(32);
    const loop = asm.here();
    overChunk(asm, left, right, A, B, LINE);
    asm.computeConstant("add", A, CHUNK_BYTES);
    asm.computeConstant("add", B, CHUNK_BYTES);
    asm.computeConstant("sub", CHUNKS, 1);
    asm.jumpIf("notEqual", loop);
  });
}

/** The sums of one chunk. */
function overChunk(asm: Assembler, left: number, right: number, A: Register, B: Register, LINE: Register): void {
  const loadLeft = (i: number) => tile(asm, "tileloadd", LEFT + i, A, LINE, 1, SIDE * ROW_BYTES * i);
  const loadRight = (j: number) => tile(asm, "tileloadd", RIGHT + j, B, LINE, 2, 64 * j);
  const multiply = (i: number, j: number) => asm.vex("tdpbf16ps", 16, sum(i, j), RIGHT + j, LEFT + i);
  loadLeft(0);
  for (let j = 0; j < right; j++) {
    loadRight(j);
    multiply(0, j);
  }
  if (left > 1) {
    loadLeft(1);
    for (let j = 0; j < right; j++) multiply(1, j);
  }
  askForLines(asm);
}

/** Asks for the next lines of the left operand while tiles are multiplied. */
function askForLines(asm: Assembler): void {
  const [none, LINES] = [new Label(), RDX];
  asm.push(LINES);
  loadArgument(asm, LINES, ARGUMENT.linesAhead);
  asm.test(LINES);
  asm.jumpIf("equal", none);
  const loop = asm.here();
  for (let i = 0; i < LINES_AT_ONCE; i++) asm.prefetch(2, at(NEXT_LINE, LINE_BYTES * i));
  asm.computeConstant("add", NEXT_LINE, LINE_BYTES * LINES_AT_ONCE);
  asm.computeConstant("sub", LINES, LINES_AT_ONCE);
  asm.jumpIf("notEqual", loop);
  asm.bind(none);
  asm.pop(LINES);
}

function tile(
  asm: Assembler,
  name: "tileloadd" | "tilestored",
  register: number,
  base: Register,
  stride: Register,
  scale: 1 | 2,
  displacement: number,
): void {
  asm.vex(name, 16, register, -1, indexed(base, stride, scale, displacement));
}

/** Loads or stores the tiles of sums. */
function eachSum(asm: Assembler, left: number, right: number, name: "tileloadd" | "tilestored"): void {
  for (let j = 0; j < right; j++) tile(asm, name, sum(0, j), SUMS, SUMS_STRIDE, 1, 64 * j);
  if (left === 1) return;
  asm.mov(RAX, SUMS_STRIDE);
  asm.shiftLeft(RAX, Math.log2(SIDE));
  asm.compute("add", RAX, SUMS);
  for (let j = 0; j < right; j++) tile(asm, name, sum(1, j), RAX, SUMS_STRIDE, 1, 64 * j);
}

/** Runs `body` if sums pass through the stack. */
function ifEdge(asm: Assembler, body: () => void): void {
  const whole = new Label();
  asm.compute("cmp", SUMS, OUT_AT);
  asm.jumpIf("equal", whole);
  body();
  asm.bind(whole);
}

/** Copies the sums that there are from `out` to the stack, or back. */
function copyEdge(v: Vectors, toStack: boolean): void {
  const { asm } = v;
  const [FROM_OUT, STACK, COUNT] = [RAX, RCX, R11];
  asm.mov(FROM_OUT, OUT_AT);
  asm.mov(STACK, SUMS);
  rowsOfBlock(asm, COUNT);
  const loop = asm.here();
  for (const i of [0, 1]) {
    if (toStack) {
      loadMasked(v, i, at(FROM_OUT, 64 * i), MASKS.columns[i]!);
      v.store(at(STACK, 64 * i), i);
    } else {
      v.load(i, at(STACK, 64 * i));
      storeMasked(v, at(FROM_OUT, 64 * i), i, MASKS.columns[i]!);
    }
  }
  asm.compute("add", FROM_OUT, LD_OUT);
  asm.computeConstant("add", STACK, EDGE_ROW);
  asm.computeConstant("sub", COUNT, 1);
  asm.jumpIf("notEqual", loop);
}

export function generateTileProduct(asm: Assembler): void {
  generateProduct(asm, TILES);
}
