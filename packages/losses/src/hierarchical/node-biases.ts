import { requireLength } from "@logq/core";
import type { ClassTree } from "./class-tree.js";

/**
 * The biases (n − 1) with which zero rows give every class its share of `weights` (n), all above 0: at each node the log odds of its first child.
 * @throws ShapeError
 */
export function nodeBiases({ n, children, topDown }: ClassTree, weights: ArrayLike<number>): Float64Array {
  requireLength("weights", weights.length, n, "(n)");
  const under = new Float64Array(n - 1);
  const biases = new Float64Array(n - 1);
  const weightOf = (child: number) => (child < 0 ? weights[~child] : under[child]);
  for (let i = n - 2; i >= 0; i--) {
    const node = topDown[i];
    const [first, second] = [weightOf(children[2 * node]), weightOf(children[2 * node + 1])];
    under[node] = first + second;
    biases[node] = Math.log(first / second);
  }
  return biases;
}
