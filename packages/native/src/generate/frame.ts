import type { Assembler } from "../assembler/assembler.js";
import { R12, R13, R14, R15, RBP, RBX, type Register } from "../assembler/operands.js";

/** What a function must leave as it was (System V). */
export const SAVED: readonly Register[] = [RBX, RBP, R12, R13, R14, R15];

export function save(asm: Assembler, registers: readonly Register[]): void {
  for (const register of registers) asm.push(register);
}

export function restore(asm: Assembler, registers: readonly Register[]): void {
  for (const register of registers.toReversed()) asm.pop(register);
}
