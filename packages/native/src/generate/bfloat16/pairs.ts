import type { Assembler } from "../../assembler/assembler.js";
import { at, Label, R10, R11, R12, RAX, RCX, RDX, type Register, RSI } from "../../assembler/operands.js";
import { loadArgument } from "../arguments.js";
import type { Vectors } from "../vectors.js";
import { type BlockProduct, eachSegment, generateProduct } from "./block.js";
import { CHUNK, CHUNK_BYTES, MASKS, PAIR_BYTES, ROW_BYTES } from "./layout.js";
import { ARGUMENT, BLOCK, LD_OUT, OUT_AT, PANEL, rowsOfBlock } from "./shared.js";
import { loadMasked, storeMasked } from "./squares.js";

/** Rows of sums that are in registers at a time: with two vectors of columns each, 24 of 32. */
const MOST_ROWS = 12;
/** Pairs of k that are written out one after another. */
const UNROLL = 4;
const PAIRS = CHUNK / 2;

const sum = (row: number, vector: number) => 2 * row + vector;
const RIGHT = 2 * MOST_ROWS;
const LEFT = RIGHT + 2;

/** Rows of the block from this tile's first on, its first row in the block, and where its first sum goes. */
const [ROWS_LEFT, ROW, TO] = [R11, RAX, RSI];

/** The product with vectors of pairs (AVX512_BF16): a pair of the left operand, in all lanes, times pairs of 32 columns. */
const PAIR_PRODUCT: BlockProduct = {
  scratchBytes: 0,
  begin: () => {},
  end: () => {},

  panel(v) {
    const { asm } = v;
    const done = new Label();
    const bodies = Array.from({ length: MOST_ROWS + 1 }, () => new Label());
    rowsOfBlock(asm, ROWS_LEFT);
    asm.mov(ROW, BLOCK);
    asm.mov(TO, OUT_AT);
    const next = asm.here();
    asm.test(ROWS_LEFT);
    asm.jumpIf("equal", done);
    asm.computeConstant("cmp", ROWS_LEFT, 2 * MOST_ROWS);
    asm.jumpIf("aboveOrEqual", bodies[MOST_ROWS]!);
    // What is left in the end goes in two halves: thin tiles are slow.
    for (let left = 1; left < 2 * MOST_ROWS; left++) {
      asm.computeConstant("cmp", ROWS_LEFT, left);
      asm.jumpIf("equal", bodies[left <= MOST_ROWS ? left : Math.ceil(left / 2)]!);
    }
    for (let rows = 1; rows <= MOST_ROWS; rows++) {
      asm.bind(bodies[rows]!);
      rowTile(v, rows);
      asm.jump(next);
    }
    asm.bind(done);
  },
};

/** `rows` rows by two vectors of columns: all k, and stored. */
function rowTile(v: Vectors, rows: number): void {
  const { asm } = v;
  const [fresh, begun] = [new Label(), new Label()];
  loadArgument(asm, RCX, ARGUMENT.accumulate);
  asm.test(RCX);
  asm.jumpIf("equal", fresh);
  eachSum(asm, rows, (row, i) => loadMasked(v, sum(row, i), at(RCX, 64 * i), MASKS.columns[i]!));
  asm.jump(begun);
  asm.bind(fresh);
  for (let i = 0; i < 2 * rows; i++) v.zero(i);
  asm.bind(begun);
  overPairs(v, rows);
  eachSum(asm, rows, (row, i) => storeMasked(v, at(RCX, 64 * i), sum(row, i), MASKS.columns[i]!));
  asm.mov(TO, RCX);
  asm.compute("add", TO, LD_OUT);
  asm.computeConstant("add", ROW, ROW_BYTES * rows);
  asm.computeConstant("sub", ROWS_LEFT, rows);
}

/** Runs `use` with RCX at each row of sums. */
function eachSum(asm: Assembler, rows: number, use: (row: number, vector: number) => void): void {
  asm.mov(RCX, TO);
  for (let row = 0; row < rows; row++) {
    if (row > 0) asm.compute("add", RCX, LD_OUT);
    for (const i of [0, 1]) use(row, i);
  }
}

function overPairs(v: Vectors, rows: number): void {
  const { asm } = v;
  const [A, B, CHUNKS, QUADS] = [RCX, RDX, R12, R10];
  asm.mov(A, ROW);
  asm.mov(B, PANEL);
  eachSegment(asm, B, CHUNKS, () => {
    loadArgument(asm, CHUNKS, ARGUMENT.chunks);
    const chunk = asm.here();
    overChunk(v, rows, A, B, QUADS);
    asm.computeConstant("add", A, CHUNK_BYTES - ROW_BYTES);
    asm.computeConstant("sub", CHUNKS, 1);
    asm.jumpIf("notEqual", chunk);
  });
}

/** The sums of one chunk; A and B are then behind its first row and its panel. */
function overChunk(v: Vectors, rows: number, A: Register, B: Register, QUADS: Register): void {
  const { asm } = v;
  asm.movConstant(QUADS, PAIRS / UNROLL);
  asm.align(32);
  const loop = asm.here();
  for (let u = 0; u < UNROLL; u++) {
    for (const i of [0, 1]) v.load(RIGHT + i, at(B, PAIR_BYTES * u + 64 * i));
    for (let row = 0; row < rows; row++) {
      const left = LEFT + (row % 4);
      v.broadcast(left, at(A, ROW_BYTES * row + 4 * u));
      for (const i of [0, 1]) v.op("vdpbf16ps", sum(row, i), left, RIGHT + i);
    }
  }
  asm.computeConstant("add", A, 4 * UNROLL);
  asm.computeConstant("add", B, PAIR_BYTES * UNROLL);
  asm.computeConstant("sub", QUADS, 1);
  asm.jumpIf("notEqual", loop);
}

export function generatePairProduct(asm: Assembler): void {
  generateProduct(asm, PAIR_PRODUCT);
}
