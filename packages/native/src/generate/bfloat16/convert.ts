import { at, indexed, Label, R10, R11, R12, RAX, RCX, RDX, RSI } from "../../assembler/operands.js";
import { loadAddress, loadArgument } from "../arguments.js";
import type { Vectors } from "../vectors.js";
import { CHUNK_BYTES, MASKS, ROW_BYTES } from "./layout.js";
import { ARGUMENT, BLOCK, COLUMNS, OUT_AT, PANEL, ROWS, rowsOfBlock } from "./shared.js";
import { interleave, loadMasked, loadPairing, narrow, turnHalves, turnSquare } from "./squares.js";

/** The block from rows that lie contiguous. Rows of the block that there are none for keep what they had: nobody looks at their sums. */
export function convertRows(v: Vectors): void {
  const { asm } = v;
  const [FROM, TO, LEFT, STRIDE] = [R10, R11, RCX, R12];
  const [AT, TO_AT, CHUNKS] = [RAX, RDX, RSI];
  // Panels come later: their registers are free.
  const [SEGMENT, STEP, SEGMENTS] = [OUT_AT, COLUMNS, PANEL];
  loadAddress(asm, FROM, ARGUMENT.left);
  loadArgument(asm, STRIDE, ARGUMENT.rowStride);
  loadArgument(asm, STEP, ARGUMENT.leftStep);
  asm.mov(TO, BLOCK);
  rowsOfBlock(asm, LEFT);
  const row = asm.here();
  const [rest, done] = [new Label(), new Label()];
  asm.mov(SEGMENT, FROM);
  asm.mov(TO_AT, TO);
  loadArgument(asm, SEGMENTS, ARGUMENT.segments);
  const segment = asm.here();
  asm.mov(AT, SEGMENT);
  loadArgument(asm, CHUNKS, ARGUMENT.wholeChunks);
  asm.test(CHUNKS);
  asm.jumpIf("equal", rest);
  const loop = asm.here();
  for (const i of [0, 1]) v.load(i, at(AT, 64 * i));
  narrow(v, 2, 0, 1);
  v.store(at(TO_AT), 2);
  asm.computeConstant("add", AT, 128);
  asm.computeConstant("add", TO_AT, CHUNK_BYTES);
  asm.computeConstant("sub", CHUNKS, 1);
  asm.jumpIf("notEqual", loop);
  asm.bind(rest);
  loadArgument(asm, CHUNKS, ARGUMENT.kMask);
  asm.test(CHUNKS);
  asm.jumpIf("equal", done);
  for (const i of [0, 1]) loadMasked(v, i, at(AT, 64 * i), MASKS.k[i]!);
  narrow(v, 2, 0, 1);
  v.store(at(TO_AT), 2);
  asm.computeConstant("add", TO_AT, CHUNK_BYTES);
  asm.bind(done);
  asm.compute("add", SEGMENT, STEP);
  asm.computeConstant("sub", SEGMENTS, 1);
  asm.jumpIf("notEqual", segment);
  asm.compute("add", FROM, STRIDE);
  asm.computeConstant("add", TO, ROW_BYTES);
  asm.computeConstant("sub", LEFT, 1);
  asm.jumpIf("notEqual", row);
}

/** The block from columns that lie contiguous: 16 rows by 16 pairs of columns are turned in registers. */
export function convertColumns(v: Vectors): void {
  const { asm } = v;
  const [FROM, TO, CHUNKS] = [R10, R11, RSI];
  const [rest, done] = [new Label(), new Label()];
  loadAddress(asm, FROM, ARGUMENT.left);
  asm.mov(TO, BLOCK);
  loadArgument(asm, CHUNKS, ARGUMENT.wholeChunks);
  asm.test(CHUNKS);
  asm.jumpIf("equal", rest);
  const loop = asm.here();
  turnedChunk(v, false);
  asm.computeConstant("sub", CHUNKS, 1);
  asm.jumpIf("notEqual", loop);
  asm.bind(rest);
  loadArgument(asm, CHUNKS, ARGUMENT.kRest);
  asm.test(CHUNKS);
  asm.jumpIf("equal", done);
  turnedChunk(v, true);
  asm.bind(done);
}

/** One chunk of k of the block, from R10 to R11, which then are at the next. A rest has RSI steps of k. */
function turnedChunk(v: Vectors, rest: boolean): void {
  const { asm } = v;
  const [FROM, TO, STRIDE, AT, STEPS] = [R10, R11, R12, RAX, RSI];
  const PAIRING = 20;
  const one = new Label();
  loadArgument(asm, STRIDE, ARGUMENT.columnStride);
  for (let tile = 0; tile < 2; tile++) {
    if (tile === 1) {
      asm.computeConstant("cmp", ROWS, 16);
      asm.jumpIf("belowOrEqual", one);
    }
    const [some, stored] = [new Label(), new Label()];
    if (!rest) {
      asm.computeConstant("cmp", ROWS, 16 * (tile + 1));
      asm.jumpIf("below", some);
      turnedTile(v, tile);
      asm.jump(stored);
      asm.bind(some);
    }
    setRows(v, tile);
    loadPairing(v, PAIRING);
    const turned = new Label();
    if (rest) for (let p = 0; p < 16; p++) v.zero(p);
    asm.lea(AT, at(FROM, 64 * tile));
    for (let p = 0; p < 16; p++) {
      const pair = new Label();
      v.loadTail(16, at(AT));
      if (rest) {
        v.zero(17);
        asm.computeConstant("cmp", STEPS, 2 * p + 1);
        asm.jumpIf("equal", pair);
      }
      asm.compute("add", AT, STRIDE);
      v.loadTail(17, at(AT));
      asm.compute("add", AT, STRIDE);
      asm.bind(pair);
      narrow(v, p, 16, 17);
      interleave(v, p, PAIRING);
      if (rest) {
        asm.computeConstant("cmp", STEPS, 2 * p + 2);
        asm.jumpIf("belowOrEqual", turned);
      }
    }
    asm.bind(turned);
    turnSquare(v);
    for (let m = 0; m < 16; m++) v.store(at(TO, ROW_BYTES * (16 * tile + m)), m);
    asm.bind(stored);
  }
  asm.bind(one);
  asm.shiftLeft(STRIDE, 5);
  asm.compute("add", FROM, STRIDE);
  asm.computeConstant("add", TO, CHUNK_BYTES);
}

/**
 * Sixteen rows and a whole chunk, eight rows at a time: columns k + 8l are brought together while they are loaded, which spares half of the shuffles that a
 * square takes.
 */
function turnedTile(v: Vectors, tile: number): void {
  const { asm } = v;
  const [FROM, TO, STRIDE, AT, AT_16] = [R10, R11, R12, RAX, RCX];
  for (let half = 0; half < 2; half++) {
    asm.lea(AT, at(FROM, 64 * tile + 32 * half));
    asm.mov(AT_16, STRIDE);
    asm.shiftLeft(AT_16, 4);
    asm.compute("add", AT_16, AT);
    for (let k = 0; k < 8; k++) {
      const [low, high] = [16 + 2 * (k % 4), 17 + 2 * (k % 4)];
      for (const [register, place] of [
        [low, AT],
        [high, AT_16],
      ] as const) {
        asm.evex("vmovups", 32, register, -1, at(place));
        v.op("vinsertf64x4", register, register, indexed(place, STRIDE, 8), 1);
        asm.compute("add", place, STRIDE);
      }
      narrow(v, k, low, high);
    }
    turnHalves(v);
    for (let m = 0; m < 8; m++) v.store(at(TO, ROW_BYTES * (16 * tile + 8 * half + m)), 8 + m);
  }
}

/** k1 ← the rows of one of the block's two tiles. */
function setRows(v: Vectors, tile: number): void {
  const { asm } = v;
  const whole = new Label();
  asm.mov(RCX, ROWS);
  if (tile > 0) asm.computeConstant("sub", RCX, 16 * tile);
  asm.computeConstant("cmp", RCX, 16);
  asm.jumpIf("belowOrEqual", whole);
  asm.movConstant(RCX, 16);
  asm.bind(whole);
  v.setTail(RCX, RDX);
}
