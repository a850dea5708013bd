import type { Assembler } from "../../assembler/assembler.js";
import { at, R8, R9, R10, R11, R12, RAX, RCX, RDX, RSI } from "../../assembler/operands.js";
import { loadAddress, loadArgument } from "../arguments.js";
import { framed } from "../frame.js";
import { type InstructionSet, Vectors } from "../vectors.js";
import { Exponential } from "./exponential.js";
import { finiteOf, nonzeroOf } from "./lanes.js";
import { storeLanes } from "./tails.js";
import { eachClass, eachStrip } from "./walks.js";

/** Vector registers. */
const [X, SPARE, SPARE2, FACTOR, ON, LSE] = [0, 1, 2, 3, 4, 5];
const CONSTANTS = [6, 7, 8, 9, 10, 11, 12, 13, 14] as const;

const GRADIENT = { z: 0, ld: 1, C: 2, R: 3, lse: 4, coefficient: 5 } as const;

/**
 * z ← coefficient[r]·e^{z − lse[r]} (`TileKernels.softmaxGradient`). Strips of a cache line with AVX-512, half of one with AVX2, all classes. The
 * stride is in bytes.
 */
export function generateSoftmaxGradient(asm: Assembler, set: InstructionSet): void {
  const v = new Vectors(asm, set);
  const exponential = new Exponential(v, CONSTANTS);
  const [Z, COUNT, LD, ROWS, AT, VECTOR, TEMP, TEMP2] = [RSI, RCX, R9, R10, R11, R8, RAX, RDX];
  framed(asm, () => {
    loadArgument(asm, LD, GRADIENT.ld);
    loadArgument(asm, ROWS, GRADIENT.R);
    asm.movConstant(AT, 0);
    exponential.loadConstants();
    eachStrip(v, { left: ROWS, at: AT, scratch: TEMP, scratch2: TEMP2 }, [1], (_, tail) => {
      loadAddress(asm, VECTOR, GRADIENT.lse);
      asm.compute("add", VECTOR, AT);
      v.loadPart(LSE, at(VECTOR), tail);
      finiteOf(v, LSE, [X, SPARE, SPARE2]);
      loadAddress(asm, VECTOR, GRADIENT.coefficient);
      asm.compute("add", VECTOR, AT);
      v.loadPart(FACTOR, at(VECTOR), tail);
      nonzeroOf(v, ON, FACTOR, [X, SPARE, SPARE2]);
      loadAddress(asm, Z, GRADIENT.z);
      asm.compute("add", Z, AT);
      loadArgument(asm, COUNT, GRADIENT.C);
      eachClass(asm, { left: COUNT, at: Z, ld: LD }, (place) => {
        v.loadPart(X, place(0), tail);
        v.op("vsubps", X, X, LSE);
        exponential.limit(X, SPARE);
        exponential.apply(X, SPARE, SPARE2);
        v.op("vmulps", X, X, FACTOR);
        v.op("vandps", X, X, ON);
        storeLanes(v, place(0), X, tail, { count: ROWS, spare: SPARE });
      });
    });
  }, []);
}

const FACTORS = { out: 0, reference: 1, lse: 2, coefficient: 3, R: 4 } as const;

/** out[r] = coefficient[r]·e^{reference[r] − lse[r]} (`TileKernels.softmaxFactors`). */
export function generateSoftmaxFactors(asm: Assembler, set: InstructionSet): void {
  const v = new Vectors(asm, set);
  const exponential = new Exponential(v, CONSTANTS);
  const [OUT, REFERENCE, LSE_AT, COEFFICIENT, ROWS, AT, TEMP, TEMP2] = [R8, R9, R10, R11, RCX, R12, RAX, RDX];
  framed(asm, () => {
    loadArgument(asm, ROWS, FACTORS.R);
    asm.movConstant(AT, 0);
    exponential.loadConstants();
    eachStrip(v, { left: ROWS, at: AT, scratch: TEMP, scratch2: TEMP2 }, [1], (_, tail) => {
      const place = (register: number, index: number) => {
        loadAddress(asm, register, index);
        asm.compute("add", register, AT);
        return at(register);
      };
      v.loadPart(FACTOR, place(COEFFICIENT, FACTORS.coefficient), tail);
      nonzeroOf(v, ON, FACTOR, [X, SPARE, SPARE2]);
      v.loadPart(X, place(REFERENCE, FACTORS.reference), tail);
      v.loadPart(LSE, place(LSE_AT, FACTORS.lse), tail);
      v.op("vsubps", X, X, LSE);
      exponential.limit(X, SPARE);
      exponential.apply(X, SPARE, SPARE2, true);
      v.op("vmulps", X, X, FACTOR);
      v.op("vandps", X, X, ON);
      v.storePart(place(OUT, FACTORS.out), X, tail);
    });
  }, [R12]);
}
