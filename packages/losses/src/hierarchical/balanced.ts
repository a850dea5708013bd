import { OptionError, requireInteger } from "@logq/core";
import { type ClassTree, classTree } from "./class-tree.js";

/** Rearranges classes[from, to) so that those which belong to the first child stand first, ⌈(to − from) / 2⌉ of them. */
export type Halve = (classes: Int32Array, from: number, to: number) => void;

/**
 * The tree that halves its classes down to single ones: every path has ⌊log₂ n⌋ or ⌈log₂ n⌉ decisions.
 * @param order the classes, a permutation of 0 … n − 1; neighbours stay together longest. Sorted by frequency, say, classes of like frequency do.
 * @param halve default: leaves the order as it is
 * @throws OptionError if `order` is no permutation
 */
export function balancedTree(order: ArrayLike<number>, halve: Halve = () => {}): ClassTree {
  const classes = Int32Array.from(order);
  const n = requireInteger("n", classes.length, 1);
  requirePermutation(order);
  const children = new Int32Array(2 * (n - 1));
  // A segment of s classes has nodes [base, base + s − 1); the last of them is its top.
  const build = (from: number, to: number, base: number): number => {
    if (to - from === 1) return ~classes[from];
    if (to - from > 2) halve(classes, from, to);
    const middle = from + ((to - from + 1) >>> 1);
    const top = base + to - from - 2;
    children[2 * top] = build(from, middle, base);
    children[2 * top + 1] = build(middle, to, base + middle - from - 1);
    return top;
  };
  build(0, n, 0);
  return classTree(n, children);
}

function requirePermutation(order: ArrayLike<number>): void {
  const seen = new Uint8Array(order.length);
  for (let i = 0; i < order.length; i++) {
    const id = order[i];
    if (Number.isInteger(id) && id >= 0 && id < order.length && seen[id] === 0) {
      seen[id] = 1;
      continue;
    }
    throw new OptionError(`order[${i}] is ${id}; every class in [0, ${order.length}) must stand in it once`, {
      name: "order",
      index: i,
      value: id,
    });
  }
}
