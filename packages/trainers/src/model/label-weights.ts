import { OptionError, requireInteger, requireNumber, requireOneOf } from "@logq/core";
import { allocateShared } from "@logq/datasets";
import {
  effectiveNumberWeights,
  inverseFrequencyWeights,
  type LossSpec,
  labelPropensities,
  requireClassWeighted,
  requireClassWeights,
  requirePropensities,
  requirePropensityConstants,
} from "@logq/losses";
import type { TrainLossName } from "./adaptive.js";

export const CLASS_WEIGHT_RULES = ["inverse-frequency", "effective-number"] as const;

/** Class weights by how often classes are labels: see `inverseFrequencyWeights` and `effectiveNumberWeights`. Defaults: power 1, beta 0.9999. */
export type FrequencyRule =
  | { readonly kind: "inverse-frequency"; readonly power?: number }
  | { readonly kind: "effective-number"; readonly beta?: number };

/** (n) numbers >= 0 in id order, or a rule, or its name. */
export type ClassWeights = ArrayLike<number> | FrequencyRule | FrequencyRule["kind"];

/** Where class weights came from: what is recorded of them. Given numbers are not. */
export type ClassWeightRule = Required<FrequencyRule> | { readonly kind: "given" };

/**
 * (n) numbers in (0, 1] in id order, or the constants of `labelPropensities`. `examples` are the rows that labels are counted in: by default those of the
 * training part; an output layer has to be told.
 */
export type Propensities = ArrayLike<number> | { readonly A: number; readonly B: number; readonly examples?: number };

/** Where propensities came from. */
export type PropensityRule =
  | { readonly kind: "given" }
  | { readonly kind: "counts"; readonly A: number; readonly B: number; readonly examples: number | null };

/** What a user may say about how often labels count. */
export interface LabelWeightOptions {
  readonly classWeights?: ClassWeights;
  readonly propensities?: Propensities;
}

/** The losses in which a label's mass can be how often it counts. */
const TAKE_PROPENSITIES: readonly TrainLossName[] = ["one-vs-all", "sampled-one-vs-all"];

/** @param loss as it was asked for @throws OptionError if it knows no propensities */
export function requirePropensityLoss({ propensities }: LabelWeightOptions, loss: TrainLossName): void {
  if (propensities === undefined || TAKE_PROPENSITIES.includes(loss)) return;
  throw new OptionError(`propensities is an option of ${TAKE_PROPENSITIES.join(", ")}, not of ${loss}`, {
    loss,
    propensities,
  });
}

/** What is recorded about it, once it is known to go with the loss. @throws OptionError, with the two options that contradict each other */
export function weighingOf(
  { classWeights, propensities }: LabelWeightOptions,
  loss: LossSpec,
): { readonly classWeights: ClassWeightRule | null; readonly propensities: PropensityRule | null } {
  if (classWeights !== undefined) requireClassWeighted(loss);
  return {
    classWeights: classWeights === undefined ? null : weightRule(classWeights),
    propensities: propensities === undefined ? null : propensityRule(propensities),
  };
}

function weightRule(weights: ClassWeights): ClassWeightRule {
  const rule = typeof weights === "string" ? ({ kind: weights } as FrequencyRule) : weights;
  if (isList(rule)) return { kind: "given" };
  requireOneOf("classWeights", rule.kind, CLASS_WEIGHT_RULES);
  return rule.kind === "effective-number"
    ? { kind: rule.kind, beta: requireNumber("beta of classWeights", rule.beta ?? 0.9999, 0, 1 - 1e-12) }
    : { kind: rule.kind, power: requireNumber("power of classWeights", rule.power ?? 1, 0, 1) };
}

function propensityRule(propensities: Propensities): PropensityRule {
  if (isList(propensities)) return { kind: "given" };
  const { A, B, examples } = propensities;
  requirePropensityConstants({ A, B });
  return {
    kind: "counts",
    A,
    B,
    examples: examples === undefined ? null : requireInteger("propensity examples", examples, 3),
  };
}

/** What is known about the classes when a run begins. */
export interface LabelCounts {
  /** n */
  readonly classes: number;
  /** (n) how often each class is a label of the training part; absent where nobody counted. */
  readonly counts: ArrayLike<number> | undefined;
  /** Rows of the training part; absent where nobody counted. */
  readonly examples: number | undefined;
}

/**
 * (n) what the mass of each class's labels is multiplied by, in shared memory; undefined: 1 each.
 * @throws OptionError, ShapeError, NotFiniteError, MemoryLimitError
 */
export function labelFactors(
  { classWeights, propensities }: LabelWeightOptions,
  loss: LossSpec,
  known: LabelCounts,
): Float32Array | undefined {
  if (classWeights !== undefined) {
    const weights =
      typeof classWeights !== "string" && isList(classWeights)
        ? classWeights
        : weightsByRule(weightRule(classWeights), known);
    requireClassWeights(weights, loss, known.classes);
    return shared(weights, (weight) => weight);
  }
  if (propensities === undefined) return undefined;
  const chances = isList(propensities) ? propensities : chancesByCounts(propensities, known);
  requirePropensities(chances, loss, known.classes);
  return shared(chances, (p) => 1 / p);
}

function weightsByRule(rule: ClassWeightRule, { counts }: LabelCounts): Float64Array {
  const known = requireCounted("classWeights", counts);
  return rule.kind === "effective-number"
    ? effectiveNumberWeights(known, rule.beta)
    : inverseFrequencyWeights(known, rule.kind === "given" ? 1 : rule.power);
}

function chancesByCounts(
  { A, B, examples: given }: { readonly A: number; readonly B: number; readonly examples?: number },
  { counts, examples: counted }: LabelCounts,
): Float64Array {
  const examples = given ?? counted;
  if (examples === undefined) {
    throw new OptionError("propensities need examples: how many rows the labels were counted in", { A, B });
  }
  return labelPropensities(requireCounted("propensities", counts), { A, B, examples });
}

function requireCounted(what: string, counts: ArrayLike<number> | undefined): ArrayLike<number> {
  if (counts !== undefined) return counts;
  throw new OptionError(`${what} by frequency need counts: how often each class occurs`, { counts });
}

function isList(value: object): value is ArrayLike<number> {
  return "length" in value;
}

function shared(values: ArrayLike<number>, factorOf: (value: number) => number): Float32Array {
  const out = allocateShared("float32", values.length);
  for (let id = 0; id < out.length; id++) out[id] = factorOf(values[id]!);
  return out;
}
