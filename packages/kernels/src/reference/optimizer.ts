import type { OptimizerKernels, RowBlock, UpdateRule } from "../interface/optimizer.js";
import type { KernelMemory } from "../memory.js";

/** The update rules, one element after the other, each a transcript of its formula in `UpdateRule`. */
export function referenceOptimizer({ f32, i32 }: KernelMemory): OptimizerKernels {
  /** g = gradientScale·gradient + weightDecay·w for the elements numbered `gradient` and `w`. */
  function gradientOf(rule: UpdateRule, gradient: number, w: number): number {
    return rule.gradientScale * f32[gradient]! + rule.weightDecay * f32[w]!;
  }

  function updateElement(rule: UpdateRule, w: number, g: number, state: number, secondState: number): void {
    const lr = rule.learningRate;
    switch (rule.kind) {
      case "sgd":
        f32[w]! -= lr * g;
        return;
      case "momentum":
        f32[state] = rule.momentum * f32[state]! + g;
        f32[w]! -= lr * f32[state]!;
        return;
      case "adagrad":
        f32[state]! += g * g;
        f32[w]! -= (lr * g) / (Math.sqrt(f32[state]!) + rule.epsilon);
        return;
      case "adam":
        f32[state] = rule.beta1 * f32[state]! + (1 - rule.beta1) * g;
        f32[secondState] = rule.beta2 * f32[secondState]! + (1 - rule.beta2) * g * g;
        f32[w]! -=
          (lr * (f32[state]! / rule.correction1)) / (Math.sqrt(f32[secondState]! / rule.correction2) + rule.epsilon);
        return;
    }
  }

  /** Row-wise adagrad: one accumulator, element `state`, for the row of D elements at `row`. */
  function updateRowwise(rule: UpdateRule, row: number, gradient: number, D: number, state: number): void {
    let squares = 0;
    for (let d = 0; d < D; d++) squares += gradientOf(rule, gradient + d, row + d) ** 2;
    f32[state]! += squares / D;
    const rate = rule.learningRate / (Math.sqrt(f32[state]!) + rule.epsilon);
    for (let d = 0; d < D; d++) f32[row + d]! -= rate * gradientOf(rule, gradient + d, row + d);
  }

  return {
    updateRows(rule, block: RowBlock) {
      const { D, ldTable } = block;
      for (let j = 0; j < block.count; j++) {
        const i = block.indices === 0 ? j : i32[(block.indices >>> 2) + j]!;
        const row = (block.table >>> 2) + i * ldTable;
        const gradient = (block.gradient >>> 2) + j * block.ldGradient;
        if (rule.kind === "rowwise-adagrad") {
          updateRowwise(rule, row, gradient, D, (block.state >>> 2) + i);
          continue;
        }
        const state = (block.state >>> 2) + i * ldTable;
        const secondState = (block.secondState >>> 2) + i * ldTable;
        for (let d = 0; d < D; d++) {
          updateElement(rule, row + d, gradientOf(rule, gradient + d, row + d), state + d, secondState + d);
        }
      }
    },
  };
}
