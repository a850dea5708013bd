import type { Address } from "../memory.js";

/**
 * The rows that one update touches. Row j (j < count) of `gradient` belongs to row i = indices[j] of `table` (indices 0: i = j).
 * Each row may appear once: the gradient of a row is complete before it is applied.
 */
export interface RowBlock {
  table: Address;
  ldTable: number;
  /** int32 (count), or 0 */
  indices: Address;
  gradient: Address;
  ldGradient: number;
  count: number;
  D: number;
  /** First state table, laid out like `table` (momentum: velocity; adagrad: accumulator; adam: first moment); row-wise adagrad: one float32 a row. 0 for sgd. */
  state: Address;
  /** Second state table (adam: second moment), laid out like `table`. Else 0. */
  secondState: Address;
}

/**
 * How a row is updated. With g = gradientScale·gradient + weightDecay·w (coupled L2, on touched rows only):
 *
 * - sgd: w −= lr·g
 * - momentum: v ← momentum·v + g; w −= lr·v
 * - adagrad: a ← a + g²; w −= lr·g / (√a + epsilon)
 * - rowwise-adagrad: a ← a + mean_d g²; w −= lr·g / (√a + epsilon), one a for the row
 * - adam: m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; w −= lr·(m/correction1) / (√(v/correction2) + epsilon)
 *
 * Untouched rows do not move and their state does not decay (lazy); adam's corrections 1−β^t are those of the global step, passed in.
 * All fields are always present, so that one object serves every step; those a rule does not use are ignored.
 */
export interface UpdateRule {
  kind: "sgd" | "momentum" | "adagrad" | "rowwise-adagrad" | "adam";
  learningRate: number;
  weightDecay: number;
  gradientScale: number;
  momentum: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  correction1: number;
  correction2: number;
}

export interface OptimizerKernels {
  /** Applies `rule` to the rows of `block`, in place. */
  updateRows(rule: UpdateRule, block: RowBlock): void;
}
