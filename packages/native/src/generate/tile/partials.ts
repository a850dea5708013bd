import type { Assembler } from "../../assembler/assembler.js";
import { at, indexed, R8, R9, R10, R11, R12, R13, RAX, RBP, RBX, RCX, RDX, RSI } from "../../assembler/operands.js";
import { loadAddress, loadArgument } from "../arguments.js";
import { changeDoubles, widenHalf } from "../doubles.js";
import { framed } from "../frame.js";
import { type InstructionSet, Vectors } from "../vectors.js";
import { eachBlock } from "./blocks.js";
import { Exponential } from "./exponential.js";
import { finiteOf } from "./lanes.js";
import { eachForm, Logits } from "./logits.js";
import { storeLanes } from "./tails.js";
import { eachClass, eachStrip } from "./walks.js";

const ARGUMENT = { z: 0, ld: 1, C: 2, R: 3, scale: 4, add: 5, max: 6, sum: 7 } as const;

const [Z, ADD, COUNT, LD, BLOCK, ROWS, AT] = [RSI, RDX, RCX, R9, R10, R11, RBX];
const [CLASSES, DONE, ROW, TEMP, TEMP2] = [R12, R13, R8, RAX, RBP];

/** Vector registers. */
const [X, SPARE, SPARE2, ADDEND, BEST, OLD, REFERENCE, TOTAL, SCALE] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
const CONSTANTS = [9, 10, 11, 12, 13, 14] as const;

/**
 * z ← scale·z + add, and the tile's (maximum, sum) folded into those of the rows (`TileKernels.softmaxPartials`). Block by block: within one sums are
 * float32, across blocks float64. The stride is in bytes.
 */
export function generateSoftmaxPartials(asm: Assembler, set: InstructionSet): void {
  const v = new Vectors(asm, set);
  const exponential = new Exponential(v, CONSTANTS);
  framed(asm, () => {
    loadArgument(asm, LD, ARGUMENT.ld);
    exponential.loadConstants();
    eachForm(asm, ARGUMENT, TEMP, (form) => {
      const logits = new Logits(v, form, ARGUMENT, SCALE, ADDEND, ADD);
      logits.loadScale();
      eachBlock(asm, { block: BLOCK, classes: CLASSES, done: DONE, ld: LD, scratch: TEMP }, ARGUMENT, () => {
        loadArgument(asm, ROWS, ARGUMENT.R);
        asm.movConstant(AT, 0);
        eachStrip(v, { left: ROWS, at: AT, scratch: TEMP, scratch2: TEMP2 }, [1], (_, tail) => {
          writeLogits(v, logits, tail);
          sumBlock(v, exponential, tail);
        });
      });
    });
  });
}

/** z ← the logits of a strip and block; BEST ← the greatest, passing over NaN. */
function writeLogits(v: Vectors, logits: Logits, tail: boolean): void {
  const { asm } = v;
  v.constant(BEST, -Infinity);
  asm.lea(Z, indexed(BLOCK, AT));
  logits.begin(DONE);
  asm.mov(COUNT, CLASSES);
  eachClass(asm, { left: COUNT, at: Z, ld: LD }, (place) => {
    logits.nextClass();
    logits.load(X, place(0), tail);
    if (logits.form !== "plain") storeLanes(v, place(0), X, tail, { count: ROWS, spare: SPARE });
    // Of a NaN and another number the maximum is its second operand.
    v.op("vmaxps", BEST, X, BEST);
  });
}

/** Folds the block into max and sum. A NaN that BEST passes over shows in the sum. */
function sumBlock(v: Vectors, exponential: Exponential, tail: boolean): void {
  const { asm } = v;
  loadAddress(asm, ROW, ARGUMENT.max);
  asm.compute("add", ROW, AT);
  v.loadPart(OLD, at(ROW), tail);
  v.op("vmaxps", BEST, BEST, OLD);
  v.storePart(at(ROW), BEST, tail);
  v.move(REFERENCE, BEST);
  finiteOf(v, REFERENCE, [X, SPARE, SPARE2]);
  v.zero(TOTAL);
  asm.lea(Z, indexed(BLOCK, AT));
  asm.mov(COUNT, CLASSES);
  eachClass(asm, { left: COUNT, at: Z, ld: LD }, (place) => {
    v.loadPart(X, place(0), tail);
    v.op("vsubps", X, X, REFERENCE);
    exponential.apply(X, SPARE, SPARE2);
    v.op("vaddps", TOTAL, TOTAL, X);
  });
  v.op("vsubps", OLD, OLD, REFERENCE);
  exponential.apply(OLD, SPARE, SPARE2, true);
  loadAddress(asm, ROW, ARGUMENT.sum);
  asm.lea(ROW, indexed(ROW, AT, 2));
  changeDoubles(v, ROW, 0, tail, X, SPARE, (half, doubles) => {
    widenHalf(v, half, SPARE2, OLD);
    v.op("vmulpd", doubles, doubles, SPARE2);
    widenHalf(v, half, SPARE2, TOTAL);
    v.op("vaddpd", doubles, doubles, SPARE2);
  });
}
