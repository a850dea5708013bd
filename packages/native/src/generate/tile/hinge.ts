import type { Assembler } from "../../assembler/assembler.js";
import { argument } from "../arguments.js";
import type { InstructionSet, Vectors } from "../vectors.js";
import { FIRST_OWN, generateValueTile, OWN_ARGUMENT, STEP, type ValueStep } from "./value-tile.js";

const [MARGIN, ONE] = [FIRST_OWN, FIRST_OWN + 1];

/** The hinge, value and gradient at once (`TileKernels.hingeTile`): its margin is the last argument here. The stride is in bytes. */
export function generateHingeTile(asm: Assembler, set: InstructionSet): void {
  generateValueTile(asm, set, hingeStep);
}

function hingeStep(v: Vectors): ValueStep {
  const { Y, VALUE, SPARE: ZERO, SLOPE } = STEP;
  return {
    load() {
      v.broadcast(MARGIN, argument(OWN_ARGUMENT));
      v.constant(ONE, 1);
    },
    step() {
      v.op("vsubps", Y, Y, MARGIN);
      v.zero(ZERO);
      v.zero(SLOPE);
      v.whereMove("greater", SLOPE, ONE, Y, ZERO, VALUE);
      // The maximum of 0 and NaN is NaN.
      v.op("vmaxps", VALUE, ZERO, Y);
    },
  };
}
