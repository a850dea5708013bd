import type { Assembler } from "../../assembler/assembler.js";
import type { InstructionSet, Vectors } from "../vectors.js";
import { Exponential } from "./exponential.js";
import { addLog1p } from "./logarithm.js";
import { FIRST_OWN, generateValueTile, STEP, type ValueStep } from "./value-tile.js";

/** The logistic losses, value and gradient at once (`TileKernels.logisticTile`). The stride is in bytes. */
export function generateLogisticTile(asm: Assembler, set: InstructionSet): void {
  generateValueTile(asm, set, logisticStep);
}

function logisticStep(v: Vectors): ValueStep {
  const last = v.set === "avx512" ? 31 : 14;
  const registers = Array.from({ length: last + 1 - FIRST_OWN }, (_, i) => FIRST_OWN + i);
  const exponential = new Exponential(v, registers);
  const { Y, VALUE, SPARE, SPARE2: ONE_AND_E, SPARE3: E, SLOPE: SIGMOID } = STEP;
  return {
    load: () => exponential.loadConstants(),
    step() {
      v.op("vorps", E, Y, v.inMemory(-0));
      exponential.apply(E, VALUE, SPARE, true);
      // σ(y) = 1 or e^y over 1 + e^−|y|
      v.zero(VALUE);
      v.load(SIGMOID, v.inMemory(1));
      v.op("vaddps", ONE_AND_E, SIGMOID, E);
      v.whereMove("less", SIGMOID, E, Y, VALUE, SPARE);
      v.op("vdivps", SIGMOID, SIGMOID, ONE_AND_E);
      // softplus(y) = max(y, 0) + log(1 + e^−|y|); the maximum of 0 and NaN is NaN.
      v.op("vmaxps", Y, VALUE, Y);
      addLog1p(v, VALUE, Y, E, [SPARE, ONE_AND_E]);
    },
  };
}
