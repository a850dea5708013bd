import { requireInteger } from "@logq/core";
import type { Address, Kernels, MemoryPlan } from "@logq/kernels";
import type { Decisions } from "./decisions.js";

export interface PathSizes {
  /** Width of the hidden vector and of a node's row. */
  readonly D: number;
  /** Most rows of a batch. */
  readonly B: number;
  /** Rows of the node table. */
  readonly nodes: number;
  /** Most (row, node) pairs of a batch: B times the depth of the tree will do. */
  readonly pairs: number;
  readonly bias: boolean;
}

/** Where everything lies in kernel memory. */
export interface PathSpace extends PathSizes, Readonly<Decisions> {
  /** (B, D), and its gradient */
  readonly hidden: Address;
  readonly hiddenGradient: Address;
  /** (nodes, D) */
  readonly table: Address;
  /** (nodes), or 0 */
  readonly biases: Address;
  /** (B + 1): pairs of each row */
  readonly offsets: Address;
  /** (pairs): node and row, int32 */
  readonly pairNodes: Address;
  readonly pairRows: Address;
  /** (pairs): gradients of dot products, in the order of nodes */
  readonly sortedPulls: Address;
  /** (pairs): nodes sorted, then the distinct ones; which pairs they came from; where each node's run starts (pairs + 1) */
  readonly keys: Address;
  readonly order: Address;
  readonly runs: Address;
  readonly scratch: Address;
  /** (min(pairs, nodes), D): the gradient of each distinct node */
  readonly tableGradient: Address;
  readonly biasGradient: Address;
}

/** Reserves everything. `sizing` is the back-end that will run here, bound to any memory: it knows how much scratch sorting needs. */
export function reservePaths(plan: MemoryPlan, sizes: PathSizes, sizing: Kernels): PathSpace {
  const D = requireInteger("D", sizes.D, 1);
  const B = requireInteger("B", sizes.B, 1);
  const { nodes, pairs, bias } = sizes;
  const words = (name: string, count: number) => plan.reserve(name, 4 * count);
  const distinct = Math.min(pairs, nodes);
  return {
    ...sizes,
    hidden: words("hidden", B * D),
    hiddenGradient: words("hidden gradient", B * D),
    table: words("node table", nodes * D),
    biases: bias ? words("node biases", nodes) : 0,
    offsets: words("pairs of rows", B + 1),
    pairNodes: words("pair nodes", pairs),
    pairRows: words("pair rows", pairs),
    dot: words("pair dot products", pairs),
    add: words("pair terms", pairs),
    mass: words("pair masses", pairs),
    sortedPulls: words("sorted pulls", pairs),
    keys: words("pair keys", pairs),
    order: words("pair order", pairs),
    runs: words("node runs", pairs + 1),
    scratch: plan.reserve("sort scratch", sizing.indices.sortScratchBytes(pairs)),
    tableGradient: words("node gradients", distinct * D),
    biasGradient: words("bias gradients", distinct),
  };
}
