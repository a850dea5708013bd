import { OptionError, requireInteger, requireLength } from "@logq/core";

/**
 * A binary tree whose n leaves are the classes and whose n − 1 inner nodes are decisions; the root is node n − 2. At a node a row goes to the first
 * child with probability σ(h·v + b) and to the second with σ(−(h·v + b)), so that
 *
 *     log p(class | h) = Σ over the path of log σ(sign·(h·v_node + b_node))
 *
 * (Morin and Bengio, "Hierarchical probabilistic neural network language model", 2005). A path has the layout of word2vec: nodes from the root down, and a sign
 * of +1 where its code has 0.
 */
export interface ClassTree {
  readonly n: number;
  /** (2·(n − 1)): the first child of node v at 2v, the second at 2v + 1. A node, or ~id (that is −id − 1) for class id. */
  readonly children: Int32Array;
  /** (n − 1): every node, a parent always before its children. */
  readonly topDown: Int32Array;
  /** (n + 1): the path of class id is [offsets[id], offsets[id + 1]) of nodes and signs. */
  readonly offsets: Int32Array;
  readonly nodes: Int32Array;
  /** +1 to the first child, −1 to the second. */
  readonly signs: Int8Array;
  /** Length of the longest path. */
  readonly depth: number;
}

/**
 * A tree from its children, laid out as in ClassTree; kept, not copied.
 * @throws OptionError or ShapeError unless every class, and every node but the root, is the child of exactly one node below the root
 */
export function classTree(n: number, children: Int32Array): ClassTree {
  requireInteger("n", n, 1, 2 ** 30);
  requireLength("children", children.length, 2 * (n - 1), "(2·(n − 1))");
  const above = parentsOf(n, children);
  const topDown = new Int32Array(n - 1);
  const nodeDepths = new Int32Array(n - 1);
  let reached = n > 1 ? 1 : 0;
  if (n > 1) topDown[0] = n - 2;
  for (let i = 0; i < reached; i++) {
    const node = topDown[i];
    for (const child of [children[2 * node], children[2 * node + 1]]) {
      if (child < 0) continue;
      nodeDepths[child] = nodeDepths[node] + 1;
      topDown[reached++] = child;
    }
  }
  if (reached < n - 1) {
    throw new OptionError(`the root, node ${n - 2}, is above ${reached} of ${n - 1} nodes only`, { reached, n });
  }
  return { n, children, topDown, ...pathsOf(n, above, nodeDepths) };
}

/** Where each node and each class hangs: the index in `children` that names it. −1 for the root. */
interface Above {
  /** (n − 1) */
  readonly nodes: Int32Array;
  /** (n) */
  readonly classes: Int32Array;
}

function parentsOf(n: number, children: Int32Array): Above {
  const nodes = new Int32Array(n - 1).fill(-1);
  const classes = new Int32Array(n).fill(-1);
  for (let at = 0; at < children.length; at++) {
    const child = children[at];
    const [name, list, id, count] =
      child < 0 ? (["class", classes, ~child, n] as const) : (["node", nodes, child, n - 2] as const);
    if (id >= count) {
      throw new OptionError(`children[${at}] names ${name} ${id}, but there are ${count} that may be children`, {
        index: at,
        value: child,
        n,
      });
    }
    if (list[id] !== -1) {
      const values = { index: at, before: list[id], value: child };
      throw new OptionError(`children[${at}] names ${name} ${id}, which is children[${list[id]}] already`, values);
    }
    list[id] = at;
  }
  return { nodes, classes };
}

/** Walks up from every class and writes its path from the end to the beginning. */
function pathsOf(
  n: number,
  above: Above,
  nodeDepths: Int32Array,
): Pick<ClassTree, "offsets" | "nodes" | "signs" | "depth"> {
  const offsets = new Int32Array(n + 1);
  let depth = 0;
  for (let id = 0; id < n; id++) {
    const length = n === 1 ? 0 : nodeDepths[above.classes[id] >>> 1] + 1;
    depth = Math.max(depth, length);
    offsets[id + 1] = offsets[id] + length;
  }
  const nodes = new Int32Array(offsets[n]);
  const signs = new Int8Array(offsets[n]);
  for (let id = 0; id < n; id++) {
    let at = above.classes[id];
    for (let i = offsets[id + 1] - 1; i >= offsets[id]; i--) {
      nodes[i] = at >>> 1;
      signs[i] = at & 1 ? -1 : 1;
      at = above.nodes[at >>> 1];
    }
  }
  return { offsets, nodes, signs, depth };
}

/** Mean length of a path when targets are drawn as `counts` (n) say: decisions a row. Counts are >= 0 and not all 0. */
export function meanPathLength({ n, offsets }: ClassTree, counts: ArrayLike<number>): number {
  requireLength("counts", counts.length, n, "(n)");
  let sum = 0;
  let total = 0;
  for (let id = 0; id < n; id++) {
    sum += counts[id];
    total += counts[id] * (offsets[id + 1] - offsets[id]);
  }
  return total / sum;
}
