import type { Assembler } from "../assembler/assembler.js";
import { at, Label, type Memory, RDI, type Register } from "../assembler/operands.js";

/** Where a kernel finds its arguments: RDI points at 64-bit address of the memory, then 32-bit words. */
export const BASE = at(RDI, 0);

/** Words before the first argument. */
export const FIRST_WORD = 2;

/** The number of each argument of a kernel, from their names in order. */
export function argumentNumbers<Name extends string>(names: readonly Name[]): Readonly<Record<Name, number>> {
  return Object.fromEntries(names.map((name, i) => [name, i])) as Record<Name, number>;
}

/** Argument `index`, 32 bits: an offset into the memory, a count, bytes of a stride, or a float. */
export function argument(index: number): Memory {
  return at(RDI, 4 * (FIRST_WORD + index));
}

/** register ← an argument, without sign */
export function loadArgument(asm: Assembler, register: Register, index: number): void {
  asm.mov32(register, argument(index));
}

/** register ← the address that an argument stands for */
export function loadAddress(asm: Assembler, register: Register, index: number): void {
  asm.mov32(register, argument(index));
  asm.compute("add", register, BASE);
}

/** The same, but 0 where the argument is 0: absent. */
export function loadOptional(asm: Assembler, register: Register, index: number): void {
  const absent = new Label();
  asm.mov32(register, argument(index));
  asm.test(register);
  asm.jumpIf("equal", absent);
  asm.compute("add", register, BASE);
  asm.bind(absent);
}
