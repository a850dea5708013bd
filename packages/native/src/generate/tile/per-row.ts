import type { Assembler } from "../../assembler/assembler.js";
import { at, R8, R9, R10, R11, RAX, RCX, RDX, RSI } from "../../assembler/operands.js";
import { loadAddress, loadArgument } from "../arguments.js";
import { framed } from "../frame.js";
import { type InstructionSet, Vectors } from "../vectors.js";
import { storeLanes } from "./tails.js";
import { eachClass, eachStrip } from "./walks.js";

const ARGUMENT = { z: 0, ld: 1, C: 2, R: 3, value: 4 } as const;

const [Z, COUNT, VALUE, LD, ROWS, AT, TEMP, TEMP2] = [RSI, RCX, R8, R9, R10, R11, RAX, RDX];

/** Vector registers: the logits of a class, and the rows' values. */
const [X, FIRST_VALUE, SPARE] = [0, 4, 8];

/** z[c][r] ← factor[r]·z[c][r] (`TileKernels.scaleColumns`). The stride is in bytes. */
export function generateScaleColumns(asm: Assembler, set: InstructionSet): void {
  changeByRow(new Vectors(asm, set), "vmulps");
}

/** z[c][r] ← z[c][r] − value[r] (`TileKernels.subtractPerRow`). The stride is in bytes. */
export function generateSubtractPerRow(asm: Assembler, set: InstructionSet): void {
  changeByRow(new Vectors(asm, set), "vsubps");
}

function changeByRow(v: Vectors, operation: "vmulps" | "vsubps"): void {
  const { asm } = v;
  framed(asm, () => {
    loadArgument(asm, LD, ARGUMENT.ld);
    loadArgument(asm, ROWS, ARGUMENT.R);
    asm.movConstant(AT, 0);
    eachStrip(v, { left: ROWS, at: AT, scratch: TEMP, scratch2: TEMP2 }, [4, 1], (vectors, tail) => {
      loadAddress(asm, VALUE, ARGUMENT.value);
      asm.compute("add", VALUE, AT);
      for (let i = 0; i < vectors; i++) v.loadPart(FIRST_VALUE + i, at(VALUE, i * v.bytes), tail);
      loadAddress(asm, Z, ARGUMENT.z);
      asm.compute("add", Z, AT);
      loadArgument(asm, COUNT, ARGUMENT.C);
      eachClass(asm, { left: COUNT, at: Z, ld: LD }, (place) => {
        for (let i = 0; i < vectors; i++) {
          v.loadPart(X + i, place(i * v.bytes), tail);
          v.op(operation, X + i, X + i, FIRST_VALUE + i);
          storeLanes(v, place(i * v.bytes), X + i, tail, { count: ROWS, spare: SPARE });
        }
      });
    });
  }, []);
}
