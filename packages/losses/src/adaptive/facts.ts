import type { AdaptiveClusters } from "./clusters.js";

/** What is true of a softmax over a tree of decisions by its definition. */
export interface TreeSoftmaxFacts {
  readonly name: "adaptive-softmax" | "hierarchical-softmax";
  /** Probabilities of all classes sum to 1 whatever the parameters are. */
  readonly normalised: true;
  /** So e^loss is a perplexity. */
  readonly perplexity: true;
  /** What it tends to, in words. */
  readonly learns: string;
  /** In which classes the approximation is. */
  readonly approximation: string;
}

export const ADAPTIVE_SOFTMAX: TreeSoftmaxFacts = {
  name: "adaptive-softmax",
  normalised: true,
  perplexity: true,
  learns: "log p(class | input), normalised: log p is the loss itself and not known up to a constant only",
  approximation: "classes of a tail are told apart by fewer numbers than those of the head",
};

/**
 * Multiply-adds of one row, forward and backward, if tail i is met with probability tailMass[i]: three products for each table and each projection.
 * A full softmax has 3·n·D.
 */
export function adaptiveRowCost({ D, h, tails }: AdaptiveClusters, tailMass: ArrayLike<number>): number {
  const head = D * (h + tails.length);
  return 3 * tails.reduce((sum, { size, width }, i) => sum + tailMass[i] * width * (D + size), head);
}
