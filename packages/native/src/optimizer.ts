import type { OptimizerKernels, RowBlock, UpdateRule } from "@logq/kernels";
import { rowsAhead } from "./ahead.js";
import type { Bind, BoundKernel } from "./bind.js";
import { CONSTANTS, type Constant } from "./generate/optimizer/rules.js";
import { UPDATE_ARGUMENT } from "./generate/optimizer/update.js";

/** Places of the arguments' words. */
const [FIRST, AT] = [2, UPDATE_ARGUMENT] as const;
const CONSTANT = Object.fromEntries(CONSTANTS.map((name, i) => [name, FIRST + AT.constants + i])) as Record<
  Constant,
  number
>;

/** Tables whose rows an update changes. */
export const TABLES: Readonly<Record<UpdateRule["kind"], number>> = {
  sgd: 1,
  momentum: 2,
  adagrad: 2,
  "rowwise-adagrad": 1,
  adam: 3,
};

/** Updates of tables' rows, over one memory. Products of the constants are formed here, in float64, once a call. */
export function nativeOptimizer(bind: Bind): OptimizerKernels {
  const kernels: Readonly<Record<UpdateRule["kind"], BoundKernel>> = {
    sgd: bind("updateSgd"),
    momentum: bind("updateMomentum"),
    adagrad: bind("updateAdagrad"),
    "rowwise-adagrad": bind("updateRowwiseAdagrad"),
    adam: bind("updateAdam"),
  };
  return {
    updateRows(rule, block) {
      const kernel = kernels[rule.kind];
      tellConstants(kernel.floats, rule, block.D);
      tellBlock(kernel.words, rule.kind, block);
      kernel.run();
    },
  };
}

/** Writes what rules are made of. */
export function tellConstants(floats: Float32Array, rule: UpdateRule, D: number): void {
  const { beta1, beta2 } = rule;
  floats[CONSTANT.gradientScale] = rule.gradientScale;
  floats[CONSTANT.weightDecay] = rule.weightDecay;
  floats[CONSTANT.rate] = rule.kind === "adam" ? rule.learningRate / rule.correction1 : rule.learningRate;
  floats[CONSTANT.momentum] = rule.momentum;
  floats[CONSTANT.epsilon] = rule.epsilon;
  floats[CONSTANT.unbias] = 1 / rule.correction2;
  floats[CONSTANT.beta1] = beta1;
  floats[CONSTANT.gain1] = 1 - beta1;
  floats[CONSTANT.beta2] = beta2;
  floats[CONSTANT.gain2] = 1 - beta2;
  floats[CONSTANT.width] = D;
}

function tellBlock(words: Uint32Array, kind: UpdateRule["kind"], block: RowBlock): void {
  const { ldTable, indices, ldGradient, count, D } = block;
  // Rows in sequence without gaps are one long row, as far as elements are independent.
  const flat = indices === 0 && ldTable === D && ldGradient === D && kind !== "rowwise-adagrad";
  words[FIRST + AT.table] = block.table;
  words[FIRST + AT.rowBytes] = 4 * ldTable;
  words[FIRST + AT.indices] = indices;
  words[FIRST + AT.gradient] = block.gradient;
  words[FIRST + AT.gradientBytes] = 4 * ldGradient;
  words[FIRST + AT.count] = flat ? 1 : count;
  words[FIRST + AT.width] = flat ? 4 * D * count : 4 * D;
  words[FIRST + AT.state] = block.state;
  words[FIRST + AT.secondState] = block.secondState;
  words[FIRST + AT.ahead] = rowsAhead(TABLES[kind], D);
}
