import {
  OptionError,
  requireAllFinite,
  requireInteger,
  requireLength,
  requireNumber,
  requirePositive,
} from "@logq/core";
import { describeLoss } from "./loss-facts.js";
import type { LossSpec } from "./loss-spec.js";

/** Refuses class weights (n) that the loss cannot take, or that are no weights. @throws OptionError, ShapeError, NotFiniteError */
export function requireClassWeights(weights: ArrayLike<number>, spec: LossSpec, n: number): void {
  requireClassWeighted(spec);
  requireLength("classWeights", weights.length, n, "(n)");
  requireNonNegative("classWeights", weights);
}

/** Refuses class weights of any kind beside a loss that cannot take them. @throws OptionError */
export function requireClassWeighted({ name, labelSmoothing }: LossSpec): void {
  if (describeLoss(name).kind !== "normalised") {
    throw new OptionError(`${name} is no softmax: it takes no classWeights`, { loss: name });
  }
  if (labelSmoothing > 0) {
    const why = "whether the spread is weighed by its own class or by the label's is for masses to say";
    throw new OptionError(`classWeights cannot be combined with labelSmoothing: ${why}`, { labelSmoothing });
  }
}

/** Refuses propensities (n) that the loss cannot take, or that are none. @throws OptionError, ShapeError, NotFiniteError */
export function requirePropensities(propensities: ArrayLike<number>, { labelMass }: LossSpec, n: number): void {
  if (labelMass !== "weight") {
    throw new OptionError(`propensities need labelMass weight, not ${labelMass}`, { labelMass });
  }
  requireLength("propensities", propensities.length, n, "(n)");
  requireAllFinite("propensities", propensities);
  const index = Array.from(propensities).findIndex((p) => p <= 0 || p > 1);
  if (index < 0) return;
  throw new OptionError(`propensities[${index}] is ${propensities[index]}, but must be above 0 and at most 1`, {
    name: "propensities",
    index,
    value: propensities[index],
  });
}

/** @throws NotFiniteError, OptionError with the first value that is below 0 */
export function requireNonNegative(name: string, values: ArrayLike<number>): void {
  requireAllFinite(name, values);
  const index = Array.from(values).findIndex((value) => value < 0);
  if (index < 0) return;
  throw new OptionError(`${name}[${index}] is ${values[index]}, but must be 0 or more`, {
    name,
    index,
    value: values[index],
  });
}

/**
 * Class weights 1/N_c^power, N_c being how often class c is a label, a class that never was counting once. They are scaled so that the mean over
 * all labels is 1. power 1 gives all classes the same say, 0 leaves labels as they are.
 * @param counts (n), >= 0
 * @param power in [0, 1]
 * @returns (n), a new array
 * @throws OptionError, NotFiniteError
 */
export function inverseFrequencyWeights(counts: ArrayLike<number>, power = 1): Float64Array {
  requireNumber("power of the class weights", power, 0, 1);
  return meanOfOne(counts, (N) => N ** -power);
}

/**
 * Class weights by the effective number of examples, (1 − β)/(1 − β^N_c) (Cui et al. 2019, equation 1 and section 4), scaled like those of
 * `inverseFrequencyWeights`: β = 0 leaves labels as they are, β → 1 tends to the inverse frequency.
 * @param counts (n), >= 0
 * @param beta in [0, 1)
 * @returns (n), a new array
 * @throws OptionError, NotFiniteError
 */
export function effectiveNumberWeights(counts: ArrayLike<number>, beta = 0.9999): Float64Array {
  requireNumber("beta of the class weights", beta, 0, 1 - 1e-12);
  return meanOfOne(counts, (N) => (1 - beta) / (1 - beta ** N));
}

/** Weights by frequency whose mean over all labels is 1. */
function meanOfOne(counts: ArrayLike<number>, weightOf: (count: number) => number): Float64Array {
  requireNonNegative("counts", counts);
  const weights = Float64Array.from(counts, (count) => weightOf(Math.max(1, count)));
  let labels = 0;
  let sum = 0;
  for (let id = 0; id < weights.length; id++) {
    labels += counts[id];
    sum += counts[id] * weights[id];
  }
  return sum === 0 ? weights : weights.map((weight) => (weight * labels) / sum);
}

/** The constants of `labelPropensities`. */
export interface PropensityConstants {
  /** > 0 */
  readonly A: number;
  /** > 0 */
  readonly B: number;
  /** N, at least 3: how many rows the labels were counted in. */
  readonly examples: number;
}

/**
 * How probable it is that a label of a class is among those given (Jain et al. 2016, equation 3):
 *
 *     1/p_c = 1 + C·(N_c + B)^−A        C = (log N − 1)·(B + 1)^A
 *
 * N_c being how many of the N rows class c is a label of. A, B are 0.55, 1.5 unless one knows better; 0.5, 0.4 for Wikipedia, 0.6, 2.6 for Amazon.
 * @param counts (n), >= 0
 * @returns (n), in (0, 1], a new array
 * @throws OptionError, NotFiniteError
 */
export function labelPropensities(counts: ArrayLike<number>, { A, B, examples }: PropensityConstants): Float64Array {
  requirePropensityConstants({ A, B });
  // With fewer rows C is below 0, and propensities above 1.
  requireInteger("examples that propensities are counted in", examples, 3);
  requireNonNegative("counts", counts);
  const C = (Math.log(examples) - 1) * (B + 1) ** A;
  return Float64Array.from(counts, (count) => 1 / (1 + C * (count + B) ** -A));
}

/** @throws OptionError with the constant that is out of its range */
export function requirePropensityConstants({ A, B }: Pick<PropensityConstants, "A" | "B">): void {
  requirePositive("propensity A", A);
  requirePositive("propensity B", B);
}
