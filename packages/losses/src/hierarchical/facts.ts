import type { TreeSoftmaxFacts } from "../adaptive/facts.js";

export const HIERARCHICAL_SOFTMAX: TreeSoftmaxFacts = {
  name: "hierarchical-softmax",
  normalised: true,
  perplexity: true,
  learns: "log p(class | input), normalised: log p is the loss itself and not known up to a constant only",
  approximation:
    "classes that share a path share its decisions: what a node cannot tell apart by a plane, no class below it can mend",
};

/** Multiply-adds of one row, forward and backward, whose path has `length` decisions: three dot products' worth for each. A full softmax has 3·n·D. */
export function hierarchicalRowCost(D: number, length: number): number {
  return 3 * D * length;
}
