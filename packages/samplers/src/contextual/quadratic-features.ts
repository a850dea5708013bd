import type { Address, Kernels } from "@logq/kernels";
import type { TreeLayout } from "./kernel-tree-layout.js";
import type { NodeFeatures } from "./node-features.js";
import type { BlockRows } from "./stored-rows.js";

/**
 * α·(scale·⟨q, v⟩)² + 1 as an inner product, q and v the projected context and row: a node has Σ g·v_i·v_j for i ≤ j and the mass Σ g; a context has
 * α·scale²·q_i·q_j, twice where i < j. The + 1 is the lift, so that a square which rounding made negative counts as 0.
 */
export class QuadraticFeatures implements NodeFeatures {
  readonly floor = 0;
  readonly lift = 1;
  readonly #kernels: Kernels;
  readonly #layout: TreeLayout;
  /** alpha·scale² */
  readonly #weight: number;

  constructor(kernels: Kernels, layout: TreeLayout, weight: number) {
    this.#kernels = kernels;
    this.#layout = layout;
    this.#weight = weight;
  }

  prepare(): void {}

  writeBlock(block: number, { projected, ldProjected }: BlockRows, offset: number): void {
    const { r, ldR, ldF, shape, table, scratch } = this.#layout;
    const { memory, matrix, rows } = this.#kernels;
    const { f32 } = memory;
    const count = shape.classesOf(block);
    const factors = table.factors + 4 * block * shape.block;
    const weighted = scratch.products;
    const squares = scratch.products + 4 * shape.block * ldR;
    rows.scaleRows(weighted, ldR, projected, ldProjected, factors, count, r);
    matrix.packRight(scratch.packed, weighted, ldR, count, r);
    matrix.multiply(squares, r, projected, 1, ldProjected, scratch.packed, r, count, r, false);
    let to = (table.features >>> 2) + block * ldF;
    for (let i = 0; i < r; i++) {
      const from = (squares >>> 2) + i * r;
      for (let j = i; j < r; j++) f32[to++] = f32[from + j];
    }
    let mass = 0;
    for (let i = 0; i < count; i++) mass += f32[(factors >>> 2) + i];
    f32[(table.masses >>> 2) + block] = mass;
    f32[(table.offsets >>> 2) + block] = offset;
  }

  writeContext(out: Address, _hidden: Address, projected: Address): void {
    const { f32 } = this.#kernels.memory;
    const { r } = this.#layout;
    const q = projected >>> 2;
    let to = out >>> 2;
    for (let i = 0; i < r; i++) {
      const once = this.#weight * f32[q + i];
      f32[to++] = once * f32[q + i];
      const twice = 2 * once;
      for (let j = i + 1; j < r; j++) f32[to++] = twice * f32[q + j];
    }
  }
}
