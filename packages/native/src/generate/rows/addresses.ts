import type { Assembler } from "../../assembler/assembler.js";
import { indexed, Label, type Memory, type Register } from "../../assembler/operands.js";

/** offset ← bytes from a table's start to the row that position `position` of `indices` names. */
export function rowOffset(
  asm: Assembler,
  offset: Register,
  indices: Register,
  position: Register,
  rowBytes: Register | Memory,
): void {
  asm.mov32(offset, indexed(indices, position, 4));
  asm.imul(offset, rowBytes);
}

/** The same where `indices` may be 0: the row is the position itself then. */
export function optionalRowOffset(
  asm: Assembler,
  offset: Register,
  indices: Register,
  position: Register,
  rowBytes: Register,
): void {
  const known = new Label();
  asm.mov(offset, position);
  asm.test(indices);
  asm.jumpIf("equal", known);
  asm.mov32(offset, indexed(indices, position, 4));
  asm.bind(known);
  asm.imul(offset, rowBytes);
}

/** Runs `body` unless `register` is 0. */
export function unlessZero(asm: Assembler, register: Register, body: () => void): void {
  const skip = new Label();
  asm.test(register);
  asm.jumpIf("equal", skip);
  body();
  asm.bind(skip);
}

/** Runs `body` for positions `position` = 0, 1, … below `count`. */
export function eachPosition(asm: Assembler, position: Register, count: Register, body: () => void): void {
  const done = new Label();
  asm.movConstant(position, 0);
  asm.test(count);
  asm.jumpIf("equal", done);
  asm.align(32);
  const loop = asm.here();
  body();
  asm.computeConstant("add", position, 1);
  asm.compute("cmp", position, count);
  asm.jumpIf("below", loop);
  asm.bind(done);
}
