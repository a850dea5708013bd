import { generateUpdateRowwiseAdagrad } from "./rowwise.js";
import { ADAGRAD, ADAM, MOMENTUM, SGD } from "./rules.js";
import { updateRows } from "./update.js";

/** The kernels behind `OptimizerKernels`: one for each kind of rule. */
export const UPDATE_KERNELS = {
  updateSgd: updateRows(SGD),
  updateMomentum: updateRows(MOMENTUM),
  updateAdagrad: updateRows(ADAGRAD),
  updateRowwiseAdagrad: generateUpdateRowwiseAdagrad,
  updateAdam: updateRows(ADAM),
} as const;
