import type { Assembler } from "../../assembler/assembler.js";
import type { Register } from "../../assembler/operands.js";

/** Two mask registers ← the lower and the upper 16 of 32 bits. Changes `bits`. */
export function setHalves(asm: Assembler, masks: readonly [number, number], bits: Register): void {
  asm.kmovToMask(masks[0], bits);
  asm.shiftRight(bits, 16);
  asm.kmovToMask(masks[1], bits);
}
