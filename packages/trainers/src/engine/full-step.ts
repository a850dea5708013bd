import type { Encoder } from "@logq/encoders";
import type { Address, Kernels } from "@logq/kernels";
import { createFullLoss, type LossPositives, type LossRows, type LossTile, type WalkedLoss } from "@logq/losses";
import type { TableRows } from "../table/table-rows.js";
import { type BatchLayout, HEAD } from "./batch-layout.js";
import { Flags } from "./flags.js";
import { FilteredGradient } from "./full-filter.js";
import { FullGradient } from "./full-gradient.js";
import { type FullTrainingSpace, filters } from "./full-space.js";
import type { FullWalk } from "./full-walk.js";
import { type EngineLayout, FLAG } from "./layout.js";
import { lossRows, sumInOrder } from "./loss-state.js";
import { blocksOf, type EngineSpec, rowsPerBlock } from "./spec.js";
import type { Updates } from "./updates.js";

/**
 * A step over all classes, as units of work:
 *
 *     rows      a block of batch rows: encoder, packing, the labels' logits
 *     classes   a lane: logits tile by tile, folded into the lane's sums; a softmax's become exponentials relative to the lane's reference, a separable
 *               loss's gradients; each tile adds its share of dH to the lane's while it is in the cache
 *     fold      a block of batch rows: the lanes' sums are folded in a tree and the labels settled; with that dH is brought to scale and summed in
 *               the same tree, and goes back through the encoder; now it is known whether all is finite
 *     gradient  a lane: each tile's class gradients, and their update (`FullGradient`)
 *     hidden    only if gradients are filtered (`FilteredGradient`): dH, whose shares the lanes then find with the class gradients
 *
 * Exponentials are made once: what is unknown while they are made, the sum over all classes, is a factor of a row, so it scales rows of dH, and
 * rows of H where they meet the tile for dW.
 */
export class FullStep {
  readonly gradient: FullGradient;
  /** Set if gradients are filtered: then dH is its work, and comes after the update. */
  readonly filter: FilteredGradient | undefined;
  readonly #kernels: Kernels;
  readonly #flags: Flags;
  readonly #spec: EngineSpec;
  readonly #layout: EngineLayout;
  readonly #encoder: Encoder;
  readonly #table: TableRows;
  readonly #walk: FullWalk;
  readonly #space: FullTrainingSpace;
  readonly #loss: WalkedLoss;
  readonly #R: number;
  readonly #smooths: boolean;
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
    table: TableRows,
  ) {
    const { B, loss } = spec.training!;
    this.#kernels = kernels;
    this.#flags = new Flags(kernels.memory, layout.flags);
    this.#spec = spec;
    this.#layout = layout;
    this.#encoder = encoder;
    this.#table = table;
    this.#walk = walk;
    this.#space = layout.full.training!;
    this.#loss = createFullLoss(kernels, loss, spec.table.n);
    this.gradient = new FullGradient(kernels, spec, layout, encoder, walk, this.#loss, updates);
    this.filter = filters(spec) ? new FilteredGradient(kernels, spec, layout, walk, this.gradient) : undefined;
    this.#R = rowsPerBlock(B);
    this.#smooths = loss.labelSmoothing > 0;
    this.#rows = lossRows(spec.scale);
    this.#other = lossRows(spec.scale);
    this.#tile = { z: 0, ld: 0, C: 0, scale: 1, add: 0, inner: 0, weight: 0 };
    this.#positives = { offsets: 0, dot: 0, add: 0, inner: 0, mass: 0, pull: 0 };
  }

  rowUnits(batch: BatchLayout): number {
    return blocksOf(this.#batchRows(batch), this.#R);
  }

  row(unit: number, step: number, batch: BatchLayout): void {
    const first = unit * this.#R;
    const R = Math.min(this.#R, this.#batchRows(batch) - first);
    const { hidden } = this.#walk;
    this.#walk.prepareRows(first, R, step);
    this.#walk.labelLogits(batch.positiveOffsets, batch.positivePlace, first, R);
    // A row that is ignored has no loss that could tell, but its H is a factor of class gradients.
    if (!this.#kernels.rows.allFinite(hidden.address + 4 * hidden.ld * first, hidden.ld, R, this.#spec.table.D))
      this.#diverged();
  }

  #diverged(): void {
    this.#flags.set(FLAG.diverged, true);
  }

  /** Lane `unit`: folds its tiles into what it knows of each row and adds their shares of dH; keeps the tiles if there is room. */
  classes(unit: number, batch: BatchLayout): void {
    const rows = this.#batchRows(batch);
    const { vector } = this.#kernels;
    const { ld, D } = this.#spec.table;
    const { space, scratch } = this.#walk;
    const { laneHiddenGradient, laneRowSum } = this.#space;
    const dH = laneHiddenGradient + 4 * unit * space.rows * ld;
    this.#walk.temperature.clearClasses(unit);
    this.#walk.pointAtLane(this.#rows, unit, 0, rows, batch);
    this.#rows.decay = scratch.decay;
    this.#loss.begin(this.#rows);
    if (this.#smooths) vector.fill(laneRowSum + 4 * unit * ld, 0, ld);
    const tiles = this.#walk.tilesOf(unit);
    if (tiles === 0) vector.fill(dH, 0, rows * ld);
    for (let tile = 0; tile < tiles; tile++) {
      const C = this.#walk.tileClasses(unit, tile);
      const classRows = this.gradient.logits(this.#tile, unit, tile, rows);
      this.gradient.mask(this.#tile, this.#walk.firstRow(unit, tile), batch);
      if (this.#loss.kind === "separable") {
        this.#loss.tile(this.#tile, this.#rows);
      } else {
        if (this.filter !== undefined) {
          this.#rows.blocks = this.filter.blocksOf(unit, tile);
          this.#rows.ldBlocks = space.rows;
        }
        const moved = this.#loss.exponentials(this.#tile, this.#rows);
        this.gradient.noteReference(unit, tile, rows, moved);
        if (moved > 0 && tile > 0 && this.filter === undefined)
          this.#kernels.rows.scaleRows(dH, ld, dH, ld, scratch.decay, rows, D);
      }
      if (this.filter === undefined) this.#addHiddenGradient(dH, classRows, C, rows, tile > 0);
      if (!this.#smooths) continue;
      this.#kernels.dense.columnSums(scratch.smoothing, classRows, ld, C, D);
      vector.addScaled(laneRowSum + 4 * unit * ld, scratch.smoothing, 1, D);
    }
    if (tiles === 0) this.gradient.noteReference(unit, 0, rows, 0);
  }

  #addHiddenGradient(dH: Address, classRows: Address, C: number, rows: number, accumulate: boolean): void {
    const { matrix } = this.#kernels;
    const { ld, D } = this.#spec.table;
    const { packed } = this.#walk.scratch;
    const { z, ld: ldTile } = this.#tile;
    if (matrix.multiplyUnpacked !== undefined) {
      matrix.multiplyUnpacked(dH, ld, z, 1, ldTile, classRows, ld, rows, C, D, accumulate);
      return;
    }
    matrix.packRight(packed, classRows, ld, C, D);
    matrix.multiply(dH, ld, z, 1, ldTile, packed, rows, C, D, accumulate);
  }

  foldUnits(batch: BatchLayout): number {
    return this.rowUnits(batch);
  }

  /** Rows' block `unit`: lanes 2^k apart are folded, k = 0, 1, …; labels are settled on lane 0's rows; then dH, and the encoder backwards. */
  fold(unit: number, step: number, batch: BatchLayout): void {
    const first = unit * this.#R;
    const R = Math.min(this.#R, this.#batchRows(batch) - first);
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
    // Before any class row is updated.
    this.#labelHidden(first, R, batch);
    if (!this.#sumsAreFinite(first, R)) this.#diverged();
    else if (this.filter === undefined) this.#hiddenGradient(first, R, step);
  }

  /** Gradients are filtered: rows' block `unit` of dH, then the encoder backwards. */
  hidden(unit: number, step: number, batch: BatchLayout): void {
    const first = unit * this.#R;
    this.#hiddenGradient(first, Math.min(this.#R, this.#batchRows(batch) - first), step);
  }

  /** dH of rows [first, first + R), and the encoder backwards. */
  #hiddenGradient(first: number, R: number, step: number): void {
    this.#laneHidden(first, R);
    const { address, ld } = this.#layout.encoder.hiddenGradient;
    if (this.#kernels.rows.allFinite(address + 4 * ld * first, ld, R, this.#spec.table.D))
      this.#encoder.backward(first, R, { key: this.#spec.key, step });
    else this.#diverged();
  }

  /** Sums as well as losses: a row that is ignored has loss 0, but its logits are factors of class gradients. */
  #sumsAreFinite(first: number, R: number): boolean {
    const { f64 } = this.#kernels.memory;
    const { laneLoss, laneSum } = this.#walk.space;
    for (let r = first; r < first + R; r++) {
      if (!Number.isFinite(f64[(laneLoss >>> 3) + r])) return false;
      if (this.#loss.kind === "normalised" && !Number.isFinite(f64[(laneSum >>> 3) + r])) return false;
    }
    return true;
  }

  /** The labels' part of dH: their class rows, times what `settle` made of their dot products; of cosines, the rows at length 1. */
  #labelHidden(first: number, R: number, batch: BatchLayout): void {
    const { i32, f32 } = this.#kernels.memory;
    const { positiveDot, positiveAdd, positiveNorm } = this.#walk.space;
    const { hiddenGradient } = this.#layout.encoder;
    const offsets = batch.positiveOffsets + 4 * first;
    let weights = positiveDot;
    if (this.#spec.normalize) {
      // What is added to logits has been used; its place holds the quotients.
      weights = positiveAdd;
      const end = i32[(offsets >>> 2) + R];
      for (let l = i32[offsets >>> 2]; l < end; l++)
        f32[(weights >>> 2) + l] = f32[(positiveDot >>> 2) + l] / f32[(positiveNorm >>> 2) + l];
    }
    const out = hiddenGradient.address + 4 * hiddenGradient.ld * first;
    this.#table.weightedSums(out, hiddenGradient.ld, offsets, batch.positivePlace, weights, R, false);
  }

  /** The classes' part: the lanes' shares of dH, brought to scale and summed. Label smoothing's. Back through the length of H. */
  #laneHidden(first: number, R: number): void {
    const { vector, rows, tile } = this.#kernels;
    const { lanes, ld, D } = this.#spec.table;
    const { space, scratch } = this.#walk;
    const { hiddenGradient } = this.#layout.encoder;
    const out = hiddenGradient.address + 4 * hiddenGradient.ld * first;
    const lane = (index: number) => this.#space.laneHiddenGradient + 4 * (index * space.rows + first) * ld;
    const relative = this.#loss.kind === "normalised" && this.filter === undefined;
    for (let index = 0; index < lanes && relative; index++) {
      const reference = this.gradient.lastReference(index) + 4 * first;
      tile.softmaxFactors(scratch.factor, reference, space.lse + 4 * first, space.coefficient + 4 * first, R);
      rows.scaleRows(lane(index), ld, lane(index), ld, scratch.factor, R, D);
    }
    for (let gap = 1; gap < lanes; gap *= 2) {
      for (let index = 0; index < lanes; index += 2 * gap) vector.addScaled(lane(index), lane(index + gap), 1, R * ld);
    }
    if (this.#smooths) this.#smoothHidden(lane(0), first, R);
    for (let r = 0; r < R; r++) vector.addScaled(out + 4 * hiddenGradient.ld * r, lane(0) + 4 * ld * r, 1, D);
    if (!this.#spec.normalize) return;
    const unit = space.unitHidden + 4 * ld * first;
    this.#walk.temperature.addRows(first, R, unit, ld, out, hiddenGradient.ld);
    rows.normalizeRowsBackward(out, hiddenGradient.ld, unit, ld, space.hiddenNorms + 4 * first, R, D);
  }

  /** Label smoothing takes the same off every class's logit: uniform[r] times the sum of all class rows. */
  #smoothHidden(dH: Address, first: number, R: number): void {
    const { vector, memory } = this.#kernels;
    const { lanes, ld, D } = this.#spec.table;
    const { uniform } = this.#walk.space;
    const { smoothing } = this.#walk.scratch;
    vector.fill(smoothing, 0, ld);
    for (let lane = 0; lane < lanes; lane++) vector.addScaled(smoothing, this.#space.laneRowSum + 4 * lane * ld, 1, D);
    for (let r = 0; r < R; r++)
      vector.addScaled(dH + 4 * ld * r, smoothing, -memory.f32[(uniform >>> 2) + first + r], D);
  }

  /** Σ of the row losses, in row order: the loss of the batch. */
  batchLoss(batch: BatchLayout): number {
    return sumInOrder(this.#kernels.memory, this.#walk.space.laneLoss, this.#batchRows(batch));
  }

  #batchRows(batch: BatchLayout): number {
    return this.#kernels.memory.i32[(batch.head >>> 2) + HEAD.rows];
  }
}
