import type { Key } from "@logq/core";
import type { Address, Kernels } from "@logq/kernels";
import type { BlockWeights } from "./block-laws.js";
import type { ClassFactors } from "./class-factors.js";
import { MOST_TOGETHER, type TreeLayout } from "./kernel-tree-layout.js";
import type { NodeFeatures } from "./node-features.js";
import type { RowStore } from "./row-store.js";
import { SortedUniforms } from "./sorted-uniforms.js";
import { StoredRows } from "./stored-rows.js";
import { TreeNodes } from "./tree-nodes.js";
import { TreeWalk } from "./tree-walk.js";
import type { ClassReader, Contexts, ContextualName, ContextualRequest, ContextualSampler } from "./types.js";

/** What makes one kernel tree different from another. */
export interface TreeParts {
  readonly name: ContextualName;
  readonly features: NodeFeatures;
  readonly factors: ClassFactors;
  readonly weights: BlockWeights;
  readonly rows: RowStore;
  /** Of the projection and the features. */
  readonly key: Key;
  readonly unigram: ArrayLike<number> | undefined;
  readonly refreshSteps: number;
}

/**
 * Draws from a tree over the classes whose nodes are sums of features, so that the mass of any subtree costs one inner product and a draw O(F·log n)
 * (Blanc and Rendle 2018). One tree serves every kernel that features express.
 */
export class KernelTreeSampler implements ContextualSampler {
  readonly name: ContextualName;
  readonly n: number;
  readonly D: number;
  readonly biased = false;
  readonly #layout: TreeLayout;
  readonly #parts: TreeParts;
  readonly #memory: Kernels["memory"];
  readonly #rows: StoredRows;
  readonly #nodes: TreeNodes;
  readonly #walk: TreeWalk;
  readonly #uniforms: SortedUniforms;
  #S = 0;

  constructor(kernels: Kernels, layout: TreeLayout, parts: TreeParts) {
    this.name = parts.name;
    this.n = layout.shape.n;
    this.D = layout.D;
    this.#layout = layout;
    this.#parts = parts;
    this.#memory = kernels.memory;
    this.#rows = new StoredRows(kernels, layout, parts.rows);
    this.#nodes = new TreeNodes(kernels, layout);
    this.#uniforms = new SortedUniforms(MOST_TOGETHER, kernels, layout.scratch.uniforms);
    this.#walk = new TreeWalk(kernels, layout, parts.features, parts.weights, parts.rows);
  }

  build(reader: ClassReader): void {
    const { features, factors, key, unigram } = this.#parts;
    this.#rows.prepare(key);
    features.prepare(key);
    factors.prepare(unigram);
    const { shape } = this.#layout;
    for (let unit = 0; unit < shape.units; unit++) this.#refreshUnit(unit, reader);
    this.#settleUnits(0, shape.units);
  }

  refreshUnits(step: number): number {
    return this.#endOfStep(step) - this.#startOfStep(step);
  }

  refresh(unit: number, step: number, reader: ClassReader): void {
    this.#refreshUnit(this.#startOfStep(step) + unit, reader);
  }

  settle(step: number): void {
    this.#settleUnits(this.#startOfStep(step), this.#endOfStep(step));
  }

  draw(request: ContextualRequest, { R, hidden, ld }: Contexts, ids: Address, logQ: Address): void {
    const { ldF, ldRows, scratch } = this.#layout;
    const { S, firstRow } = request;
    this.#S = S;
    for (let r = 0; r < R; r++) {
      const h = hidden + 4 * r * ld;
      const projected = this.#rows.query(h, scratch.queries + 4 * r * ldRows);
      this.#parts.features.writeContext(scratch.contexts + 4 * r * ldF, h, projected);
      this.#uniforms.address(request, firstRow + r);
      for (let first = 0; first < S; first += MOST_TOGETHER) {
        const count = Math.min(S - first, MOST_TOGETHER);
        const at = 4 * (r * S + first);
        this.#uniforms.fill(first, count);
        this.#walk.draw(r, S, this.#uniforms, count, ids + at, logQ + at);
      }
    }
  }

  logQ(row: number, ids: Address, count: number, out: Address): void {
    const { f32, i32 } = this.#memory;
    const { block } = this.#layout.shape;
    let reached = -1;
    for (let j = 0; j < count; j++) {
      const id = i32[(ids >>> 2) + j];
      const blockOfId = Math.floor(id / block);
      if (blockOfId !== reached) this.#walk.reach(row, blockOfId);
      reached = blockOfId;
      f32[(out >>> 2) + j] = this.#walk.logQ(this.#S, id);
    }
  }

  #startOfStep(step: number): number {
    const { refreshSteps } = this.#parts;
    return this.#layout.shape.firstUnit(step % refreshSteps, refreshSteps);
  }

  #endOfStep(step: number): number {
    const { refreshSteps } = this.#parts;
    return this.#layout.shape.firstUnit((step % refreshSteps) + 1, refreshSteps);
  }

  /** The blocks of a unit and the nodes between them and the unit's own. */
  #refreshUnit(unit: number, reader: ClassReader): void {
    const { shape } = this.#layout;
    const { features, factors } = this.#parts;
    const { unitLevel } = shape;
    const end = shape.firstBelow(unit + 1, unitLevel, 0);
    for (let block = shape.firstBelow(unit, unitLevel, 0); block < end; block++) {
      const offset = factors.read(block, reader);
      features.writeBlock(block, this.#rows.read(block, reader), offset);
    }
    for (let level = 1; level <= unitLevel; level++) {
      this.#nodes.sum(level, shape.firstBelow(unit, unitLevel, level), shape.firstBelow(unit + 1, unitLevel, level));
    }
  }

  /** The nodes above units [first, end). */
  #settleUnits(first: number, end: number): void {
    if (first === end) return;
    const { shape } = this.#layout;
    let [from, to] = [first, end];
    for (let level = shape.unitLevel + 1; level < shape.levels; level++) {
      from = Math.floor(from / shape.arity);
      to = Math.ceil(to / shape.arity);
      this.#nodes.sum(level, from, to);
    }
    this.#nodes.finish();
  }
}
