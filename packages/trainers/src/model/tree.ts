import { OptionError, requireLength, requireOneOf } from "@logq/core";
import {
  balancedTree,
  type ClassTree,
  classTree,
  describeLoss,
  huffmanTree,
  type LossSpec,
  twoMeansTree,
} from "@logq/losses";

export const TREES = ["huffman", "balanced", "two-means"] as const;

/**
 * Which tree a hierarchical softmax decides its way down: Huffman's of the classes' counts; one that halves them, sorted by count, down to single
 * ones; or one that halves them by 2-means of vectors of theirs.
 */
export type TreeName = (typeof TREES)[number];

interface TreeOptions {
  readonly tree?: TreeName;
  readonly treeVectors?: Float32Array;
}

/** The tree that the options name; null: the loss has none. @throws OptionError */
export function treeName({ tree, treeVectors }: TreeOptions, { name }: LossSpec): TreeName | null {
  if (describeLoss(name).kind !== "tree") {
    if ((tree ?? treeVectors) === undefined) return null;
    throw new OptionError(`tree and treeVectors are options of hierarchical-softmax, not of ${name}`, {
      loss: name,
      tree,
    });
  }
  const chosen = requireOneOf("tree", tree ?? "huffman", TREES);
  if ((chosen === "two-means") === (treeVectors !== undefined)) return chosen;
  const why =
    chosen === "two-means" ? "needs treeVectors, a vector of each class" : "looks at counts, not at treeVectors";
  throw new OptionError(`the tree ${chosen} ${why}`, { tree: chosen, treeVectors: treeVectors?.length });
}

/**
 * @param counts (n), how often each class is a label; undefined: nobody counted
 * @param vectors (n, any width), finite; for two-means
 * @throws OptionError, ShapeError, NotFiniteError
 */
export function plantTree(
  name: TreeName,
  n: number,
  counts: ArrayLike<number> | undefined,
  vectors: Float32Array | undefined,
): ClassTree {
  switch (name) {
    case "huffman":
      if (counts === undefined)
        throw new OptionError("Huffman's tree needs counts: how often each class occurs", { n });
      return sharedTree(huffmanTree(counts));
    case "balanced":
      return sharedTree(balancedTree(byCount(n, counts)));
    case "two-means": {
      const width = Math.max(1, Math.round(vectors!.length / n));
      requireLength("treeVectors", vectors!.length, n * width, "(n, width)");
      return sharedTree(twoMeansTree(vectors!, width));
    }
  }
}

/** The tree of a saved run. @throws OptionError, ShapeError if these are no tree's children */
export function treeOfChildren(n: number, children: Int32Array): ClassTree {
  return sharedTree(classTree(n, children));
}

/** The frequent first, ties by id. */
function byCount(n: number, counts: ArrayLike<number> | undefined): Int32Array {
  const order = Int32Array.from({ length: n }, (_, id) => id);
  return counts === undefined ? order : order.sort((a, b) => counts[b]! - counts[a]! || a - b);
}

/** Paths are long lists: every thread looks at the same ones. */
function sharedTree(tree: ClassTree): ClassTree {
  const shared = (list: Int32Array) => {
    const copy = new Int32Array(new SharedArrayBuffer(list.byteLength));
    copy.set(list);
    return copy;
  };
  const signs = new Int8Array(new SharedArrayBuffer(tree.signs.byteLength));
  signs.set(tree.signs);
  const { children, topDown, offsets, nodes } = tree;
  return {
    ...tree,
    children: shared(children),
    topDown: shared(topDown),
    offsets: shared(offsets),
    nodes: shared(nodes),
    signs,
  };
}
