import type { Assembler } from "../../assembler/assembler.js";
import {
  at,
  indexed,
  Label,
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
  RSI,
} from "../../assembler/operands.js";
import { argument, loadAddress, loadArgument, loadOptional } from "../arguments.js";
import { framed } from "../frame.js";
import { type InstructionSet, Vectors } from "../vectors.js";
import { rowOffset, unlessZero } from "./addresses.js";
import { askForRow, askUpTo } from "./ahead.js";
import { eachStrip, setRowTail } from "./walk.js";

/** Strides and width in bytes; `ahead` in rows; accumulate 0 or 1. */
const ARGUMENT = {
  out: 0,
  outBytes: 1,
  source: 2,
  sourceBytes: 3,
  offsets: 4,
  indices: 5,
  weights: 6,
  count: 7,
  width: 8,
  ahead: 9,
  accumulate: 10,
};

const [OUT, SOURCE, SOURCE_BYTES, RUN, INDICES, WEIGHTS, RUNS] = [R8, R9, R10, R11, R12, R13, R14];
/** Positions in `indices`: of the row that is added, and where its run ends; the next to be asked for, and where all runs end. */
const [J, LAST, NEXT, END] = [RDX, RSI, R15, RBX];
const [OFFSET, LEFT, ROW] = [RAX, RCX, RBP];

const POSITIONS = { next: NEXT, end: END };
const NAMED = {
  tables: [SOURCE],
  toWrite: false,
  indices: INDICES,
  rowBytes: SOURCE_BYTES,
  width: argument(ARGUMENT.width),
};

const WEIGHT = 8;
const PART = 9;

/** out[u] (+)= Σ_j weights[j] · source[indices[j]], j from offsets[u] to offsets[u + 1]: every element in the order of its run. */
export function generateWeightedRowSums(asm: Assembler, set: InstructionSet): void {
  const v = new Vectors(asm, set);
  const width = argument(ARGUMENT.width);
  framed(asm, () => {
    const done = new Label();
    setRowTail(v, width, RAX, RCX);
    loadAddress(asm, OUT, ARGUMENT.out);
    loadAddress(asm, SOURCE, ARGUMENT.source);
    loadArgument(asm, SOURCE_BYTES, ARGUMENT.sourceBytes);
    loadAddress(asm, RUN, ARGUMENT.offsets);
    loadAddress(asm, INDICES, ARGUMENT.indices);
    loadOptional(asm, WEIGHTS, ARGUMENT.weights);
    loadArgument(asm, RUNS, ARGUMENT.count);
    asm.test(RUNS);
    asm.jumpIf("equal", done);
    asm.mov32(NEXT, at(RUN));
    asm.mov32(END, indexed(RUN, RUNS, 4));
    v.constant(WEIGHT, 1);
    const loop = asm.here();
    asm.mov32(LAST, at(RUN, 4));
    asm.movConstant(OFFSET, 0);
    eachStrip(v, { offset: OFFSET, left: LEFT, width }, (vectors, tail) => sumStrip(v, vectors, tail));
    loadArgument(asm, OFFSET, ARGUMENT.outBytes);
    asm.compute("add", OUT, OFFSET);
    asm.computeConstant("add", RUN, 4);
    asm.computeConstant("sub", RUNS, 1);
    asm.jumpIf("notEqual", loop);
    asm.bind(done);
  });
}

/** The sums of a run for a strip of its columns. */
function sumStrip(v: Vectors, vectors: number, tail: boolean): void {
  const { asm } = v;
  const fresh = new Label();
  const none = new Label();
  const place = (row: number, i: number) => indexed(row, OFFSET, 1, v.bytes * i);
  for (let i = 0; i < vectors; i++) v.zero(i);
  loadArgument(asm, ROW, ARGUMENT.accumulate);
  asm.test(ROW);
  asm.jumpIf("equal", fresh);
  for (let i = 0; i < vectors; i++) v.loadPart(i, place(OUT, i), tail);
  asm.bind(fresh);
  asm.mov32(J, at(RUN));
  asm.compute("cmp", J, LAST);
  asm.jumpIf("aboveOrEqual", none);
  const loop = asm.here();
  askAhead(asm);
  unlessZero(asm, WEIGHTS, () => v.broadcast(WEIGHT, indexed(WEIGHTS, J, 4)));
  rowOffset(asm, ROW, INDICES, J, SOURCE_BYTES);
  asm.compute("add", ROW, SOURCE);
  for (let i = 0; i < vectors; i++) {
    if (tail) v.loadTail(PART, place(ROW, i));
    v.op("vfmadd231ps", i, WEIGHT, tail ? PART : place(ROW, i));
  }
  asm.computeConstant("add", J, 1);
  asm.compute("cmp", J, LAST);
  asm.jumpIf("below", loop);
  asm.bind(none);
  for (let i = 0; i < vectors; i++) v.storePart(place(OUT, i), i, tail);
}

/** Asks for coming rows, whichever run they belong to: whole ones, so that later strips of this run find them asked for. */
function askAhead(asm: Assembler): void {
  loadArgument(asm, ROW, ARGUMENT.ahead);
  asm.compute("add", ROW, J);
  askUpTo(asm, POSITIONS, ROW, () => {
    asm.push(OFFSET);
    asm.push(LEFT);
    askForRow(asm, NAMED, POSITIONS, OFFSET, LEFT);
    asm.pop(LEFT);
    asm.pop(OFFSET);
  });
}
