import { EmptyInputError, OptionError, requireAllFinite } from "@logq/core";
import { type ClassTree, classTree } from "./class-tree.js";

/**
 * The tree of least mean path length when targets are drawn as `counts` say (Huffman 1952): between the entropy in bits and one more. Ties are decided as
 * word2vec decides them (Mikolov et al. 2013, CreateBinaryTree), so that paths are the same: of equal counts the node goes before the class, the older
 * node before the younger, the class with the higher id before that with the lower. The first of the two that are joined becomes the first child, code 0.
 * Counts need not be sorted; equal ones count as sorted by id.
 *
 * @param counts (n), >= 0; classes of count 0 get the longest paths
 * @throws EmptyInputError, NotFiniteError, or OptionError for a negative count
 */
export function huffmanTree(counts: ArrayLike<number>): ClassTree {
  const n = counts.length;
  if (n === 0) throw new EmptyInputError("counts has no classes", { name: "counts" });
  requireAllFinite("counts", counts);
  for (let id = 0; id < n; id++) {
    if (counts[id] >= 0) continue;
    const values = { name: "counts", index: id, value: counts[id] };
    throw new OptionError(`counts[${id}] is ${counts[id]}, but must be 0 or more`, values);
  }
  return classTree(n, joinSmallest(counts));
}

/** Both queues are sorted: classes because they were, nodes because each is at least as heavy as the one before. */
function joinSmallest(counts: ArrayLike<number>): Int32Array {
  const n = counts.length;
  const classes = Int32Array.from({ length: n }, (_, id) => id).sort((a, b) => counts[a] - counts[b] || b - a);
  const weights = new Float64Array(n - 1);
  const children = new Int32Array(2 * (n - 1));
  let nextClass = 0;
  let nextNode = 0;
  for (let node = 0; node < n - 1; node++) {
    for (let side = 0; side < 2; side++) {
      const noNode = nextNode === node;
      const takesClass = nextClass < n && (noNode || counts[classes[nextClass]] < weights[nextNode]);
      weights[node] += takesClass ? counts[classes[nextClass]] : weights[nextNode];
      children[2 * node + side] = takesClass ? ~classes[nextClass++] : nextNode++;
    }
  }
  return children;
}
