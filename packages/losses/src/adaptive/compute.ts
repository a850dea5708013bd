import { type AdaptiveGradients, type AdaptiveOptions, AdaptiveSoftmax } from "./adaptive-softmax.js";
import { type AdaptiveParameters, type AdaptiveSpec, adaptiveClusters } from "./clusters.js";
import { checkTargetRows, countRows } from "./target-rows.js";

/** An adaptive softmax on H (B, D). Nothing given is written to or kept. */
export interface AdaptiveProblem {
  readonly spec: AdaptiveSpec;
  /** (B, D), finite */
  readonly hidden: Float32Array;
  /** Finite, of the shapes that the spec asks for. */
  readonly parameters: AdaptiveParameters;
  /** (B): one class a row, in order of frequency like the spec's; `ignoreIndex` means that the row is ignored. */
  readonly targets: ArrayLike<number>;
  /** Default −1. */
  readonly ignoreIndex?: number;
  /** (B), >= 0. Default 1 each. The loss is the mean over rows that are not ignored, weighted by these. */
  readonly exampleWeights?: ArrayLike<number>;
}

export interface AdaptiveAnswer {
  /** The weighted mean of perExample, in nats; 0 if every row is ignored. e^loss is a perplexity. */
  readonly loss: number;
  /** (B): −log p(target) of each row, without its weight; 0 in rows that are ignored or weigh 0. */
  readonly perExample: Float64Array;
  /** (B, D): dloss/dH */
  readonly hiddenGradient: Float32Array;
  /** dloss/d(parameters), of their shapes; null for a tail that no row belongs to. */
  readonly gradients: AdaptiveGradients;
}

/**
 * The adaptive softmax loss and its gradients with respect to everything. It runs the same object as training would, in a memory of its own.
 * Products cost O(B·(h + K)·D + Σ_i B_i·(D + size_i)·width_i), B_i being the rows whose target is in tail i.
 *
 * @throws ShapeError, ClassIdError, NotFiniteError, EmptyInputError, OptionError or MemoryLimitError, each with the values at fault
 */
export function computeAdaptiveLoss(
  problem: AdaptiveProblem,
  options: Omit<AdaptiveOptions, "B"> = {},
): AdaptiveAnswer {
  const { spec, hidden, parameters } = problem;
  const clusters = adaptiveClusters(spec);
  const B = countRows("hidden", hidden, clusters.D);
  const { targets, share } = checkTargetRows(
    problem.targets,
    problem.exampleWeights,
    problem.ignoreIndex ?? -1,
    B,
    clusters.n,
  );
  const softmax = AdaptiveSoftmax.create(spec, { k: 0, ...options, B });
  softmax.setParameters(parameters);
  softmax.setHidden(hidden);
  const logP = new Float64Array(B);
  softmax.lossAndGradients(targets, share, logP);
  const perExample = logP.map((value) => (value === 0 ? 0 : -value));
  return {
    loss: perExample.reduce((sum, value, r) => sum + share[r] * value, 0),
    perExample,
    hiddenGradient: softmax.hiddenGradient(B),
    gradients: softmax.gradients(),
  };
}
