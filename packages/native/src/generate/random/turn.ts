import { Label, type Register } from "../../assembler/operands.js";
import type { Vectors } from "../vectors.js";

/**
 * Does `part` to a whole vector and takes its bytes off `left`; or to the tail, which has been set, or to nothing, and goes to `end`. A turn of
 * a generator makes several vectors, of which the last turn may want fewer.
 */
export function nextVector(v: Vectors, left: Register, end: Label, part: (tail: boolean) => void): void {
  const { asm, bytes } = v;
  const whole = new Label();
  asm.computeConstant("cmp", left, bytes);
  asm.jumpIf("aboveOrEqual", whole);
  asm.test(left);
  asm.jumpIf("equal", end);
  part(true);
  asm.jump(end);
  asm.bind(whole);
  part(false);
  asm.computeConstant("sub", left, bytes);
}
