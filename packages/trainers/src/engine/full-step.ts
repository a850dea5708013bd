import type { Encoder } from "@logq/encoders";
import type { Address, Kernels } from "@logq/kernels";
import { createTileLoss, type LossPositives, type LossRows, type LossTile, type TileLoss } from "@logq/losses";
import { type BatchLayout, HEAD } from "./batch-layout.js";
import type { FullWalk } from "./full-walk.js";
import { type EngineLayout, FLAG } from "./layout.js";
import { lossRows, sumInOrder } from "./loss-state.js";
import { firstNotBelow, maskTile } from "./mask.js";
import { blocksOf, CLASS_TILE, type EngineSpec, rowsPerBlock } from "./spec.js";
import type { Updates } from "./updates.js";

/**
 * A step over all classes, as units of work:
 *
 *     rows      a block of batch rows: encoder, packing
 *     classes   a lane: logits tile by tile, folded into the lane's partials (separable losses: their gradients at once)
 *     fold      a block of batch rows: the lanes' partials are folded in a tree, the labels settled; now it is known whether all is finite
 *     gradient  a lane: each tile becomes gradients, adds its share of dH to the lane's, and updates its own class rows
 *     hidden    a block of batch rows: the lanes' shares of dH are summed in the same tree; encoder backwards
 */
export class FullStep {
  readonly #kernels: Kernels;
  readonly #spec: EngineSpec;
  readonly #layout: EngineLayout;
  readonly #encoder: Encoder;
  readonly #walk: FullWalk;
  readonly #updates: Updates;
  readonly #loss: TileLoss;
  readonly #R: number;
  readonly #clip: boolean;
  readonly #rows: LossRows;
  readonly #other: LossRows;
  readonly #tile: LossTile;
  readonly #positives: LossPositives;

  constructor(
    kernels: Kernels,
    spec: EngineSpec,
    layout: EngineLayout,
    encoder: Encoder,
    walk: FullWalk,
    updates: Updates,
  ) {
    const { B, loss, optimizer } = spec.training!;
    this.#kernels = kernels;
    this.#spec = spec;
    this.#layout = layout;
    this.#encoder = encoder;
    this.#walk = walk;
    this.#updates = updates;
    this.#loss = createTileLoss(kernels, loss, spec.table.n);
    this.#R = rowsPerBlock(B);
    this.#clip = optimizer.clipNorm > 0;
    this.#rows = lossRows(spec.scale);
    this.#other = lossRows(spec.scale);
    this.#tile = { z: 0, ld: 0, C: 0, scale: 1, add: 0, weight: 0 };
    this.#positives = { offsets: 0, dot: 0, add: 0, mass: 0 };
  }

  rowUnits(batch: BatchLayout): number {
    return blocksOf(this.#head(batch, HEAD.rows), this.#R);
  }

  row(unit: number, step: number, batch: BatchLayout): void {
    const first = unit * this.#R;
    const R = Math.min(this.#R, this.#head(batch, HEAD.rows) - first);
    const { space, hidden } = this.#walk;
    this.#walk.prepareRows(unit, first, R, step);
    const packed = space.packedHidden + unit * space.packedRowsBytes;
    const { D } = this.#spec.table;
    this.#kernels.matrix.packRight(packed, hidden.address + 4 * hidden.ld * first, hidden.ld, R, D);
    this.#walk.labelLogits(batch.positiveOffsets, batch.positivePlace, first, R);
    // A row that is ignored has no loss that could tell, but its H is a factor of class gradients.
    if (!this.#kernels.rows.allFinite(hidden.address + 4 * hidden.ld * first, hidden.ld, R, D)) this.#diverged();
  }

  #diverged(): void {
    Atomics.store(this.#kernels.memory.i32, (this.#layout.flags >>> 2) + FLAG.diverged, 1);
  }

  /** Lane `unit`: folds its tiles into what it knows of each row; keeps the tiles if there is room. */
  classes(unit: number, batch: BatchLayout): void {
    const rows = this.#head(batch, HEAD.rows);
    this.#walk.pointAtLane(this.#rows, unit, 0, rows, batch);
    this.#loss.begin(this.#rows);
    for (let tile = 0; tile < this.#walk.tilesOf(unit); tile++) this.#forwardTile(unit, tile, rows, batch);
  }

  foldUnits(batch: BatchLayout): number {
    return this.rowUnits(batch);
  }

  /** Rows' block `unit`: lanes 2^k apart are folded, k = 0, 1, …; then labels are settled on lane 0's rows. */
  fold(unit: number, batch: BatchLayout): void {
    const first = unit * this.#R;
    const R = Math.min(this.#R, this.#head(batch, HEAD.rows) - first);
    const { lanes } = this.#spec.table;
    for (let gap = 1; gap < lanes; gap *= 2) {
      for (let lane = 0; lane < lanes; lane += 2 * gap) {
        this.#walk.pointAtLane(this.#rows, lane, first, R, batch);
        this.#walk.pointAtLane(this.#other, lane + gap, first, R, batch);
        this.#loss.fold(this.#rows, this.#other);
      }
    }
    this.#walk.pointAtLane(this.#rows, 0, first, R, batch);
    this.#walk.pointAtLabels(this.#positives, first, batch);
    this.#loss.settle(this.#positives, this.#rows);
    const { f64 } = this.#kernels.memory;
    for (let r = first; r < first + R; r++) {
      if (!Number.isFinite(f64[(this.#walk.space.laneLoss >>> 3) + r])) this.#diverged();
    }
  }

  /** Lane `unit`: gradients, the lane's share of dH, and the update of its class rows (with clipping: their gradients, and no update). */
  gradient(unit: number, batch: BatchLayout): void {
    const rows = this.#head(batch, HEAD.rows);
    const { table } = this.#spec;
    const { space, scratch } = this.#walk;
    const dH = space.laneHiddenGradient + 4 * unit * space.rows * table.ld;
    const tiles = this.#walk.tilesOf(unit);
    if (tiles === 0) this.#kernels.vector.fill(dH, 0, rows * table.ld);
    let label = this.#firstLabel(batch, this.#walk.firstRow(unit, 0));
    for (let tile = 0; tile < tiles; tile++) {
      const firstRow = this.#walk.firstRow(unit, tile);
      const C = this.#walk.tileClasses(unit, tile);
      this.#gradientTile(unit, tile, rows, batch);
      label = this.#addLabels(label, firstRow, C, batch);
      const z = this.#tile.z;
      const classRows = this.#spec.normalize ? scratch.unit : this.#layout.table.address + 4 * table.ld * firstRow;
      this.#addHiddenGradient(dH, z, classRows, C, rows, tile > 0);
      const out = this.#clip ? space.gradient + 4 * table.ld * firstRow : scratch.gradient;
      const outBias = this.#clip ? space.biasGradient + 4 * firstRow : scratch.biasGradient;
      this.#classGradient(out, outBias, z, C, rows);
      if (!this.#clip) this.#update(firstRow, C, out, outBias);
    }
  }

  hiddenUnits(batch: BatchLayout): number {
    return this.rowUnits(batch);
  }

  /** Rows' block `unit`: dH from the lanes, then the encoder backwards. */
  hidden(unit: number, step: number, batch: BatchLayout): void {
    const first = unit * this.#R;
    const R = Math.min(this.#R, this.#head(batch, HEAD.rows) - first);
    const { lanes, ld, D } = this.#spec.table;
    const { space } = this.#walk;
    const { vector, memory, rows } = this.#kernels;
    const lane = (index: number) => space.laneHiddenGradient + 4 * (index * space.rows + first) * ld;
    for (let gap = 1; gap < lanes; gap *= 2) {
      for (let index = 0; index < lanes; index += 2 * gap) vector.addScaled(lane(index), lane(index + gap), 1, R * ld);
    }
    const { hiddenGradient } = this.#layout.encoder;
    for (let r = 0; r < R; r++) {
      const from = (lane(0) >>> 2) + r * ld;
      memory.f32.copyWithin((hiddenGradient.address >>> 2) + (first + r) * hiddenGradient.ld, from, from + D);
    }
    if (this.#spec.normalize) {
      const at = hiddenGradient.address + 4 * hiddenGradient.ld * first;
      rows.normalizeRowsBackward(
        at,
        hiddenGradient.ld,
        space.unitHidden + 4 * ld * first,
        ld,
        space.hiddenNorms + 4 * first,
        R,
        D,
      );
    }
    this.#encoder.backward(first, R, { key: this.#spec.key, step });
  }

  /** Clipping only: units of the update that follows, and of the squares before it. */
  get updateUnits(): number {
    return blocksOf(this.#spec.table.rows, CLASS_TILE);
  }

  updateBlock(unit: number): void {
    const { space } = this.#walk;
    const firstRow = unit * CLASS_TILE;
    const C = Math.min(CLASS_TILE, this.#spec.table.rows - firstRow);
    const gradient = space.gradient + 4 * this.#spec.table.ld * firstRow;
    this.#update(firstRow, C, gradient, space.biasGradient + 4 * firstRow);
  }

  /** Clipping only: Σ of squares of a block's gradients. */
  squares(unit: number): number {
    const { ld, D, rows } = this.#spec.table;
    const { space } = this.#walk;
    const firstRow = unit * CLASS_TILE;
    const C = Math.min(CLASS_TILE, rows - firstRow);
    const ofRows = this.#kernels.rows.sumOfSquares(space.gradient + 4 * ld * firstRow, ld, C, D);
    if (!this.#spec.bias) return ofRows;
    return ofRows + this.#kernels.rows.sumOfSquares(space.biasGradient + 4 * firstRow, 1, C, 1);
  }

  /** Σ of the row losses, in row order: the loss of the batch. */
  batchLoss(batch: BatchLayout): number {
    return sumInOrder(this.#kernels.memory, this.#walk.space.laneLoss, this.#head(batch, HEAD.rows));
  }

  #head(batch: BatchLayout, word: number): number {
    return this.#kernels.memory.i32[(batch.head >>> 2) + word];
  }

  /** Logits of a tile through the first half of the loss, which is all of it for separable ones. #tile describes them. */
  #forwardTile(lane: number, tile: number, rows: number, batch: BatchLayout): void {
    this.#computeTile(lane, tile, rows);
    maskTile(this.#kernels.memory, batch, this.#tile, this.#walk.firstRow(lane, tile));
    if (this.#loss.kind === "normalised") this.#loss.partials(this.#tile, this.#rows);
    else this.#loss.tile(this.#tile, this.#rows);
  }

  /** Raw logits of a tile, in their kept place or in scratch; #tile describes them. */
  #computeTile(lane: number, tile: number, rows: number): void {
    const { space, scratch } = this.#walk;
    const firstRow = this.#walk.firstRow(lane, tile);
    const C = this.#walk.tileClasses(lane, tile);
    const z = space.keptLogits === 0 ? scratch.tile : space.keptLogits + 4 * space.ldTile * firstRow;
    const classRows = this.#walk.tileRows(firstRow, C);
    this.#walk.multiplyTile(z, classRows, C, rows, this.#R);
    this.#walk.describeTile(this.#tile, z, firstRow, C);
  }

  /** Brings #tile to the gradients of a tile, from what was kept or anew. */
  #gradientTile(lane: number, tile: number, rows: number, batch: BatchLayout): void {
    const { space } = this.#walk;
    this.#walk.pointAtLane(this.#rows, lane, 0, rows, batch);
    if (space.keptLogits === 0) {
      // The losses are settled: what a separable loss adds once more goes where partials would be.
      this.#rows.loss = this.#rows.sum;
      this.#forwardTile(lane, tile, rows, batch);
    } else {
      const firstRow = this.#walk.firstRow(lane, tile);
      const C = this.#walk.tileClasses(lane, tile);
      this.#walk.describeTile(this.#tile, space.keptLogits + 4 * space.ldTile * firstRow, firstRow, C);
      if (this.#spec.normalize) this.#walk.tileRows(firstRow, C);
    }
    if (this.#loss.kind === "normalised") this.#loss.gradient(this.#tile, this.#rows);
  }

  /** The first sorted label whose physical row is not below `row`. */
  #firstLabel(batch: BatchLayout, row: number): number {
    return firstNotBelow(this.#kernels.memory.i32, batch.sortedPlaces >>> 2, this.#head(batch, HEAD.positives), row);
  }

  /** Adds the labels' part of the gradient to the tile; answers the next label. */
  #addLabels(label: number, firstRow: number, C: number, batch: BatchLayout): number {
    const { i32, f32 } = this.#kernels.memory;
    const places = batch.sortedPlaces >>> 2;
    const entries = batch.sortedEntries >>> 2;
    const rows = batch.sortedRows >>> 2;
    const dot = this.#walk.space.positiveDot >>> 2;
    const count = this.#head(batch, HEAD.positives);
    let next = label;
    for (; next < count && i32[places + next] < firstRow + C; next++) {
      const c = i32[places + next] - firstRow;
      f32[(this.#tile.z >>> 2) + c * this.#tile.ld + i32[rows + next]] += f32[dot + i32[entries + next]];
    }
    return next;
  }

  #addHiddenGradient(dH: Address, z: Address, classRows: Address, C: number, rows: number, accumulate: boolean): void {
    const { matrix } = this.#kernels;
    const { ld, D } = this.#spec.table;
    const { packed } = this.#walk.scratch;
    matrix.packRight(packed, classRows, ld, C, D);
    matrix.multiply(dH, ld, z, 1, this.#tile.ld, packed, rows, C, D, accumulate);
  }

  #classGradient(out: Address, outBias: Address, z: Address, C: number, rows: number): void {
    const { matrix, tile, rows: rowKernels } = this.#kernels;
    const { ld, D } = this.#spec.table;
    const { space, scratch } = this.#walk;
    for (let first = 0, block = 0; first < rows; first += this.#R, block++) {
      const packed = space.packedHidden + block * space.packedRowsBytes;
      matrix.multiply(
        out,
        ld,
        z + 4 * first,
        this.#tile.ld,
        1,
        packed,
        C,
        Math.min(this.#R, rows - first),
        D,
        first > 0,
      );
    }
    if (this.#spec.bias) tile.sumOverRows(outBias, z, this.#tile.ld, C, rows);
    if (this.#spec.normalize) rowKernels.normalizeRowsBackward(out, ld, scratch.unit, ld, scratch.norms, C, D);
  }

  #update(firstRow: number, C: number, gradient: Address, biasGradient: Address): void {
    this.#updates.classRows(0, firstRow, C, gradient);
    this.#updates.classBias(0, firstRow, C, biasGradient);
  }
}
