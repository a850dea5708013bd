import type { Assembler } from "../../assembler/assembler.js";
import {
  at,
  indexed,
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
import { eachPosition, optionalRowOffset, unlessZero } from "./addresses.js";
import { askForRow, askUpTo } from "./ahead.js";
import { setRowTail, type Walk, walkRow } from "./walk.js";

/** Strides and width in bytes; `ahead` in rows. */
const ARGUMENT = { out: 0, a: 1, aBytes: 2, aIndices: 3, b: 4, bBytes: 5, bIndices: 6, count: 7, width: 8, ahead: 9 };

const [OUT, A, A_BYTES, A_INDICES, B, B_BYTES, B_INDICES] = [R8, R9, R10, R11, R12, R13, R14];
const [J, NEXT, COUNT] = [R15, RBX, RBP];
const [OFFSET, LEFT, ROW_A, ROW_B] = [RAX, RCX, RDX, RSI];

/** out[j] = ⟨a[aIndices[j]], b[bIndices[j]]⟩ */
export function generatePairDots(asm: Assembler, set: InstructionSet): void {
  const v = new Vectors(asm, set);
  const width = argument(ARGUMENT.width);
  const named = [
    { tables: [A], toWrite: false, indices: A_INDICES, rowBytes: A_BYTES, width },
    { tables: [B], toWrite: false, indices: B_INDICES, rowBytes: B_BYTES, width },
  ];
  const positions = { next: NEXT, end: COUNT };
  framed(asm, () => {
    setRowTail(v, width, RAX, RCX);
    loadAddress(asm, OUT, ARGUMENT.out);
    loadAddress(asm, A, ARGUMENT.a);
    loadArgument(asm, A_BYTES, ARGUMENT.aBytes);
    loadOptional(asm, A_INDICES, ARGUMENT.aIndices);
    loadAddress(asm, B, ARGUMENT.b);
    loadArgument(asm, B_BYTES, ARGUMENT.bBytes);
    loadOptional(asm, B_INDICES, ARGUMENT.bIndices);
    loadArgument(asm, COUNT, ARGUMENT.count);
    asm.movConstant(NEXT, 0);
    eachPosition(asm, J, COUNT, () => {
      loadArgument(asm, ROW_B, ARGUMENT.ahead);
      asm.compute("add", ROW_B, J);
      askUpTo(asm, positions, ROW_B, () => {
        for (const rows of named) unlessZero(asm, rows.indices, () => askForRow(asm, rows, positions, OFFSET, LEFT));
      });
      optionalRowOffset(asm, ROW_A, A_INDICES, J, A_BYTES);
      asm.compute("add", ROW_A, A);
      optionalRowOffset(asm, ROW_B, B_INDICES, J, B_BYTES);
      asm.compute("add", ROW_B, B);
      dot(v, ROW_A, ROW_B, { offset: OFFSET, left: LEFT, width });
      asm.vex("vmovssStore", 16, 0, -1, at(OUT));
      asm.computeConstant("add", OUT, 4);
    });
  });
}

/** The first lane of v0 ← ⟨row a, row b⟩: four vectors of running sums, then a tree. Uses v0 … v7. */
export function dot(v: Vectors, a: number, b: number, walk: Walk): void {
  const { asm } = v;
  for (let i = 0; i < 4; i++) v.zero(i);
  asm.movConstant(walk.offset, 0);
  walkRow(v, walk, 4, (vectors, tail) => {
    for (let i = 0; i < vectors; i++) v.loadPart(4 + i, indexed(a, walk.offset, 1, v.bytes * i), tail);
    for (let i = 0; i < vectors; i++) {
      const right = indexed(b, walk.offset, 1, v.bytes * i);
      if (!tail) {
        v.op("vfmadd231ps", i, 4 + i, right);
        continue;
      }
      v.loadTail(5, right);
      v.op("vfmadd231ps", i, 4, 5);
    }
  });
  v.op("vaddps", 0, 0, 1);
  v.op("vaddps", 2, 2, 3);
  v.op("vaddps", 0, 0, 2);
  v.sumLanes(0, 1);
}
