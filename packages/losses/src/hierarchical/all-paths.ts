import { logSigmoid } from "./best-paths.js";
import type { ClassTree } from "./class-tree.js";

/**
 * Log-probabilities of every class of one row, natural logs, in out[at …, at + n): by descent from the root, O(n).
 * @param logitOf h·v + b of a node; each is asked once
 */
export function allPaths(tree: ClassTree, logitOf: (node: number) => number, out: Float32Array, at = 0): void {
  const { n, children, topDown } = tree;
  // The root, the only class of n = 1 too, is reached in any case.
  const reach = new Float64Array(Math.max(1, n - 1));
  out[at] = 0;
  const arrive = (child: number, logP: number) => {
    if (child < 0) out[at + ~child] = logP;
    else reach[child] = logP;
  };
  for (const node of topDown) {
    const logit = logitOf(node);
    arrive(children[2 * node], reach[node] + logSigmoid(logit));
    arrive(children[2 * node + 1], reach[node] + logSigmoid(-logit));
  }
}
