import type { Assembler } from "../../assembler/assembler.js";
import { at, indexed, Label, R8, R9, R10, R11, RAX, RCX, RDI } from "../../assembler/operands.js";
import { argument, loadAddress, loadArgument } from "../arguments.js";
import { framed } from "../frame.js";
import { type InstructionSet, Vectors } from "../vectors.js";
import { eachPosition } from "./addresses.js";
import { RESULT_DOUBLE } from "./squares.js";
import { setRowTail, walkRow } from "./walk.js";

/** Stride and width in bytes. */
const ARGUMENT = { source: 0, sourceBytes: 1, rows: 2, width: 3 };

const SUMS = 4;
const [ZERO, PART] = [SUMS, SUMS + 1];

/** Answers 1 if no element of a block is NaN or infinite: 0·x is 0 then, and otherwise NaN, which a sum keeps. */
export function generateAllFinite(asm: Assembler, set: InstructionSet): void {
  const v = new Vectors(asm, set);
  const width = argument(ARGUMENT.width);
  const [SOURCE, SOURCE_BYTES, I, ROWS, OFFSET] = [R8, R9, R10, R11, RAX];
  framed(asm, () => {
    setRowTail(v, width, RAX, RCX);
    loadAddress(asm, SOURCE, ARGUMENT.source);
    loadArgument(asm, SOURCE_BYTES, ARGUMENT.sourceBytes);
    loadArgument(asm, ROWS, ARGUMENT.rows);
    for (let i = 0; i <= SUMS; i++) v.zero(i);
    eachPosition(asm, I, ROWS, () => {
      asm.movConstant(OFFSET, 0);
      walkRow(v, { offset: OFFSET, left: RCX, width }, SUMS, (vectors, tail) => {
        for (let i = 0; i < vectors; i++) {
          const place = indexed(SOURCE, OFFSET, 1, v.bytes * i);
          if (tail) v.loadTail(PART, place);
          v.op("vfmadd231ps", i, ZERO, tail ? PART : place);
        }
      });
      asm.compute("add", SOURCE, SOURCE_BYTES);
    });
    for (let i = 1; i < SUMS; i++) v.op("vaddps", 0, 0, i);
    v.sumLanes(0, 1);
    answerWhetherZero(asm);
  });
}

/** eax ← whether the first lane of v0 is 0 or −0. */
function answerWhetherZero(asm: Assembler): void {
  const zero = new Label();
  asm.vex("vmovssStore", 16, 0, -1, at(RDI, 8 * RESULT_DOUBLE));
  asm.mov32(RAX, at(RDI, 8 * RESULT_DOUBLE));
  // All bits but the sign.
  asm.shiftLeft(RAX, 33);
  asm.movConstant(RAX, 1);
  asm.jumpIf("equal", zero);
  asm.movConstant(RAX, 0);
  asm.bind(zero);
}
