import type { Address, Kernels } from "@logq/kernels";
import type { LossTile } from "@logq/losses";
import { type BatchLayout, HEAD } from "./batch-layout.js";
import type { FullGradient } from "./full-gradient.js";
import { FILTER_BLOCK, type FullTrainingSpace, ROW_BLOCK } from "./full-space.js";
import type { FullWalk } from "./full-walk.js";
import type { EngineLayout } from "./layout.js";
import type { EngineSpec } from "./spec.js";

/**
 * The class side of a full step that leaves out what has next to no probability. A block of 64 classes and 32 rows is left out of dW and dH if, for
 * each of the rows, its mass and what the lane has left out before stay within the lane's share of the budget; rare classes are asked first, since
 * most of what can be left out is there. So a row never loses more than the budget ε: its dH is wrong by at most coefficient·ε·max‖w‖. Labels are
 * never left out. Class rows of which every block is left out, and that are no label's, are rows that the step does not touch.
 */
export class FilteredGradient {
  readonly #kernels: Kernels;
  readonly #spec: EngineSpec;
  readonly #walk: FullWalk;
  readonly #space: FullTrainingSpace;
  readonly #gradient: FullGradient;
  readonly #layout: EngineLayout;
  readonly #budget: number;
  readonly #blocksPerTile: number;
  /** Blocks of rows of the present block of classes that stay. */
  readonly #stays: Uint8Array;
  /** Blocks of the lane so far. */
  #blocks = 0;

  constructor(kernels: Kernels, spec: EngineSpec, layout: EngineLayout, walk: FullWalk, gradient: FullGradient) {
    this.#kernels = kernels;
    this.#spec = spec;
    this.#walk = walk;
    this.#space = layout.full.training!;
    this.#gradient = gradient;
    this.#layout = layout;
    this.#budget = spec.training!.gradientFilter / spec.table.lanes;
    this.#blocksPerTile = Math.ceil(this.#space.tile.classes / FILTER_BLOCK);
    this.#stays = new Uint8Array(Math.ceil(layout.full.rows / ROW_BLOCK));
  }

  /** Where the forward walk puts the sums of a tile's blocks, float32 (blocks, capacity of rows). */
  blocksOf(lane: number, index: number): Address {
    const tile = lane * this.#space.tilesPerLane + index;
    return this.#space.blocks + 4 * tile * this.#blocksPerTile * this.#walk.space.rows;
  }

  /** Lane `unit`: its share of dH, and the gradients and the update of its class rows. */
  lane(unit: number, batch: BatchLayout): void {
    const { vector } = this.#kernels;
    const { ld } = this.#spec.table;
    const { space, scratch } = this.#walk;
    const rows = this.#kernels.memory.i32[(batch.head >>> 2) + HEAD.rows];
    const dH = this.#space.laneHiddenGradient + 4 * unit * space.rows * ld;
    vector.fill(dH, 0, rows * ld);
    vector.fill(scratch.spent, 0, rows);
    vector.fill(scratch.ones, 1, rows);
    this.#packHidden(rows);
    this.#blocks = 0;
    let left = 0;
    for (let index = this.#walk.tilesOf(unit) - 1; index >= 0; index--)
      left += this.#tile(unit, index, rows, dH, batch);
    this.#account(unit, left, rows);
  }

  /** Answers how many blocks were left out. */
  #tile(lane: number, index: number, rows: number, dH: Address, batch: BatchLayout): number {
    const { tile: kernel } = this.#kernels;
    const { space, scratch } = this.#walk;
    const reference = this.#gradient.referenceOf(lane, index);
    kernel.softmaxFactors(scratch.probability, reference, space.lse, scratch.ones, rows);
    const classes = this.#walk.tileClasses(lane, index);
    let tile: LossTile | undefined;
    let left = 0;
    for (let first = FILTER_BLOCK * Math.floor((classes - 1) / FILTER_BLOCK); first >= 0; first -= FILTER_BLOCK) {
      const C = Math.min(FILTER_BLOCK, classes - first);
      const staying = this.#choose(this.blocksOf(lane, index) + (4 * first * space.rows) / FILTER_BLOCK, rows);
      const all = Math.ceil(rows / ROW_BLOCK);
      left += all - staying;
      this.#blocks += all;
      const firstRow = this.#walk.firstRow(lane, index) + first;
      const label = this.#gradient.firstLabel(batch, firstRow);
      if (staying === 0 && this.#gradient.firstLabel(batch, firstRow + C) === label) {
        this.#untouched(firstRow, C);
        continue;
      }
      if (staying > 0 && tile === undefined) {
        tile = this.#gradient.bringTile(lane, index, rows, batch);
        kernel.softmaxFactors(scratch.factor, reference, space.lse, space.coefficient, rows);
      }
      const { rows: out, bias } = this.#gradient.placeOfGradient(firstRow);
      this.#products(tile, first, firstRow, C, rows, dH, out, bias);
      this.#gradient.finish(label, firstRow, C, out, bias, batch);
    }
    return left;
  }

  /** Decides about the row blocks of a block of classes; answers how many stay. */
  #choose(sums: Address, rows: number): number {
    const { f32 } = this.#kernels.memory;
    const sum = sums >>> 2;
    const probability = this.#walk.scratch.probability >>> 2;
    const spent = this.#walk.scratch.spent >>> 2;
    let staying = 0;
    for (let first = 0, block = 0; first < rows; first += ROW_BLOCK, block++) {
      const end = Math.min(rows, first + ROW_BLOCK);
      let stays = 0;
      for (let r = first; r < end && stays === 0; r++)
        if (!(f32[spent + r] + f32[sum + r] * f32[probability + r] <= this.#budget)) stays = 1;
      this.#stays[block] = stays;
      staying += stays;
      if (stays === 1) continue;
      for (let r = first; r < end; r++) f32[spent + r] += f32[sum + r] * f32[probability + r];
    }
    return staying;
  }

  /** dW of a block of classes over the row blocks that stay, and their shares of dH. Without a tile none stay. */
  #products(
    tile: LossTile | undefined,
    first: number,
    firstRow: number,
    C: number,
    rows: number,
    dH: Address,
    out: Address,
    outBias: Address,
  ): void {
    const { matrix, tile: kernel, vector } = this.#kernels;
    const { ld, D } = this.#spec.table;
    const { scratch } = this.#walk;
    let accumulate = false;
    if (this.#spec.bias) vector.fill(outBias, 0, C);
    for (let from = 0, block = 0; from < rows && tile !== undefined; from += ROW_BLOCK, block++) {
      if (this.#stays[block] === 0) continue;
      if (!accumulate) matrix.packRight(scratch.packed, this.#walk.tileRows(firstRow, C), ld, C, D);
      const R = Math.min(ROW_BLOCK, rows - from);
      const z = tile.z + 4 * (tile.ld * first + from);
      kernel.scaleColumns(z, tile.ld, C, R, scratch.factor + 4 * from);
      matrix.multiply(dH + 4 * ld * from, ld, z, 1, tile.ld, scratch.packed, R, C, D, true);
      matrix.multiply(out, ld, z, tile.ld, 1, this.#packedRows(block), C, R, D, accumulate);
      if (this.#spec.bias) {
        kernel.sumOverRows(scratch.norms, z, tile.ld, C, R, 0);
        vector.addScaled(outBias, scratch.norms, 1, C);
      }
      accumulate = true;
    }
    if (!accumulate) vector.fill(out, 0, C * ld);
  }

  #packedRows(block: number): Address {
    return this.#walk.scratch.packedScaled + block * this.#kernels.matrix.packedBytes(ROW_BLOCK, this.#spec.table.D);
  }

  #packHidden(rows: number): void {
    const { hidden } = this.#walk;
    for (let from = 0, block = 0; from < rows; from += ROW_BLOCK, block++) {
      const at = hidden.address + 4 * hidden.ld * from;
      const R = Math.min(ROW_BLOCK, rows - from);
      this.#kernels.matrix.packRight(this.#packedRows(block), at, hidden.ld, R, this.#spec.table.D);
    }
  }

  /** Clipping looks at every gradient. */
  #untouched(firstRow: number, C: number): void {
    if (this.#layout.clip === undefined) return;
    const { vector } = this.#kernels;
    const { rows, bias } = this.#gradient.placeOfGradient(firstRow);
    vector.fill(rows, 0, C * this.#spec.table.ld);
    if (this.#spec.bias) vector.fill(bias, 0, C);
  }

  /** What the lane left out in this step: its share of all blocks, and the mean mass of its rows. Summed over the run. */
  #account(lane: number, left: number, rows: number): void {
    const { f32, f64 } = this.#kernels.memory;
    const spent = this.#walk.scratch.spent >>> 2;
    let mass = 0;
    for (let r = 0; r < rows; r++) mass += f32[spent + r];
    const at = (this.#space.left >>> 3) + 2 * lane;
    f64[at] += left / Math.max(1, this.#blocks);
    f64[at + 1] += mass / rows;
  }
}
