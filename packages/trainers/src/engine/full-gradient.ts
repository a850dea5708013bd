import type { Encoder } from "@logq/encoders";
import type { Address, Kernels } from "@logq/kernels";
import type { LossRows, LossTile, WalkedLoss } from "@logq/losses";
import { type BatchLayout, HEAD } from "./batch-layout.js";
import { type FullTrainingSpace, filters } from "./full-space.js";
import type { FullWalk } from "./full-walk.js";
import type { EngineLayout } from "./layout.js";
import { lossRows } from "./loss-state.js";
import { firstNotBelow, maskLabels, maskTile } from "./mask.js";
import { blocksOf, CLIPPED_BLOCK, type EngineSpec } from "./spec.js";
import type { Updates } from "./updates.js";

/**
 * The class side of a full step: where the tiles of the forward walk are, what they are relative to, and the gradients and updates of class
 * rows that are made of them, lane by lane. dW of a tile is its product with H, the rows of H times the factors that turn the tile into gradients.
 */
export class FullGradient {
  readonly #kernels: Kernels;
  readonly #spec: EngineSpec;
  readonly #encoder: Encoder;
  readonly #walk: FullWalk;
  readonly #space: FullTrainingSpace;
  readonly #loss: WalkedLoss;
  readonly #updates: Updates;
  readonly #bias: Address;
  readonly #clip: boolean;
  readonly #smooths: boolean;
  readonly #perTile: boolean;
  readonly #rows: LossRows;
  readonly #tile: LossTile = { z: 0, ld: 0, C: 0, scale: 1, add: 0, inner: 0, weight: 0 };

  constructor(
    kernels: Kernels,
    spec: EngineSpec,
    layout: EngineLayout,
    encoder: Encoder,
    walk: FullWalk,
    loss: WalkedLoss,
    updates: Updates,
  ) {
    this.#kernels = kernels;
    this.#spec = spec;
    this.#encoder = encoder;
    this.#walk = walk;
    this.#space = layout.full.training!;
    this.#loss = loss;
    this.#updates = updates;
    this.#bias = layout.table.bias;
    this.#clip = spec.training!.optimizer.clipNorm > 0;
    this.#smooths = spec.training!.loss.labelSmoothing > 0;
    this.#perTile = this.#space.kept !== 0 || filters(spec);
    this.#rows = lossRows(spec.scale);
  }

  /** Raw logits of a tile, in their kept place or in scratch; describes them and answers where the class rows are. */
  logits(tile: LossTile, lane: number, index: number, rows: number): Address {
    const firstRow = this.#walk.firstRow(lane, index);
    const C = this.#walk.tileClasses(lane, index);
    const z = this.#placeOf(firstRow);
    const classRows = this.#walk.tileRows(firstRow, C);
    this.#walk.multiplyTile(z, classRows, C, rows);
    this.#walk.describeTile(tile, z, firstRow, C);
    return classRows;
  }

  /** Sets the logits of pairs that take no part to −∞: what is excluded, and labels that the loss sees apart. */
  mask(tile: LossTile, firstRow: number, batch: BatchLayout): void {
    maskTile(this.#kernels.memory, batch, tile, firstRow);
    if (!this.#loss.labelsInTiles) maskLabels(this.#kernels.memory, batch, tile, firstRow);
  }

  #placeOf(firstRow: number): Address {
    const { kept, tile } = this.#space;
    return kept === 0 ? this.#walk.scratch.tile : kept + 4 * tile.ld * firstRow;
  }

  /** Remembers what a tile's exponentials are relative to: of every tile that is kept, else of the lane's last. `moved`: of how many rows it changed. */
  noteReference(lane: number, index: number, rows: number, moved: number): void {
    if (this.#loss.kind === "separable") return;
    const { space } = this.#walk;
    const { f32, i32 } = this.#kernels.memory;
    const from = (space.laneMax >>> 2) + lane * space.rows;
    f32.copyWithin(this.referenceOf(lane, index) >>> 2, from, from + rows);
    if (this.#space.kept !== 0) i32[(this.#space.moved >>> 2) + lane * this.#space.tilesPerLane + index] = moved;
  }

  /** What a tile's exponentials are relative to, float32 (rows); where only the lane's last is kept, that. */
  referenceOf(lane: number, index: number): Address {
    const { references, tilesPerLane } = this.#space;
    const place = this.#perTile ? lane * tilesPerLane + index : lane;
    return references + 4 * place * this.#walk.space.rows;
  }

  /** What a lane's dH is relative to, float32 (rows). */
  lastReference(lane: number): Address {
    return this.referenceOf(lane, Math.max(0, this.#walk.tilesOf(lane) - 1));
  }

  /** Lane `unit`: the gradients and the update of its class rows (with clipping: their gradients, and no update). */
  lane(unit: number, batch: BatchLayout): void {
    const rows = this.#head(batch, HEAD.rows);
    const tiles = this.#walk.tilesOf(unit);
    let label = this.firstLabel(batch, this.#walk.firstRow(unit, 0));
    if (this.#smooths) this.#smoothingOfRows(rows);
    for (let tile = 0; tile < tiles; tile++) {
      const firstRow = this.#walk.firstRow(unit, tile);
      const C = this.#walk.tileClasses(unit, tile);
      this.bringTile(unit, tile, rows, batch);
      if (tile === 0 || this.#referenceMoved(unit, tile)) this.#scaleHidden(unit, tile, rows);
      const { rows: out, bias: outBias } = this.placeOfGradient(firstRow);
      this.#multiply(out, outBias, C, rows);
      if (this.#smooths) this.#smooth(out, outBias, C, rows);
      label = this.finish(label, firstRow, C, out, outBias, batch);
    }
  }

  /** What comes after the products of some class rows: the labels' part, cosines' lengths, tied inputs, the update. Answers the next label. */
  finish(label: number, firstRow: number, C: number, out: Address, outBias: Address, batch: BatchLayout): number {
    const next = this.#addLabels(label, firstRow, C, out, outBias, batch);
    const lane = Math.floor(firstRow / this.#spec.table.rowsPerLane);
    this.#walk.temperature.addClasses(lane, this.#bias + 4 * firstRow, outBias, C);
    if (this.#spec.normalize) this.#backThroughLength(firstRow, C, out);
    if (this.#spec.tied) this.#addInputs(firstRow, C, out, batch);
    if (!this.#clip) this.#update(firstRow, C, out, outBias);
    return next;
  }

  /** Where gradients of class rows from `firstRow` on go: the worker's scratch, or, when clipping, a place of their own. */
  placeOfGradient(firstRow: number): { readonly rows: Address; readonly bias: Address } {
    const { scratch } = this.#walk;
    if (!this.#clip) return { rows: scratch.gradient, bias: scratch.biasGradient };
    const { gradient, biasGradient } = this.#space;
    return { rows: gradient + 4 * this.#spec.table.ld * firstRow, bias: biasGradient + 4 * firstRow };
  }

  #head(batch: BatchLayout, word: number): number {
    return this.#kernels.memory.i32[(batch.head >>> 2) + word];
  }

  /**
   * Where the forward walk's tile is, or is made again: relative to `referenceOf`, since the lane's last reference fits all of its tiles. What it
   * answers is valid until the next call.
   */
  bringTile(lane: number, index: number, rows: number, batch: BatchLayout): LossTile {
    const firstRow = this.#walk.firstRow(lane, index);
    if (this.#space.kept !== 0) {
      this.#tile.z = this.#placeOf(firstRow);
      this.#tile.ld = this.#space.tile.ld;
      this.#tile.C = this.#walk.tileClasses(lane, index);
      return this.#tile;
    }
    this.logits(this.#tile, lane, index, rows);
    this.mask(this.#tile, firstRow, batch);
    const { decay, spare } = this.#walk.scratch;
    this.#walk.pointAtLane(this.#rows, lane, 0, rows, batch);
    // The losses are settled: what is summed once more goes where nobody reads it.
    this.#rows.loss = spare;
    this.#rows.sum = spare;
    this.#rows.decay = decay;
    if (this.#loss.kind === "separable") {
      this.#loss.tile(this.#tile, this.#rows);
    } else {
      this.#rows.max = this.referenceOf(lane, index);
      this.#loss.exponentials(this.#tile, this.#rows);
    }
    return this.#tile;
  }

  #referenceMoved(lane: number, index: number): boolean {
    const { kept, moved, tilesPerLane } = this.#space;
    if (kept === 0 || this.#loss.kind === "separable") return false;
    return this.#kernels.memory.i32[(moved >>> 2) + lane * tilesPerLane + index] > 0;
  }

  /** H, of a softmax times the rows' factors for the tile, packed for the product. */
  #scaleHidden(lane: number, index: number, rows: number): void {
    const { matrix, tile, rows: rowKernels } = this.#kernels;
    const { ld, D } = this.#spec.table;
    const { space, scratch, hidden } = this.#walk;
    if (this.#loss.kind === "separable") {
      matrix.packRight(scratch.packedScaled, hidden.address, hidden.ld, rows, D);
      return;
    }
    tile.softmaxFactors(scratch.factor, this.referenceOf(lane, index), space.lse, space.coefficient, rows);
    rowKernels.scaleRows(scratch.scaled, ld, hidden.address, hidden.ld, scratch.factor, rows, D);
    matrix.packRight(scratch.packedScaled, scratch.scaled, ld, rows, D);
  }

  #multiply(out: Address, outBias: Address, C: number, rows: number): void {
    const { matrix, tile } = this.#kernels;
    const { ld, D } = this.#spec.table;
    const { packedScaled, factor } = this.#walk.scratch;
    const { z, ld: ldTile } = this.#tile;
    matrix.multiply(out, ld, z, ldTile, 1, packedScaled, C, rows, D, false);
    if (this.#spec.bias) tile.sumOverRows(outBias, z, ldTile, C, rows, this.#loss.kind === "separable" ? 0 : factor);
  }

  /** The first sorted label whose physical row is not below `row`. */
  firstLabel(batch: BatchLayout, row: number): number {
    return firstNotBelow(this.#kernels.memory.i32, batch.sortedPlaces >>> 2, this.#head(batch, HEAD.positives), row);
  }

  /** Adds the labels' part of the gradients of a tile's class rows; answers the next label. */
  #addLabels(label: number, firstRow: number, C: number, out: Address, outBias: Address, batch: BatchLayout): number {
    const { vector, memory } = this.#kernels;
    const { i32, f32 } = memory;
    const { ld, D } = this.#spec.table;
    const { hidden, space } = this.#walk;
    const places = batch.sortedPlaces >>> 2;
    const count = this.#head(batch, HEAD.positives);
    let next = label;
    for (; next < count && i32[places + next] < firstRow + C; next++) {
      const c = i32[places + next] - firstRow;
      const row = i32[(batch.sortedRows >>> 2) + next];
      const gradient = f32[(space.positiveDot >>> 2) + i32[(batch.sortedEntries >>> 2) + next]];
      vector.addScaled(out + 4 * ld * c, hidden.address + 4 * hidden.ld * row, gradient, D);
      if (this.#spec.bias) f32[(outBias >>> 2) + c] += gradient;
    }
    return next;
  }

  /** Σ_r uniform[r]·h_r, which label smoothing takes off every class row's gradient. */
  #smoothingOfRows(rows: number): void {
    const { vector, memory } = this.#kernels;
    const { ld, D } = this.#spec.table;
    const { space, scratch, hidden } = this.#walk;
    vector.fill(scratch.smoothing, 0, ld);
    for (let r = 0; r < rows; r++) {
      const uniform = memory.f32[(space.uniform >>> 2) + r];
      vector.addScaled(scratch.smoothing, hidden.address + 4 * hidden.ld * r, uniform, D);
    }
  }

  #smooth(out: Address, outBias: Address, C: number, rows: number): void {
    const { vector, memory } = this.#kernels;
    const { f32 } = memory;
    const { ld, D } = this.#spec.table;
    const { space, scratch } = this.#walk;
    for (let c = 0; c < C; c++) vector.addScaled(out + 4 * ld * c, scratch.smoothing, -1, D);
    if (!this.#spec.bias) return;
    let sum = 0;
    for (let r = 0; r < rows; r++) sum += f32[(space.uniform >>> 2) + r];
    for (let c = 0; c < C; c++) f32[(outBias >>> 2) + c] -= sum;
  }

  /** Cosines: from the rows at length 1 back to the rows. */
  #backThroughLength(firstRow: number, C: number, out: Address): void {
    const { ld, D } = this.#spec.table;
    const { norms } = this.#walk.scratch;
    const unit = this.#walk.tileRows(firstRow, C);
    this.#kernels.rows.normalizeRowsBackward(out, ld, unit, ld, norms, C, D);
  }

  /** Tied tables: what class rows have from their uses as inputs, which stand by physical row. */
  #addInputs(firstRow: number, C: number, out: Address, batch: BatchLayout): void {
    const { i32 } = this.#kernels.memory;
    const { ld } = this.#spec.table;
    const unique = batch.segments.unique >>> 2;
    const count = this.#head(batch, HEAD.uniqueInputs);
    for (let k = firstNotBelow(i32, unique, count, firstRow); k < count && i32[unique + k] < firstRow + C; k++)
      this.#encoder.sparseGradient(k, 1, out + 4 * ld * (i32[unique + k] - firstRow), ld, true);
  }

  #update(firstRow: number, C: number, gradient: Address, biasGradient: Address): void {
    this.#updates.classRows(0, firstRow, C, gradient);
    this.#updates.classBias(0, firstRow, C, biasGradient);
  }

  /** Clipping only: units of the update that follows, and of the squares before it. */
  get clippedUnits(): number {
    return blocksOf(this.#spec.table.rows, CLIPPED_BLOCK);
  }

  updateBlock(unit: number): void {
    const { firstRow, C, gradient, biasGradient } = this.#clippedBlock(unit);
    this.#update(firstRow, C, gradient, biasGradient);
  }

  /** Clipping only: Σ of squares of a block's gradients. */
  squares(unit: number): number {
    const { ld, D } = this.#spec.table;
    const { C, gradient, biasGradient } = this.#clippedBlock(unit);
    const ofRows = this.#kernels.rows.sumOfSquares(gradient, ld, C, D);
    if (!this.#spec.bias) return ofRows;
    return ofRows + this.#kernels.rows.sumOfSquares(biasGradient, 1, C, 1);
  }

  #clippedBlock(unit: number) {
    const firstRow = unit * CLIPPED_BLOCK;
    const C = Math.min(CLIPPED_BLOCK, this.#spec.table.rows - firstRow);
    const gradient = this.#space.gradient + 4 * this.#spec.table.ld * firstRow;
    return { firstRow, C, gradient, biasGradient: this.#space.biasGradient + 4 * firstRow };
  }
}
