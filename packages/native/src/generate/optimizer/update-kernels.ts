import { updateRowwiseAdagrad } from "./rowwise.js";
import { ADAGRAD, ADAM, MOMENTUM, SGD } from "./rules.js";
import { updateRows } from "./update.js";

/** The kernels behind `OptimizerKernels`: one for each kind of rule, and the same for tables in pieces. */
export const UPDATE_KERNELS = {
  updateSgd: updateRows(SGD, false),
  updateMomentum: updateRows(MOMENTUM, false),
  updateAdagrad: updateRows(ADAGRAD, false),
  updateRowwiseAdagrad: updateRowwiseAdagrad(false),
  updateAdam: updateRows(ADAM, false),
  updateSgdInPieces: updateRows(SGD, true),
  updateMomentumInPieces: updateRows(MOMENTUM, true),
  updateAdagradInPieces: updateRows(ADAGRAD, true),
  updateRowwiseAdagradInPieces: updateRowwiseAdagrad(true),
  updateAdamInPieces: updateRows(ADAM, true),
} as const;
