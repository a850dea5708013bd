import type { Kernels } from "@logq/kernels";
import type { TreeLayout } from "./kernel-tree-layout.js";

/** The least share of a node with mass in its parent's unit of measure. */
const LEAST_SHARE = 1e-30;

/**
 * The nodes above the blocks: each is the sum of its children, every one first brought to the parent's offset, the greatest of theirs. Summed in float64 in
 * the order of the children, so that a node depends on nothing else.
 */
export class TreeNodes {
  readonly #kernels: Kernels;
  readonly #layout: TreeLayout;
  readonly #sum: Float64Array;

  constructor(kernels: Kernels, layout: TreeLayout) {
    this.#kernels = kernels;
    this.#layout = layout;
    this.#sum = new Float64Array(layout.F);
  }

  /** Nodes [first, end) of a level above the blocks, and the shares of their children. */
  sum(level: number, first: number, end: number): void {
    const { shape } = this.#layout;
    for (let j = first; j < end; j++) {
      const from = shape.firsts[level - 1] + shape.firstBelow(j, level, level - 1);
      const to = shape.firsts[level - 1] + shape.firstBelow(j + 1, level, level - 1);
      this.#sumOf(shape.firsts[level] + j, from, to);
    }
  }

  /** The shares of the root's children. */
  finish(): void {
    const { shape } = this.#layout;
    const top = shape.firsts[shape.levels - 1];
    this.#share(top, top + shape.counts[shape.levels - 1]);
  }

  #sumOf(node: number, from: number, to: number): void {
    const { F, ldF, table } = this.#layout;
    const { f32 } = this.#kernels.memory;
    const offset = this.#share(from, to);
    const sum = this.#sum.fill(0);
    let mass = 0;
    for (let child = from; child < to; child++) {
      const share = f32[(table.shares >>> 2) + child];
      if (share === 0) continue;
      mass += share * f32[(table.masses >>> 2) + child];
      const features = (table.features >>> 2) + child * ldF;
      for (let i = 0; i < F; i++) sum[i] += share * f32[features + i];
    }
    const features = (table.features >>> 2) + node * ldF;
    for (let i = 0; i < F; i++) f32[features + i] = sum[i];
    f32[(table.masses >>> 2) + node] = mass;
    f32[(table.offsets >>> 2) + node] = offset;
  }

  /** Writes the shares of siblings [from, to); answers the offset of their parent. */
  #share(from: number, to: number): number {
    const { table } = this.#layout;
    const { f32 } = this.#kernels.memory;
    const [masses, offsets, shares] = [table.masses >>> 2, table.offsets >>> 2, table.shares >>> 2];
    let offset = -Infinity;
    for (let child = from; child < to; child++) {
      if (f32[masses + child] > 0) offset = Math.max(offset, f32[offsets + child]);
    }
    for (let child = from; child < to; child++) {
      const share = Math.max(Math.exp(f32[offsets + child] - offset), LEAST_SHARE);
      f32[shares + child] = f32[masses + child] > 0 ? share : 0;
    }
    return offset === -Infinity ? 0 : offset;
  }
}
