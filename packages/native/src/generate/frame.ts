import type { Assembler } from "../assembler/assembler.js";
import { R12, R13, R14, R15, RBP, RBX, type Register } from "../assembler/operands.js";

/** What a function must leave as it was (System V). */
const SAVED: readonly Register[] = [RBX, RBP, R12, R13, R14, R15];

/** A function around `body`, which changes of the registers that must be kept only those in `saved`. */
export function framed(asm: Assembler, body: () => void, saved: readonly Register[] = SAVED): void {
  enter(asm, saved);
  body();
  leave(asm, saved);
}

/** How a function begins. */
export function enter(asm: Assembler, saved: readonly Register[] = SAVED): void {
  for (const register of saved) asm.push(register);
}

/** How it ends. */
export function leave(asm: Assembler, saved: readonly Register[] = SAVED): void {
  for (const register of saved.toReversed()) asm.pop(register);
  asm.vzeroupper();
  asm.ret();
}
