import type { Assembler } from "../../assembler/assembler.js";
import { at, indexed, R8, R9, R10, R11, R12, R13, R14, RAX, RCX } from "../../assembler/operands.js";
import { argument, loadAddress, loadArgument } from "../arguments.js";
import { framed } from "../frame.js";
import { type InstructionSet, Vectors } from "../vectors.js";
import { eachPosition } from "./addresses.js";
import { setRowTail, walkRow } from "./walk.js";

/** Vectors that are worked on at a time. */
const UNROLL = 4;

const [OFFSET, LEFT] = [RAX, RCX];
const FACTOR = 8;

/** Strides and width in bytes. */
const SCALE = { out: 0, outBytes: 1, source: 2, sourceBytes: 3, factor: 4, rows: 5, width: 6 };

/** out[i] = factor[i] · source[i] */
export function generateScaleRows(asm: Assembler, set: InstructionSet): void {
  const v = new Vectors(asm, set);
  const width = argument(SCALE.width);
  const [OUT, OUT_BYTES, SOURCE, SOURCE_BYTES, FACTORS, I, ROWS] = [R8, R9, R10, R11, R12, R13, R14];
  framed(asm, () => {
    setRowTail(v, width, RAX, RCX);
    loadAddress(asm, OUT, SCALE.out);
    loadArgument(asm, OUT_BYTES, SCALE.outBytes);
    loadAddress(asm, SOURCE, SCALE.source);
    loadArgument(asm, SOURCE_BYTES, SCALE.sourceBytes);
    loadAddress(asm, FACTORS, SCALE.factor);
    loadArgument(asm, ROWS, SCALE.rows);
    eachPosition(asm, I, ROWS, () => {
      v.broadcast(FACTOR, indexed(FACTORS, I, 4));
      asm.movConstant(OFFSET, 0);
      walkRow(v, { offset: OFFSET, left: LEFT, width }, UNROLL, (vectors, tail) => {
        for (let i = 0; i < vectors; i++) {
          const source = indexed(SOURCE, OFFSET, 1, v.bytes * i);
          if (tail) v.loadTail(i, source);
          v.op("vmulps", i, FACTOR, tail ? i : source);
        }
        for (let i = 0; i < vectors; i++) v.storePart(indexed(OUT, OFFSET, 1, v.bytes * i), i, tail);
      });
      asm.compute("add", OUT, OUT_BYTES);
      asm.compute("add", SOURCE, SOURCE_BYTES);
    });
  });
}

/** Width in bytes; a is a float. */
const ADD_SCALED = { y: 0, x: 1, a: 2, width: 3 };

/** y ← y + a·x, of vectors. */
export function generateAddScaled(asm: Assembler, set: InstructionSet): void {
  const v = new Vectors(asm, set);
  const width = argument(ADD_SCALED.width);
  const [Y, X] = [R8, R9];
  framed(asm, () => {
    setRowTail(v, width, RAX, RCX);
    loadAddress(asm, Y, ADD_SCALED.y);
    loadAddress(asm, X, ADD_SCALED.x);
    v.broadcast(FACTOR, argument(ADD_SCALED.a));
    asm.movConstant(OFFSET, 0);
    walkRow(v, { offset: OFFSET, left: LEFT, width }, UNROLL, (vectors, tail) => {
      for (let i = 0; i < vectors; i++) {
        const x = indexed(X, OFFSET, 1, v.bytes * i);
        v.loadPart(i, indexed(Y, OFFSET, 1, v.bytes * i), tail);
        if (tail) v.loadTail(UNROLL + i, x);
        v.op("vfmadd231ps", i, FACTOR, tail ? UNROLL + i : x);
      }
      for (let i = 0; i < vectors; i++) v.storePart(indexed(Y, OFFSET, 1, v.bytes * i), i, tail);
    });
  }, []);
}

/** Width in bytes; value is a float. */
const FILL = { out: 0, value: 1, width: 2 };

/** A vector of equal elements. */
export function generateFill(asm: Assembler, set: InstructionSet): void {
  const v = new Vectors(asm, set);
  const width = argument(FILL.width);
  framed(asm, () => {
    setRowTail(v, width, RAX, RCX);
    loadAddress(asm, R8, FILL.out);
    v.broadcast(0, argument(FILL.value));
    walkRow(v, { offset: R8, left: LEFT, width }, UNROLL, (vectors, tail) => {
      for (let i = 0; i < vectors; i++) v.storePart(at(R8, v.bytes * i), 0, tail);
    });
  }, []);
}
