import type { Encoder } from "@logq/encoders";
import type { Address, Kernels } from "@logq/kernels";
import { createTileLoss, type LossPositives, type LossRows, type LossTile, type TileLoss } from "@logq/losses";
import { type BatchLayout, HEAD } from "./batch-layout.js";
import { FullGradient } from "./full-gradient.js";
import type { FullTrainingSpace } from "./full-space.js";
import type { FullWalk } from "./full-walk.js";
import { type EngineLayout, FLAG } from "./layout.js";
import { lossRows, sumInOrder } from "./loss-state.js";
import { maskTile } from "./mask.js";
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
 *
 * Exponentials are made once: what is unknown while they are made, the sum over all classes, is a factor of a row, so it scales rows of dH, and
 * rows of H where they meet the tile for dW.
 */
export class FullStep {
  readonly gradient: FullGradient;
  readonly #kernels: Kernels;
  readonly #spec: EngineSpec;
  readonly #layout: EngineLayout;
  readonly #encoder: Encoder;
  readonly #walk: FullWalk;
  readonly #space: FullTrainingSpace;
  readonly #loss: TileLoss;
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
  ) {
    const { B, loss } = spec.training!;
    this.#kernels = kernels;
    this.#spec = spec;
    this.#layout = layout;
    this.#encoder = encoder;
    this.#walk = walk;
    this.#space = layout.full.training!;
    this.#loss = createTileLoss(kernels, loss, spec.table.n);
    this.gradient = new FullGradient(kernels, spec, layout, walk, this.#loss, updates);
    this.#R = rowsPerBlock(B);
    this.#smooths = loss.labelSmoothing > 0;
    this.#rows = lossRows(spec.scale);
    this.#other = lossRows(spec.scale);
    this.#tile = { z: 0, ld: 0, C: 0, scale: 1, add: 0, weight: 0 };
    this.#positives = { offsets: 0, dot: 0, add: 0, mass: 0 };
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
    Atomics.store(this.#kernels.memory.i32, (this.#layout.flags >>> 2) + FLAG.diverged, 1);
  }

  /** Lane `unit`: folds its tiles into what it knows of each row and adds their shares of dH; keeps the tiles if there is room. */
  classes(unit: number, batch: BatchLayout): void {
    const rows = this.#batchRows(batch);
    const { vector } = this.#kernels;
    const { ld, D } = this.#spec.table;
    const { space, scratch } = this.#walk;
    const { laneHiddenGradient, laneRowSum } = this.#space;
    const dH = laneHiddenGradient + 4 * unit * space.rows * ld;
    this.#walk.pointAtLane(this.#rows, unit, 0, rows, batch);
    this.#rows.decay = scratch.decay;
    this.#loss.begin(this.#rows);
    if (this.#smooths) vector.fill(laneRowSum + 4 * unit * ld, 0, ld);
    const tiles = this.#walk.tilesOf(unit);
    if (tiles === 0) vector.fill(dH, 0, rows * ld);
    for (let tile = 0; tile < tiles; tile++) {
      const C = this.#walk.tileClasses(unit, tile);
      const classRows = this.gradient.logits(this.#tile, unit, tile, rows);
      maskTile(this.#kernels.memory, batch, this.#tile, this.#walk.firstRow(unit, tile));
      if (this.#loss.kind === "separable") {
        this.#loss.tile(this.#tile, this.#rows);
      } else {
        const moved = this.#loss.exponentials(this.#tile, this.#rows);
        this.gradient.noteReference(unit, tile, rows, moved);
        if (moved > 0 && tile > 0) this.#kernels.rows.scaleRows(dH, ld, dH, ld, scratch.decay, rows, D);
      }
      this.#addHiddenGradient(dH, classRows, C, rows, tile > 0);
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
    matrix.packRight(packed, classRows, ld, C, D);
    matrix.multiply(dH, ld, this.#tile.z, 1, this.#tile.ld, packed, rows, C, D, accumulate);
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
    this.#hiddenGradient(first, R, batch);
    if (this.#isFinite(first, R)) this.#encoder.backward(first, R, { key: this.#spec.key, step });
    else this.#diverged();
  }

  /** Sums as well as losses: a row that is ignored has loss 0, but its logits are factors of class gradients. */
  #isFinite(first: number, R: number): boolean {
    const { memory, rows } = this.#kernels;
    const { laneLoss, laneSum } = this.#walk.space;
    for (let r = first; r < first + R; r++) {
      if (!Number.isFinite(memory.f64[(laneLoss >>> 3) + r])) return false;
      if (this.#loss.kind === "normalised" && !Number.isFinite(memory.f64[(laneSum >>> 3) + r])) return false;
    }
    const { address, ld } = this.#layout.encoder.hiddenGradient;
    return rows.allFinite(address + 4 * ld * first, ld, R, this.#spec.table.D);
  }

  /** dH of rows [first, first + R): the lanes' shares, brought to scale and summed; the labels' part; label smoothing's. */
  #hiddenGradient(first: number, R: number, batch: BatchLayout): void {
    const { vector, memory, rows, tile } = this.#kernels;
    const { lanes, ld, D } = this.#spec.table;
    const { space, scratch } = this.#walk;
    const lane = (index: number) => this.#space.laneHiddenGradient + 4 * (index * space.rows + first) * ld;
    for (let index = 0; index < lanes && this.#loss.kind === "normalised"; index++) {
      const reference = this.gradient.lastReference(index) + 4 * first;
      tile.softmaxFactors(scratch.factor, reference, space.lse + 4 * first, space.coefficient + 4 * first, R);
      rows.scaleRows(lane(index), ld, lane(index), ld, scratch.factor, R, D);
    }
    for (let gap = 1; gap < lanes; gap *= 2) {
      for (let index = 0; index < lanes; index += 2 * gap) vector.addScaled(lane(index), lane(index + gap), 1, R * ld);
    }
    this.#addLabels(lane(0), first, R, batch);
    if (this.#smooths) this.#smoothHidden(lane(0), first, R);
    const { hiddenGradient } = this.#layout.encoder;
    for (let r = 0; r < R; r++) {
      const from = (lane(0) >>> 2) + r * ld;
      memory.f32.copyWithin((hiddenGradient.address >>> 2) + (first + r) * hiddenGradient.ld, from, from + D);
    }
    if (!this.#spec.normalize) return;
    const at = hiddenGradient.address + 4 * hiddenGradient.ld * first;
    const unit = space.unitHidden + 4 * ld * first;
    rows.normalizeRowsBackward(at, hiddenGradient.ld, unit, ld, space.hiddenNorms + 4 * first, R, D);
  }

  /** The labels' class rows, times what `settle` made of their dot products; of cosines, the rows at length 1. */
  #addLabels(dH: Address, first: number, R: number, batch: BatchLayout): void {
    const { memory, rows } = this.#kernels;
    const { i32, f32 } = memory;
    const { ld, D } = this.#spec.table;
    const { positiveDot, positiveAdd, positiveNorm } = this.#walk.space;
    const offsets = batch.positiveOffsets + 4 * first;
    let weights = positiveDot;
    if (this.#spec.normalize) {
      // What is added to logits has been used; its place holds the quotients.
      weights = positiveAdd;
      const end = i32[(offsets >>> 2) + R];
      for (let l = i32[offsets >>> 2]; l < end; l++)
        f32[(weights >>> 2) + l] = f32[(positiveDot >>> 2) + l] / f32[(positiveNorm >>> 2) + l];
    }
    const { address } = this.#layout.table;
    rows.weightedRowSums(dH, ld, address, ld, offsets, batch.positivePlace, weights, R, D, true);
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
