import type { Assembler } from "../../assembler/assembler.js";
import { indexed, R8, R9, R10, R11, R12, R13, R14, RAX, RCX } from "../../assembler/operands.js";
import { argument, loadAddress, loadArgument } from "../arguments.js";
import { framed } from "../frame.js";
import { type InstructionSet, Vectors } from "../vectors.js";
import { eachPosition } from "./addresses.js";
import { dot } from "./dots.js";
import { addSquares, clearSquares, foldSquares } from "./squares.js";
import { setRowTail, type Walk, walkRow } from "./walk.js";

const [OFFSET, LEFT] = [RAX, RCX];
/** Beyond what sums of squares and dot products use. */
const [BY, ALONG, EPSILON] = [9, 10, 11];

/** Strides and width in bytes; epsilon is a float. */
const FORWARD = { out: 0, outBytes: 1, source: 2, sourceBytes: 3, norms: 4, rows: 5, width: 6, epsilon: 7 };

/** norms[i] = max(‖source[i]‖, epsilon), out[i] = source[i] / norms[i]. */
export function generateNormalizeRows(asm: Assembler, set: InstructionSet): void {
  const v = new Vectors(asm, set);
  const [OUT, OUT_BYTES, SOURCE, SOURCE_BYTES, NORMS, I, ROWS] = [R8, R9, R10, R11, R12, R13, R14];
  const walk: Walk = { offset: OFFSET, left: LEFT, width: argument(FORWARD.width) };
  framed(asm, () => {
    setRowTail(v, walk.width, RAX, RCX);
    loadAddress(asm, OUT, FORWARD.out);
    loadArgument(asm, OUT_BYTES, FORWARD.outBytes);
    loadAddress(asm, SOURCE, FORWARD.source);
    loadArgument(asm, SOURCE_BYTES, FORWARD.sourceBytes);
    loadAddress(asm, NORMS, FORWARD.norms);
    loadArgument(asm, ROWS, FORWARD.rows);
    asm.vex("vmovss", 16, EPSILON, -1, argument(FORWARD.epsilon));
    eachPosition(asm, I, ROWS, () => {
      clearSquares(v);
      addSquares(v, SOURCE, walk);
      foldSquares(v);
      asm.vex("vsqrtsd", 16, 0, 0, 0);
      asm.vex("vcvtsd2ss", 16, 0, 0, 0);
      // Of a NaN and a number the maximum is its second source.
      asm.vex("vmaxss", 16, 0, EPSILON, 0);
      asm.vex("vmovssStore", 16, 0, -1, indexed(NORMS, I, 4));
      v.op("vbroadcastss", BY, -1, 0);
      asm.movConstant(OFFSET, 0);
      walkRow(v, walk, 2, (vectors, tail) => {
        for (let i = 0; i < vectors; i++) v.loadPart(i, indexed(SOURCE, OFFSET, 1, v.bytes * i), tail);
        for (let i = 0; i < vectors; i++) v.op("vdivps", i, i, BY);
        for (let i = 0; i < vectors; i++) v.storePart(indexed(OUT, OFFSET, 1, v.bytes * i), i, tail);
      });
      asm.compute("add", OUT, OUT_BYTES);
      asm.compute("add", SOURCE, SOURCE_BYTES);
    });
  });
}

/** Strides and width in bytes. */
const BACKWARD = { gradient: 0, gradientBytes: 1, unit: 2, unitBytes: 3, norms: 4, rows: 5, width: 6 };

/** gradient[i] ← (gradient[i] − unit[i]·⟨unit[i], gradient[i]⟩) / norms[i] */
export function generateNormalizeRowsBackward(asm: Assembler, set: InstructionSet): void {
  const v = new Vectors(asm, set);
  const [GRADIENT, GRADIENT_BYTES, UNIT, UNIT_BYTES, NORMS, I, ROWS] = [R8, R9, R10, R11, R12, R13, R14];
  const walk: Walk = { offset: OFFSET, left: LEFT, width: argument(BACKWARD.width) };
  framed(asm, () => {
    setRowTail(v, walk.width, RAX, RCX);
    loadAddress(asm, GRADIENT, BACKWARD.gradient);
    loadArgument(asm, GRADIENT_BYTES, BACKWARD.gradientBytes);
    loadAddress(asm, UNIT, BACKWARD.unit);
    loadArgument(asm, UNIT_BYTES, BACKWARD.unitBytes);
    loadAddress(asm, NORMS, BACKWARD.norms);
    loadArgument(asm, ROWS, BACKWARD.rows);
    eachPosition(asm, I, ROWS, () => {
      dot(v, UNIT, GRADIENT, walk);
      v.op("vbroadcastss", ALONG, -1, 0);
      v.broadcast(BY, indexed(NORMS, I, 4));
      asm.movConstant(OFFSET, 0);
      walkRow(v, walk, 2, (vectors, tail) => {
        const gradient = (i: number) => indexed(GRADIENT, OFFSET, 1, v.bytes * i);
        for (let i = 0; i < vectors; i++) v.loadPart(i, gradient(i), tail);
        for (let i = 0; i < vectors; i++) v.loadPart(vectors + i, indexed(UNIT, OFFSET, 1, v.bytes * i), tail);
        for (let i = 0; i < vectors; i++) v.op("vfnmadd231ps", i, vectors + i, ALONG);
        for (let i = 0; i < vectors; i++) v.op("vdivps", i, i, BY);
        for (let i = 0; i < vectors; i++) v.storePart(gradient(i), i, tail);
      });
      asm.compute("add", GRADIENT, GRADIENT_BYTES);
      asm.compute("add", UNIT, UNIT_BYTES);
    });
  });
}
