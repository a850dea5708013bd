import type { OptimizerKernels, RowBlock, UpdateRule } from "../interface/optimizer.js";
import type { WasmExports } from "./exports.js";

/** One export for each kind of rule. Products of the constants are formed here, in float64, once a call. */
export function wasmOptimizer(wasm: WasmExports): OptimizerKernels {
  const { updateSgd, updateMomentum, updateAdagrad, updateRowwiseAdagrad } = wasm;
  const updateAdam = wasmAdam(wasm);

  return {
    updateRows(rule, block) {
      const { table, ldTable, indices, gradient, ldGradient, count, D, state } = block;
      const { gradientScale: scale, weightDecay: decay, learningRate: rate, momentum, epsilon } = rule;
      switch (rule.kind) {
        case "sgd":
          return updateSgd(table, ldTable, indices, gradient, ldGradient, count, D, scale, decay, rate);
        case "momentum":
          return updateMomentum(
            table,
            ldTable,
            indices,
            gradient,
            ldGradient,
            count,
            D,
            state,
            scale,
            decay,
            rate,
            momentum,
          );
        case "adagrad":
          return updateAdagrad(
            table,
            ldTable,
            indices,
            gradient,
            ldGradient,
            count,
            D,
            state,
            scale,
            decay,
            rate,
            epsilon,
          );
        case "rowwise-adagrad":
          return updateRowwiseAdagrad(
            table,
            ldTable,
            indices,
            gradient,
            ldGradient,
            count,
            D,
            state,
            scale,
            decay,
            rate,
            epsilon,
          );
        case "adam":
          return updateAdam(rule, block);
      }
    },
  };
}

function wasmAdam({ updateAdam }: WasmExports): (rule: UpdateRule, block: RowBlock) => void {
  return (rule, { table, ldTable, indices, gradient, ldGradient, count, D, state, secondState }) => {
    const { gradientScale, weightDecay, epsilon, beta1, beta2 } = rule;
    const rate = rule.learningRate / rule.correction1;
    const unbias = 1 / rule.correction2;
    updateAdam(
      table,
      ldTable,
      indices,
      gradient,
      ldGradient,
      count,
      D,
      state,
      secondState,
      gradientScale,
      weightDecay,
      rate,
      unbias,
      epsilon,
      beta1,
      1 - beta1,
      beta2,
      1 - beta2,
    );
  };
}
