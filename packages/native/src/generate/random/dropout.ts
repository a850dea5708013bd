import type { Assembler } from "../../assembler/assembler.js";
import { indexed, Label, type Memory, R8, R9, R10, RAX, RCX } from "../../assembler/operands.js";
import { argument, argumentNumbers, loadAddress, loadArgument } from "../arguments.js";
import { framed } from "../frame.js";
import { setRowTail } from "../rows/walk.js";
import { type InstructionSet, Vectors } from "../vectors.js";
import { ADDRESS_WORDS, type PhiloxRegisters, philoxOf, setOddLanes } from "./philox.js";
import { nextVector } from "./turn.js";

/** Stride and width in bytes; words below `limit` drop their element, the others scale it by `factor`; then the words of counter and key. */
export const DROPOUT = argumentNumbers([
  "y",
  "rowBytes",
  "rows",
  "width",
  "limit",
  "factor",
  "firstBlock",
  ...ADDRESS_WORDS,
]);

const [ROW, ROWS, NUMBER, OFFSET, LEFT] = [R8, R9, R10, RAX, RCX];

const REGISTERS: PhiloxRegisters = { counter: [0, 1, 2, 3], key: [7, 8], free: [4, 5, 6] };
const BLOCKS = 9;
const LIMIT = 10;
const FACTOR = 11;

/**
 * Inverted dropout, `DenseKernels.dropout`. A block of words is four columns; a turn makes as many blocks as there are lanes. Lane 4q + j has block
 * j·lanes/4 + q of the turn, so that words, transposed within 128 bits, stand in the order of the columns.
 */
export function generateDropout(asm: Assembler, set: InstructionSet): void {
  const v = new Vectors(asm, set);
  framed(asm, () => {
    setRowTail(v, argument(DROPOUT.width), RAX, RCX);
    setOddLanes(v);
    v.broadcast(LIMIT, argument(DROPOUT.limit));
    v.broadcast(FACTOR, argument(DROPOUT.factor));
    loadAddress(asm, ROW, DROPOUT.y);
    loadArgument(asm, ROWS, DROPOUT.rows);
    loadArgument(asm, NUMBER, DROPOUT.item);
    const done = new Label();
    const row = asm.here();
    asm.computeConstant("sub", ROWS, 1);
    asm.jumpIf("below", done);
    maskRow(v);
    asm.mov32(OFFSET, argument(DROPOUT.rowBytes));
    asm.compute("add", ROW, OFFSET);
    asm.computeConstant("add", NUMBER, 1);
    asm.store32(argument(DROPOUT.item), NUMBER);
    asm.jump(row);
    asm.bind(done);
  });
}

function maskRow(v: Vectors): void {
  const { asm, lanes, bytes } = v;
  const end = new Label();
  v.broadcast(BLOCKS, argument(DROPOUT.firstBlock));
  v.op("vpaddd", BLOCKS, BLOCKS, v.words(blockByColumn(lanes)));
  asm.movConstant(OFFSET, 0);
  asm.mov32(LEFT, argument(DROPOUT.width));
  asm.test(LEFT);
  asm.jumpIf("equal", end);
  asm.align(32);
  const turn = asm.here();
  const { outputs, free } = wordsByColumn(v);
  for (const [j, words] of outputs.entries()) {
    const place = indexed(ROW, OFFSET, 1, j * bytes);
    nextVector(v, LEFT, end, (tail) => maskPart(v, words, free, place, tail));
  }
  v.op("vpaddd", BLOCKS, BLOCKS, v.wordInMemory(lanes));
  asm.computeConstant("add", OFFSET, outputs.length * bytes);
  asm.test(LEFT);
  asm.jumpIf("notEqual", turn);
  asm.bind(end);
}

function blockByColumn(lanes: number): (lane: number) => number {
  return (lane) => (lane % 4) * (lanes / 4) + Math.floor(lane / 4);
}

/** The words of the turn's blocks in four vectors, in the order of their columns. */
function wordsByColumn(v: Vectors): { outputs: readonly number[]; free: readonly number[] } {
  const { words, free } = philoxOf(v, REGISTERS, BLOCKS, DROPOUT);
  const [x0, x1, x2, x3] = words;
  const [a, b, c] = free as [number, number, number];
  v.op("vunpcklps", a, x0, x1);
  v.op("vunpckhps", b, x0, x1);
  v.op("vunpcklps", x0, x2, x3);
  v.op("vunpckhps", x1, x2, x3);
  v.op("vunpcklpd", x2, a, x0);
  v.op("vunpckhpd", x3, a, x0);
  v.op("vunpcklpd", c, b, x1);
  v.op("vunpckhpd", a, b, x1);
  return { outputs: [x2, x3, c, a], free: [x0, b] };
}

function maskPart(v: Vectors, words: number, [y, kept]: readonly number[], place: Memory, tail: boolean): void {
  v.loadPart(y!, place, tail);
  v.op("vmulps", y!, y!, FACTOR);
  v.whereNotBelow(y!, words, LIMIT, kept!);
  v.storePart(place, y!, tail);
}
