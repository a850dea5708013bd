import { requireInteger, requireNumber, requireOneOf, requirePositive } from "@logq/core";
import type { Address, MemoryPlan, UpdateRule } from "@logq/kernels";

export const OPTIMIZERS = ["sgd", "momentum", "adagrad", "rowwise-adagrad", "adam"] as const;

export type OptimizerName = (typeof OPTIMIZERS)[number];

/**
 * How parameters follow their gradients. Every rule is sparse by rows: a row that a step does not use neither moves nor ages (its momentum and
 * moments stand still, weight decay does not reach it); adam corrects its moments by the global step.
 */
export interface OptimizerSpec {
  readonly name: OptimizerName;
  /** > 0; `schedule` multiplies it. */
  readonly learningRate: number;
  /** Coupled L2: this much of the row is added to its gradient, in steps that touch the row. Biases are spared. */
  readonly weightDecay: number;
  /** momentum only, in [0, 1) */
  readonly momentum: number;
  /** adam only, in [0, 1) */
  readonly beta1: number;
  readonly beta2: number;
  /** > 0: adagrad, rowwise-adagrad and adam add it to the root. */
  readonly epsilon: number;
  /** adagrad and rowwise-adagrad: what accumulators start from, >= 0. */
  readonly initialAccumulator: number;
  /**
   * What the learning rate of an encoder's dense layers is multiplied by, > 0. A row of a table is touched now and then and may take long steps; a
   * dense matrix takes one every time, and adagrad's first steps are as long as the rate in every element. Default 0.1 for the adagrads, else 1.
   */
  readonly denseFactor: number;
  /** Gradients are scaled down so that their global norm, sparse rows included, is at most this; 0: no clipping and no price. */
  readonly clipNorm: number;
}

const DEFAULT_RATES: Record<OptimizerName, number> = {
  sgd: 0.5,
  momentum: 0.1,
  adagrad: 0.1,
  "rowwise-adagrad": 0.1,
  adam: 1e-3,
};

/** Fills in defaults and checks ranges. @throws OptionError */
export function optimizerSpec(options: Partial<OptimizerSpec> = {}): OptimizerSpec {
  const name = requireOneOf("optimizer", options.name ?? "adagrad", OPTIMIZERS);
  return {
    name,
    learningRate: requirePositive("learning rate", options.learningRate ?? DEFAULT_RATES[name]),
    weightDecay: requireNumber("weight decay", options.weightDecay ?? 0, 0),
    momentum: requireNumber("momentum", options.momentum ?? 0.9, 0, 1 - 1e-9),
    beta1: requireNumber("beta1", options.beta1 ?? 0.9, 0, 1 - 1e-9),
    beta2: requireNumber("beta2", options.beta2 ?? 0.999, 0, 1 - 1e-9),
    epsilon: requirePositive("epsilon", options.epsilon ?? (name === "adam" ? 1e-8 : 1e-10)),
    initialAccumulator: requireNumber("initial accumulator", options.initialAccumulator ?? 0, 0),
    denseFactor: requirePositive("dense factor", options.denseFactor ?? (name.endsWith("adagrad") ? 0.1 : 1)),
    clipNorm: requireNumber("clip norm", options.clipNorm ?? 0, 0),
  };
}

/** Where the state of one table lies; 0: the rule keeps none. */
export interface TableState {
  readonly state: Address;
  readonly secondState: Address;
  /** Elements of each state (rows·ld, or rows for one a row). */
  readonly stateElements: number;
  readonly secondStateElements: number;
}

/** Elements that `name` keeps for a row of `ld` elements: one a row, or one for each, or none. */
export function stateWidths(name: OptimizerName, ld: number): { stateLd: number; secondStateLd: number } {
  const stateLd = name === "sgd" ? 0 : name === "rowwise-adagrad" ? 1 : ld;
  return { stateLd, secondStateLd: name === "adam" ? ld : 0 };
}

/** Reserves what `name` keeps for a table of `rows` rows with leading dimension `ld`. */
export function planState(plan: MemoryPlan, name: OptimizerName, table: string, rows: number, ld: number): TableState {
  requireInteger("rows", rows, 0);
  const { stateLd, secondStateLd } = stateWidths(name, ld);
  const [elements, second] = [rows * stateLd, rows * secondStateLd];
  const reserve = (what: string, count: number) => (count > 0 ? plan.reserve(`${table}.${what}`, 4 * count) : 0);
  return {
    state: reserve("state", elements),
    secondState: reserve("secondState", second),
    stateElements: elements,
    secondStateElements: second,
  };
}

/** A rule object whose fields `setStep` changes from step to step. */
export function createRule(spec: OptimizerSpec): UpdateRule {
  return {
    kind: spec.name,
    learningRate: spec.learningRate,
    weightDecay: spec.weightDecay,
    gradientScale: 1,
    momentum: spec.momentum,
    beta1: spec.beta1,
    beta2: spec.beta2,
    epsilon: spec.epsilon,
    correction1: 1,
    correction2: 1,
  };
}

/** Brings a rule to `step` (0 is the first): the scheduled rate and adam's corrections 1 − β^(step+1). */
export function setStep(rule: UpdateRule, spec: OptimizerSpec, rateFactor: number, step: number): void {
  rule.learningRate = spec.learningRate * rateFactor;
  rule.correction1 = 1 - spec.beta1 ** (step + 1);
  rule.correction2 = 1 - spec.beta2 ** (step + 1);
  rule.gradientScale = 1;
}
