import type { Assembler } from "../../assembler/assembler.js";
import { at, indexed, R8, R9, R10, R11, RAX, RCX, RDI, type Register } from "../../assembler/operands.js";
import { argument, loadAddress, loadArgument } from "../arguments.js";
import { loadDoubles, sumDoubles } from "../doubles.js";
import { framed } from "../frame.js";
import { type InstructionSet, Vectors } from "../vectors.js";
import { eachPosition } from "./addresses.js";
import { setRowTail, type Walk, walkRow } from "./walk.js";

/** Where in its block of arguments, as float64 elements, a kernel leaves a result that is one. */
export const RESULT_DOUBLE = 16;

/** Vectors of running sums, v0 …; each vector of floats is two of float64. */
const SUMS = 4;

/** Stride and width in bytes. */
const ARGUMENT = { source: 0, sourceBytes: 1, rows: 2, width: 3 };

/** Σ of the squares of a block, in float64: running sums over all rows, then a tree. */
export function generateSumOfSquares(asm: Assembler, set: InstructionSet): void {
  const v = new Vectors(asm, set);
  const width = argument(ARGUMENT.width);
  const [SOURCE, SOURCE_BYTES, I, ROWS] = [R8, R9, R10, R11];
  framed(asm, () => {
    setRowTail(v, width, RAX, RCX);
    loadAddress(asm, SOURCE, ARGUMENT.source);
    loadArgument(asm, SOURCE_BYTES, ARGUMENT.sourceBytes);
    loadArgument(asm, ROWS, ARGUMENT.rows);
    clearSquares(v);
    eachPosition(asm, I, ROWS, () => {
      addSquares(v, SOURCE, { offset: RAX, left: RCX, width });
      asm.compute("add", SOURCE, SOURCE_BYTES);
    });
    foldSquares(v);
    asm.vex("vmovsdStore", 16, 0, -1, at(RDI, 8 * RESULT_DOUBLE));
  });
}

/** Running sums ← 0. */
export function clearSquares(v: Vectors): void {
  for (let i = 0; i < SUMS; i++) v.zero(i);
}

/** Adds the squares of a row to the running sums v0 … v3; uses v4 … v8. */
export function addSquares(v: Vectors, row: Register, walk: Walk): void {
  const { asm } = v;
  asm.movConstant(walk.offset, 0);
  walkRow(v, walk, SUMS / 2, (vectors, tail) => {
    for (let i = 0; i < vectors; i++) {
      const [low, high] = [SUMS + 2 * i, SUMS + 2 * i + 1];
      loadDoubles(v, low, high, indexed(row, walk.offset, 1, v.bytes * i), tail, 2 * SUMS);
      v.op("vfmadd231pd", 2 * i, low, low);
      v.op("vfmadd231pd", 2 * i + 1, high, high);
    }
  });
}

/** The first lane of v0 ← the total of the running sums. Uses v1 … v3. */
export function foldSquares(v: Vectors): void {
  v.op("vaddpd", 0, 0, 1);
  v.op("vaddpd", 2, 2, 3);
  v.op("vaddpd", 0, 0, 2);
  sumDoubles(v, 0, 1);
}
