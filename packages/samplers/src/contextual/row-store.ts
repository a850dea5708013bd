import type { Key } from "@logq/core";
import type { Address, Kernels, RoundingDraw } from "@logq/kernels";
import type { TreeLayout } from "./kernel-tree-layout.js";

/** The rows (n, width) that blocks are scored by, in the type that the shared table has them in. They come, and are multiplied, as float32. */
export interface RowStore {
  /** Where the rows of a block are to be written, (classes, ldRows) float32. */
  place(block: number): Address;
  /** Stores what was written at `place`, and leaves it there until another block is written or scored. */
  keep(block: number): void;
  /** scores = the inner products of a query (width) with the stored rows of the first `count` of `blocks`, one block after the other. */
  score(query: Address, blocks: Int32Array, count: number): void;
}

/** Rows of float32: written and multiplied where they lie. */
export class WideRows implements RowStore {
  readonly #kernels: Kernels;
  readonly #layout: TreeLayout;

  constructor(kernels: Kernels, layout: TreeLayout) {
    this.#kernels = kernels;
    this.#layout = layout;
  }

  place(block: number): Address {
    const { rowBytes, shape, table } = this.#layout;
    return table.rows + rowBytes * block * shape.block;
  }

  keep(): void {}

  score(query: Address, blocks: Int32Array, count: number): void {
    const { width, ldRows, shape, table, scratch } = this.#layout;
    const { memory, rows } = this.#kernels;
    const indices = scratch.indices >>> 2;
    let scored = 0;
    for (let g = 0; g < count; g++) {
      const first = blocks[g] * shape.block;
      const end = first + shape.classesOf(blocks[g]);
      for (let id = first; id < end; id++) memory.i32[indices + scored++] = id;
    }
    rows.pairDots(scratch.scores, table.rows, ldRows, scratch.indices, query, 0, 0, scored, width);
  }
}

/** Which table stored rows are in the address of a rounding. None that a trainer rounds has this number, so random bits are never shared. */
const ROUNDING_TABLE = 255;

/**
 * Rows of bfloat16, rounded stochastically by bits that the class alone addresses: the same row is stored as the same bits at any step, by any thread. A
 * block is widened, into room that stays in the nearest cache, and multiplied from there.
 */
export class NarrowRows implements RowStore {
  readonly #kernels: Kernels;
  readonly #layout: TreeLayout;
  readonly #draw: RoundingDraw;

  constructor(kernels: Kernels, layout: TreeLayout, key: Key) {
    this.#kernels = kernels;
    this.#layout = layout;
    this.#draw = { key, step: 0, table: ROUNDING_TABLE };
  }

  place(): Address {
    return this.#layout.scratch.wideRows;
  }

  keep(block: number): void {
    const { width, ldRows, rowBytes, shape, scratch } = this.#layout;
    const { memory, narrow } = this.#kernels;
    const count = shape.classesOf(block);
    const ids = scratch.indices >>> 2;
    for (let i = 0; i < count; i++) memory.i32[ids + i] = block * shape.block + i;
    const at = this.#at(block);
    narrow.roundRows(at, rowBytes / 2, 0, scratch.wideRows, ldRows, count, width, scratch.indices, this.#draw);
  }

  score(query: Address, blocks: Int32Array, count: number): void {
    const { width, ldRows, rowBytes, shape, scratch } = this.#layout;
    const { narrow, rows } = this.#kernels;
    const { wideRows } = scratch;
    let scores = scratch.scores;
    for (let g = 0; g < count; g++) {
      const classes = shape.classesOf(blocks[g]);
      narrow.widenRows(wideRows, ldRows, this.#at(blocks[g]), rowBytes / 2, 0, classes, width);
      rows.pairDots(scores, wideRows, ldRows, 0, query, 0, 0, classes, width);
      scores += 4 * classes;
    }
  }

  #at(block: number): Address {
    const { rowBytes, shape, table } = this.#layout;
    return table.rows + rowBytes * block * shape.block;
  }
}
