import type { Kernels } from "@logq/kernels";
import { requireLogProbability } from "../adaptive/target-rows.js";
import type { ClassTree } from "./class-tree.js";
import { missDecisions, pullDecisions, sumDecisions, weighDecisions } from "./decisions.js";
import type { PathSpace } from "./path-space.js";

/** Where the row of node `node` stands in the table that is walked. */
export type RowOfNode = (node: number) => number;

/**
 * The decisions of a batch: pairs (row, node) along the path of each row's target, root first. Dot products pair by pair; gradients of nodes by sorting
 * pairs by node, so that a node's row is summed once, over its rows in the order of the batch.
 */
export class PathWalk {
  readonly #kernels: Kernels;
  readonly #space: PathSpace;
  #B = 0;
  #pairs = 0;

  constructor(kernels: Kernels, space: PathSpace) {
    this.#kernels = kernels;
    this.#space = space;
  }

  /** Takes the paths of targets (B): classes, or −1 in rows that are left out. */
  load({ offsets, nodes, signs }: ClassTree, targets: Int32Array, rowOf: RowOfNode): void {
    const { memory } = this.#kernels;
    const { pairNodes, pairRows, mass } = this.#space;
    const starts = memory.ints(this.#space.offsets, targets.length + 1);
    let j = 0;
    for (let r = 0; r < targets.length; r++) {
      starts[r] = j;
      if (targets[r] < 0) continue;
      for (let i = offsets[targets[r]]; i < offsets[targets[r] + 1]; i++) {
        memory.i32[(pairNodes >>> 2) + j] = rowOf(nodes[i]);
        memory.i32[(pairRows >>> 2) + j] = r;
        memory.f32[(mass >>> 2) + j++] = signs[i];
      }
    }
    starts[targets.length] = j;
    this.#B = targets.length;
    this.#pairs = j;
  }

  /** logP[r] = Σ log σ(sign·logit) over the path of row r, natural log; 0 for a row without pairs. Throws NotFiniteError, with the row. */
  forward(logP: Float64Array): void {
    const { memory, rows, vector } = this.#kernels;
    const { D, hidden, table, biases, pairNodes, pairRows, dot, add, offsets } = this.#space;
    const P = this.#pairs;
    rows.pairDots(dot, hidden, D, pairRows, table, D, pairNodes, P, D);
    if (biases === 0) vector.fill(add, 0, P);
    else rows.gatherRows(add, 1, biases, 1, pairNodes, P, 1);
    weighDecisions(this.#kernels, this.#space, 0, P, 1);
    for (let r = 0; r < this.#B; r++) {
      const start = (offsets >>> 2) + r;
      const sum = sumDecisions(memory, this.#space, memory.i32[start], memory.i32[start + 1]);
      logP[r] = sum === 0 ? 0 : -sum;
      requireLogProbability(r, logP[r]);
    }
  }

  /**
   * After `forward`: gradients of −Σ_r coefficients[r]·logP[r]. Writes space.hiddenGradient (B, D), and of the U distinct nodes, ascending, their rows of
   * the table to space.keys, and gradients to space.tableGradient (U, D) and space.biasGradient (U). Answers U.
   */
  backward(coefficients: Float32Array): number {
    const { memory, rows } = this.#kernels;
    const { D, table, pairNodes, dot, offsets, hiddenGradient } = this.#space;
    missDecisions(this.#kernels, this.#space, 0, this.#pairs);
    for (let r = 0; r < this.#B; r++) {
      const start = (offsets >>> 2) + r;
      pullDecisions(memory, this.#space, memory.i32[start], memory.i32[start + 1], coefficients[r]);
    }
    rows.weightedRowSums(hiddenGradient, D, table, D, offsets, pairNodes, dot, this.#B, D, false);
    return this.#nodeGradients();
  }

  #nodeGradients(): number {
    const { memory, rows, indices } = this.#kernels;
    const { D, nodes, hidden, pairNodes, pairRows, dot, sortedPulls, keys, order, runs, scratch } = this.#space;
    const P = this.#pairs;
    if (P === 0) return 0;
    memory.ints(keys, P).set(memory.ints(pairNodes, P));
    for (let j = 0; j < P; j++) memory.i32[(order >>> 2) + j] = j;
    indices.sortPairs(keys, order, P, nodes - 1, scratch);
    for (let j = 0; j < P; j++) {
      const pair = memory.i32[(order >>> 2) + j];
      memory.f32[(sortedPulls >>> 2) + j] = memory.f32[(dot >>> 2) + pair];
      memory.i32[(order >>> 2) + j] = memory.i32[(pairRows >>> 2) + pair];
    }
    const U = indices.uniqueRuns(keys, runs, keys, P);
    rows.weightedRowSums(this.#space.tableGradient, D, hidden, D, runs, order, sortedPulls, U, D, false);
    this.#biasGradients(U);
    return U;
  }

  #biasGradients(U: number): void {
    const { memory } = this.#kernels;
    const { runs, sortedPulls, biasGradient } = this.#space;
    for (let u = 0; u < U; u++) {
      let sum = 0;
      const end = memory.i32[(runs >>> 2) + u + 1];
      for (let j = memory.i32[(runs >>> 2) + u]; j < end; j++) sum += memory.f32[(sortedPulls >>> 2) + j];
      memory.f32[(biasGradient >>> 2) + u] = sum;
    }
  }
}
