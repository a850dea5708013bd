import type { Address, Kernels } from "@logq/kernels";
import type { BlockWeights } from "./block-laws.js";
import { MOST_TOGETHER, type TreeLayout } from "./kernel-tree-layout.js";
import type { NodeFeatures } from "./node-features.js";
import type { RowStore } from "./row-store.js";
import type { SortedUniforms } from "./sorted-uniforms.js";

/** The largest double below 1. */
const BELOW_ONE = 1 - 2 ** -53;

/** Draws that are at the same node: [starts[g], starts[g + 1]) of the sorted uniforms, and the probability of getting there. */
class Groups {
  count = 0;
  /** Index of the node in its level. */
  readonly nodes = new Int32Array(MOST_TOGETHER);
  readonly starts = new Int32Array(MOST_TOGETHER + 1);
  readonly probabilities = new Float64Array(MOST_TOGETHER);

  add(node: number, start: number, probability: number): void {
    this.nodes[this.count] = node;
    this.starts[this.count] = start;
    this.probabilities[this.count++] = probability;
  }
}

/**
 * Goes down the tree from the root, all draws of a row together, so that a node is scored once however many draws come by. A draw has one uniform: at
 * a node it falls into one child's share of the siblings' masses, and where in the share it falls is its uniform from there on, ascending as before.
 *
 * The probability of a class is the product of the shares on its way, each computed from the stored float32 sums. That is the law of the draws
 * themselves: a parent whose sum is rounded, or an estimate that is clamped, changes q and never makes log Q wrong.
 */
export class TreeWalk {
  readonly #kernels: Kernels;
  readonly #layout: TreeLayout;
  readonly #features: NodeFeatures;
  readonly #weights: BlockWeights;
  readonly #rows: RowStore;
  #groups = new Groups();
  #next = new Groups();
  readonly #masses: Float64Array;
  /** Of each group's block: Σ of the weights of its classes. */
  readonly #totals = new Float64Array(MOST_TOGETHER);
  /** The probability to get to the block that `reach` last went to. */
  #probability = 0;

  constructor(kernels: Kernels, layout: TreeLayout, features: NodeFeatures, weights: BlockWeights, rows: RowStore) {
    this.#kernels = kernels;
    this.#layout = layout;
    this.#features = features;
    this.#weights = weights;
    this.#rows = rows;
    const { shape } = layout;
    this.#masses = new Float64Array(Math.max(shape.arity, shape.counts[shape.levels - 1]));
  }

  /** Takes the first `count` sorted uniforms of a row to classes: ids[draw] int32 and logQ[draw] = log(S·q), float32. */
  draw(row: number, S: number, uniforms: SortedUniforms, count: number, ids: Address, logQ: Address): void {
    const { shape } = this.#layout;
    const top = shape.levels - 1;
    this.#next.count = 0;
    this.#scoreNodes(row, shape.firsts[top], shape.counts[top]);
    this.#split(uniforms.values, 0, count, 0, shape.counts[top], top, 0, 1);
    this.#turn(count);
    for (let level = top; level > 0; level--) {
      this.#scoreChildren(row, level);
      this.#splitGroups(uniforms.values, level);
      this.#turn(count);
    }
    this.#scoreBlocks(row);
    this.#drawClasses(S, uniforms, ids >>> 2, logQ >>> 2);
  }

  /** log(S·q(id)) for a row; −∞ without mass. `reach` went to the block of the class. */
  logQ(S: number, id: number): number {
    const { shape, scratch } = this.#layout;
    if (this.#probability === 0) return -Infinity;
    const weight = this.#kernels.memory.f32[(scratch.scores >>> 2) + (id % shape.block)];
    return Math.log(S * this.#probability * (weight / this.#totals[0]));
  }

  /** Computes the way to a block and what its classes weigh, with the numbers that draws go by. */
  reach(row: number, block: number): void {
    const { shape } = this.#layout;
    const top = shape.levels - 1;
    this.#probability = 1;
    for (let level = top; level >= 0; level--) {
      const node = Math.floor(block / shape.arity ** level);
      const parent = level === top ? 0 : Math.floor(node / shape.arity) * shape.arity;
      const end = level === top ? shape.counts[top] : Math.min(parent + shape.arity, shape.counts[level]);
      const first = shape.firsts[level] + parent;
      this.#scoreNodes(row, first, end - parent);
      const total = this.#weighSiblings(first, end - parent, 0);
      const mass = this.#masses[node - parent];
      if (mass === 0) {
        this.#probability = 0;
        return;
      }
      this.#probability *= mass / total;
    }
    this.#next.count = 0;
    this.#next.add(block, 0, 1);
    this.#turn(1);
    this.#scoreBlocks(row);
  }

  /** Makes the groups that were gathered the current ones. */
  #turn(count: number): void {
    const groups = this.#next;
    groups.starts[groups.count] = count;
    this.#next = this.#groups;
    this.#next.count = 0;
    this.#groups = groups;
  }

  /** scores[i] = ⟨ψ, features⟩ of nodes that lie one after the other. */
  #scoreNodes(row: number, first: number, count: number): void {
    const { F, ldF, table, scratch } = this.#layout;
    const features = table.features + 4 * first * ldF;
    const context = scratch.contexts + 4 * row * ldF;
    this.#kernels.rows.pairDots(scratch.scores, features, ldF, 0, context, 0, 0, count, F);
  }

  /** The same for the children, on the level below, of the nodes of all groups. */
  #scoreChildren(row: number, level: number): void {
    const { F, ldF, shape, table, scratch } = this.#layout;
    const { i32 } = this.#kernels.memory;
    const { count, nodes } = this.#groups;
    const indices = scratch.indices >>> 2;
    const first = shape.firsts[level - 1];
    const limit = shape.counts[level - 1];
    let scored = 0;
    for (let g = 0; g < count; g++) {
      const from = nodes[g] * shape.arity;
      const to = Math.min(from + shape.arity, limit);
      for (let child = from; child < to; child++) i32[indices + scored++] = first + child;
    }
    const context = scratch.contexts + 4 * row * ldF;
    this.#kernels.rows.pairDots(scratch.scores, table.features, ldF, scratch.indices, context, 0, 0, scored, F);
  }

  #splitGroups(uniforms: Float64Array, level: number): void {
    const { shape } = this.#layout;
    const { count, nodes, starts, probabilities } = this.#groups;
    const limit = shape.counts[level - 1];
    let scored = 0;
    for (let g = 0; g < count; g++) {
      const from = nodes[g] * shape.arity;
      const children = Math.min(from + shape.arity, limit) - from;
      this.#split(uniforms, starts[g], starts[g + 1], from, children, level - 1, scored, probabilities[g]);
      scored += children;
    }
  }

  /** Parts the draws [start, end) among `count` siblings from `from` on, whose scores begin at `scored`. */
  #split(
    uniforms: Float64Array,
    start: number,
    end: number,
    from: number,
    count: number,
    level: number,
    scored: number,
    probability: number,
  ): void {
    const total = this.#weighSiblings(this.#layout.shape.firsts[level] + from, count, scored);
    const masses = this.#masses;
    let last = count - 1;
    while (last > 0 && masses[last] === 0) last--;
    let child = 0;
    let below = 0;
    let taken = -1;
    for (let i = start; i < end; i++) {
      const target = uniforms[i] * total;
      while (child < last && target >= below + masses[child]) below += masses[child++];
      if (child !== taken) {
        this.#next.add(from + child, i, probability * (masses[child] / total));
        taken = child;
      }
      uniforms[i] = Math.min((target - below) / masses[child], BELOW_ONE);
    }
  }

  /** Masses of siblings from their scores; answers their sum. 0 where no class has mass, else above 0. */
  #weighSiblings(first: number, count: number, scored: number): number {
    const { table, scratch } = this.#layout;
    const { f32 } = this.#kernels.memory;
    const { floor, lift } = this.#features;
    const own = (table.masses >>> 2) + first;
    const shares = (table.shares >>> 2) + first;
    const scores = (scratch.scores >>> 2) + scored;
    const masses = this.#masses;
    let total = 0;
    for (let c = 0; c < count; c++) {
      const mass = f32[own + c];
      const value = (Math.max(f32[scores + c], floor * mass) + lift * mass) * f32[shares + c];
      masses[c] = value;
      total += value;
    }
    return total;
  }

  /** scores = the inner products of the query with the stored rows of the groups' blocks, then their weights. */
  #scoreBlocks(row: number): void {
    const { ldRows, shape, table, scratch } = this.#layout;
    const { count, nodes } = this.#groups;
    this.#rows.score(scratch.queries + 4 * row * ldRows, nodes, count);
    let scored = 0;
    for (let g = 0; g < count; g++) {
      const classes = shape.classesOf(nodes[g]);
      const factors = table.factors + 4 * nodes[g] * shape.block;
      this.#totals[g] = this.#weights.weigh(scratch.scores + 4 * scored, factors, classes);
      scored += classes;
    }
  }

  #drawClasses(S: number, { values, order }: SortedUniforms, ids: number, logQ: number): void {
    const { shape, scratch } = this.#layout;
    const { f32, i32 } = this.#kernels.memory;
    const { count, nodes, starts, probabilities } = this.#groups;
    let first = scratch.scores >>> 2;
    for (let g = 0; g < count; g++) {
      const classes = shape.classesOf(nodes[g]);
      const total = this.#totals[g];
      let last = classes - 1;
      while (last > 0 && f32[first + last] === 0) last--;
      let chosen = 0;
      let below = 0;
      for (let i = starts[g]; i < starts[g + 1]; i++) {
        const target = values[i] * total;
        while (chosen < last && target >= below + f32[first + chosen]) below += f32[first + chosen++];
        i32[ids + order[i]] = nodes[g] * shape.block + chosen;
        f32[logQ + order[i]] = Math.log(S * probabilities[g] * (f32[first + chosen] / total));
      }
      first += classes;
    }
  }
}
