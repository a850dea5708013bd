import type { Assembler } from "../assembler/assembler.js";
import { generateMultiply } from "./multiply.js";
import { generatePackRight, generatePackRightTransposed } from "./pack.js";
import type { InstructionSet } from "./vectors.js";

/** The kernels behind `MatrixKernels`. */
export const MATRIX_KERNELS = {
  multiplyRows: (asm: Assembler, set: InstructionSet) => generateMultiply(asm, set, "rows"),
  multiplyColumns: (asm: Assembler, set: InstructionSet) => generateMultiply(asm, set, "columns"),
  packRight: generatePackRight,
  packRightTransposed: generatePackRightTransposed,
} as const;
