import type { Encoder } from "@logq/encoders";
import type { Address, Kernels } from "@logq/kernels";
import {
  candidateTerms,
  countsDraws,
  createTileLoss,
  type LossPositives,
  type LossRows,
  type LossTile,
  NORM_EPSILON,
  type TermVectors,
  type TileLoss,
} from "@logq/losses";
import type { TableRows } from "../table/table-rows.js";
import { type BatchLayout, HEAD } from "./batch-layout.js";
import { type CandidateSpace, wholeLines } from "./candidate-space.js";
import type { ContextualDraws } from "./contextual-candidates.js";
import { Flags } from "./flags.js";
import { type EngineLayout, FLAG } from "./layout.js";
import { countByLabels, lossRows, sumInOrder } from "./loss-state.js";
import { OwnCandidates } from "./own-candidates.js";
import { Selection } from "./selection.js";
import { type RowMatrix, SharedCandidates } from "./shared-candidates.js";
import { blocksOf, CLASS_BLOCK, type EngineSpec, rowsPerBlock, UPDATE_BLOCK } from "./spec.js";
import type { Temperature } from "./temperature.js";
import { termVectors } from "./terms.js";

/**
 * The three phases of a step with candidates, as units of work:
 *
 *     gather   copies the rows of this step's classes into one panel, with their biases and corrections
 *     rows     a block of batch rows: encoder, logits against the panel, loss, gradients of logits and of H, encoder backwards
 *     classes  a block of panel rows: their complete gradient over the batch
 *
 * Candidates are shared by the batch (a tile of products against the whole panel) or drawn by each row (dot products), or there are none. Labels are
 * dot products in any case, so that a label that nobody drew costs one row and not one row for every row of the batch.
 */
export class CandidateStep {
  readonly #kernels: Kernels;
  readonly #flags: Flags;
  readonly #spec: EngineSpec;
  readonly #space: CandidateSpace;
  readonly #layout: EngineLayout;
  readonly #encoder: Encoder;
  readonly #table: TableRows;
  readonly #loss: TileLoss;
  readonly #temperature: Temperature;
  readonly #gradient: Address;
  readonly #biasGradient: Address;
  readonly #R: number;
  readonly #shared: SharedCandidates | undefined;
  readonly #own: OwnCandidates | undefined;
  readonly #selection: Selection | undefined;
  readonly #candidateTerms: TermVectors[];
  readonly #labelTerms: TermVectors[];
  readonly #rows: LossRows;
  readonly #tile: LossTile;
  readonly #positives: LossPositives;

  constructor(
    kernels: Kernels,
    spec: EngineSpec,
    layout: EngineLayout,
    encoder: Encoder,
    table: TableRows,
    scratch: Address,
    temperature: Temperature,
  ) {
    const space = layout.candidate!;
    const { memory } = kernels;
    const { B, loss, candidates } = spec.training!;
    this.#kernels = kernels;
    this.#flags = new Flags(kernels.memory, layout.flags);
    this.#spec = spec;
    this.#space = space;
    this.#layout = layout;
    this.#encoder = encoder;
    this.#table = table;
    const own = candidates!.per === "row";
    this.#loss = createTileLoss(kernels, loss, spec.table.n, own);
    this.#temperature = temperature;
    this.#R = rowsPerBlock(B);
    this.#gradient = scratch + wholeLines(kernels.matrix.packedBytes(spec.table.D, this.#R));
    this.#biasGradient = this.#gradient + wholeLines(4 * CLASS_BLOCK * spec.table.ld);
    const smoothing = this.#biasGradient + wholeLines(4 * CLASS_BLOCK);
    const S = candidates!.S;
    const P = B * spec.training!.capacity.maxTargets;
    const { panelBias, add, inner, weight, positiveBias, positiveAdd, positiveInner } = space;
    const candidate = { bias: panelBias, add, inner, weight, count: S };
    const label = { bias: positiveBias, add: positiveAdd, inner: positiveInner, weight: 0, multiplicity: 0, count: P };
    const { per } = candidates!;
    if (per === "batch") {
      this.#shared = new SharedCandidates(kernels, spec, space, this.#loss, { packed: scratch, smoothing });
    }
    const selected = smoothing + (loss.labelSmoothing > 0 ? wholeLines(4 * spec.table.ld) : 0);
    const { select } = candidates!;
    if (select !== undefined) this.#selection = new Selection(kernels, select, spec.key, this.#R, selected);
    if (per === "row") this.#own = new OwnCandidates(kernels, spec, space, layout.batches, temperature);
    this.#candidateTerms = layout.batches
      .filter(() => per === "batch")
      .map(({ candidateLogQ, candidateMultiplicity }) =>
        termVectors(memory, { ...candidate, logQ: candidateLogQ, multiplicity: candidateMultiplicity }),
      );
    this.#labelTerms = layout.batches.map((batch) => termVectors(memory, { ...label, logQ: batch.positiveLogQ }));
    this.#rows = lossRows(spec.scale);
    this.#tile = { z: 0, ld: this.#R, C: 0, scale: per === "row" ? 1 : spec.scale, add: 0, inner: 0, weight: 0 };
    this.#positives = { offsets: 0, dot: 0, add: 0, inner: 0, mass: 0, pull: 0 };
  }

  /** Units of the gather phase that need the candidates alone: blocks of those in the panel. */
  candidateUnits(batch: BatchLayout): number {
    return blocksOf(this.#head(batch, HEAD.candidates), CLASS_BLOCK);
  }

  /** Units of the gather phase: blocks of candidates, then blocks of labels that were not drawn. */
  gatherUnits(batch: BatchLayout): number {
    const others = this.#head(batch, HEAD.panelRows) - this.#head(batch, HEAD.candidates);
    return this.candidateUnits(batch) + blocksOf(others, CLASS_BLOCK);
  }

  gather(unit: number, batch: BatchLayout, parity: number): void {
    const C = this.#head(batch, HEAD.candidates);
    const units = blocksOf(C, CLASS_BLOCK);
    if (unit >= units) {
      const first = C + (unit - units) * CLASS_BLOCK;
      this.#gatherRows(first, Math.min(CLASS_BLOCK, this.#head(batch, HEAD.panelRows) - first), batch);
      return;
    }
    const first = unit * CLASS_BLOCK;
    const count = Math.min(CLASS_BLOCK, C - first);
    this.#gatherRows(first, count, batch);
    this.#shared!.packPanel(unit, count);
    const terms = this.#candidateTerms[parity];
    terms.from = first;
    terms.to = first + count;
    terms.scale = this.#temperature.scale;
    candidateTerms(this.#spec.training!.loss, "candidate", terms);
  }

  #gatherRows(first: number, count: number, batch: BatchLayout): void {
    const { rows } = this.#kernels;
    const { ld, D } = this.#spec.table;
    const { panel, panelNorms, panelBias } = this.#space;
    const at = panel + 4 * ld * first;
    const indices = batch.panelRows + 4 * first;
    const { bias } = this.#layout.table;
    this.#table.gather(at, ld, indices, count);
    if (this.#spec.normalize) rows.normalizeRows(at, ld, at, ld, panelNorms + 4 * first, count, D, NORM_EPSILON);
    if (bias !== 0) rows.gatherRows(panelBias + 4 * first, 1, bias, 1, indices, count, 1);
  }

  /** Units of the row phase: blocks of batch rows. */
  rowUnits(batch: BatchLayout): number {
    return blocksOf(this.#head(batch, HEAD.rows), this.#R);
  }

  /** The block's hidden vectors, and who is drawn by them: before `row`, which then finds them made. */
  draw(unit: number, step: number, batch: BatchLayout, draws: ContextualDraws): void {
    const first = unit * this.#R;
    const R = Math.min(this.#R, this.#head(batch, HEAD.rows) - first);
    this.#makeHidden(first, R, step);
    draws.draw(step, first, R, this.#hidden, batch);
  }

  #makeHidden(first: number, R: number, step: number): void {
    this.#encoder.forward(first, R, { key: this.#spec.key, step });
    this.#normalizeHidden(first, R);
  }

  row(unit: number, step: number, batch: BatchLayout, parity: number): void {
    const first = unit * this.#R;
    const R = Math.min(this.#R, this.#head(batch, HEAD.rows) - first);
    const training = { key: this.#spec.key, step };
    if (this.#spec.training!.candidates!.contextual === undefined) this.#makeHidden(first, R, step);
    this.#labelLogits(first, R, batch, parity);
    this.#pointAt(first, R, batch);
    if (countsDraws(this.#spec.training!.loss)) this.#rows.draws = this.#draws(batch);
    if (this.#rows.tileFactor !== 0)
      countByLabels(this.#kernels.memory, this.#spec.training!, this.#positives, this.#rows);
    if (this.#own !== undefined) this.#own.logits(first, R, batch, parity, this.#hidden, this.#tile);
    else this.#shared?.logits(first, R, batch, this.#hidden, this.#tile);
    this.#selection?.beforeLoss(this.#tile, R, this.#space.panelBias);
    this.#applyLoss(first, R, step, batch);
    this.#hiddenGradient(first, R, batch);
    const { hiddenGradient } = this.#layout.encoder;
    const at = hiddenGradient.address + 4 * hiddenGradient.ld * first;
    if (!this.#isFinite(first, R, at, hiddenGradient.ld)) {
      this.#flags.set(FLAG.diverged, true);
      return;
    }
    this.#encoder.backward(first, R, training);
    this.#shared?.packHidden(first, R, this.#hidden);
  }

  /** How many draws a row meets: given or learned candidates may be fewer than S. */
  #draws(batch: BatchLayout): number {
    if (this.#own !== undefined) return this.#spec.training!.candidates!.S;
    const { i32 } = this.#kernels.memory;
    const C = this.#head(batch, HEAD.candidates);
    let sum = 0;
    for (let c = 0; c < C; c++) sum += i32[(batch.candidateMultiplicity >>> 2) + c];
    return sum;
  }

  /** Units of the class gradients: blocks of the panel. */
  classUnits(batch: BatchLayout): number {
    return blocksOf(this.#head(batch, HEAD.panelRows), UPDATE_BLOCK);
  }

  /** The panel rows of unit `unit`. */
  classCount(unit: number, batch: BatchLayout): number {
    return Math.min(UPDATE_BLOCK, this.#head(batch, HEAD.panelRows) - unit * UPDATE_BLOCK);
  }

  /**
   * The gradient of a block of panel rows over the whole batch: rows to out (count, ld), biases to outBias (count). Of tied tables with that of their
   * uses as inputs, which is of the rows as they are, whatever length logits see them at.
   */
  classGradient(unit: number, batch: BatchLayout, out: Address, outBias: Address): void {
    const { rows, vector } = this.#kernels;
    const { ld, D } = this.#spec.table;
    const { panel, panelNorms } = this.#space;
    const first = unit * UPDATE_BLOCK;
    const count = this.classCount(unit, batch);
    const shared = Math.max(0, Math.min(count, this.#head(batch, HEAD.candidates) - first));
    this.#shared?.classGradient(first, shared, this.#head(batch, HEAD.rows), this.#hidden, out, outBias);
    if (shared < count) vector.fill(out + 4 * ld * shared, 0, ld * (count - shared));
    if (shared < count && this.#spec.bias) vector.fill(outBias + 4 * shared, 0, count - shared);
    this.#addEntries(first, count, batch, out, outBias);
    this.#temperature.clearClasses(unit);
    this.#temperature.addClasses(unit, this.#space.panelBias + 4 * first, outBias, count);
    if (this.#spec.normalize) {
      const unitRows = panel + 4 * ld * first;
      rows.normalizeRowsBackward(out, ld, unitRows, ld, panelNorms + 4 * first, count, D);
    }
    if (this.#spec.tied) this.#encoder.sparseGradient(first, count, out, ld, true);
  }

  get scratchGradient(): Address {
    return this.#gradient;
  }

  get scratchBiasGradient(): Address {
    return this.#biasGradient;
  }

  /** Σ of the row losses, in row order: the loss of the batch. */
  batchLoss(batch: BatchLayout): number {
    return sumInOrder(this.#kernels.memory, this.#space.loss, this.#head(batch, HEAD.rows));
  }

  #head(batch: BatchLayout, word: number): number {
    return this.#kernels.memory.i32[(batch.head >>> 2) + word];
  }

  /** What logits are products with: H, or H brought to length 1. */
  get #hidden(): RowMatrix {
    return this.#spec.normalize
      ? { address: this.#space.unitHidden, ld: this.#spec.table.ld }
      : this.#layout.encoder.hidden;
  }

  #normalizeHidden(first: number, R: number): void {
    if (!this.#spec.normalize) return;
    const { hidden } = this.#layout.encoder;
    const { unitHidden, hiddenNorms } = this.#space;
    const { ld, D } = this.#spec.table;
    const source = hidden.address + 4 * hidden.ld * first;
    this.#kernels.rows.normalizeRows(
      unitHidden + 4 * ld * first,
      ld,
      source,
      hidden.ld,
      hiddenNorms + 4 * first,
      R,
      D,
      NORM_EPSILON,
    );
  }

  #labelLogits(first: number, R: number, batch: BatchLayout, parity: number): void {
    const { memory, rows } = this.#kernels;
    const { ld, D } = this.#spec.table;
    const { panel, panelBias, positiveBias, positiveDot } = this.#space;
    const hidden = this.#hidden;
    const offsets = batch.positiveOffsets >>> 2;
    const from = memory.i32[offsets + first];
    const to = memory.i32[offsets + first + R];
    const single = this.#spec.training!.capacity.maxTargets === 1 && to - from === R;
    if (single) {
      const h = hidden.address + 4 * hidden.ld * first;
      rows.pairDots(positiveDot + 4 * from, h, hidden.ld, 0, panel, ld, batch.positivePlace + 4 * from, R, D);
    }
    for (let r = first; r < first + R && !single; r++) {
      const start = memory.i32[offsets + r];
      const count = memory.i32[offsets + r + 1] - start;
      if (count === 0) continue;
      const places = batch.positivePlace + 4 * start;
      // One row of H against `count` rows of the panel: ld 0 repeats the row.
      rows.pairDots(positiveDot + 4 * start, hidden.address + 4 * hidden.ld * r, 0, 0, panel, ld, places, count, D);
    }
    if (this.#spec.bias)
      rows.gatherRows(positiveBias + 4 * from, 1, panelBias, 1, batch.positivePlace + 4 * from, to - from, 1);
    const terms = this.#labelTerms[parity];
    terms.from = from;
    terms.to = to;
    terms.scale = this.#temperature.scale;
    candidateTerms(this.#spec.training!.loss, "label", terms);
  }

  #pointAt(first: number, R: number, batch: BatchLayout): void {
    const { max, sum, decay, lse, coefficient, tileFactor, loss, uniform, total, positiveDot, positiveAdd } =
      this.#space;
    const rows = this.#rows;
    if (this.#own === undefined) this.#tile.scale = this.#temperature.scale;
    rows.scale = this.#temperature.scale;
    rows.R = R;
    rows.first = first;
    rows.weight = batch.rowWeight + 4 * first;
    rows.loss = loss + 8 * first;
    rows.coefficient = coefficient + 4 * first;
    rows.tileFactor = tileFactor === 0 ? 0 : tileFactor + 4 * first;
    rows.max = max + 4 * first;
    rows.sum = sum + 8 * first;
    rows.decay = decay + 4 * first;
    rows.lse = lse + 4 * first;
    rows.total = total + 8 * first;
    rows.uniform = uniform + 4 * first;
    const positives = this.#positives;
    positives.offsets = batch.positiveOffsets + 4 * first;
    positives.dot = positiveDot;
    positives.add = positiveAdd;
    positives.mass = batch.positiveMass;
    positives.inner = this.#space.positiveInner;
    positives.pull = this.#space.positivePull;
  }

  #applyLoss(first: number, R: number, step: number, batch: BatchLayout): void {
    const loss = this.#loss;
    if (loss.kind === "pairwise") {
      loss.pairs(this.#tile, this.#positives, this.#rows);
      return;
    }
    loss.begin(this.#rows);
    if (loss.kind === "normalised" && this.#shared !== undefined) {
      loss.exponentials(this.#tile, this.#rows);
      this.#selection?.afterExponentials(this.#tile, this.#rows, first, step);
      loss.settle(this.#positives, this.#rows);
      this.#shared.factors(this.#tile, this.#rows);
      return;
    }
    if (loss.kind === "normalised") {
      this.#eachTile(first, R, batch, (tile) => loss.partials(tile, this.#rows));
      loss.settle(this.#positives, this.#rows);
      this.#eachTile(first, R, batch, (tile) => loss.gradient(tile, this.#rows));
      this.#own!.backThroughCap(first, R);
      return;
    }
    this.#eachTile(first, R, batch, (tile) => loss.tile(tile, this.#rows));
    loss.settle(this.#positives, this.#rows);
  }

  /** The block's tile; or row by row, where rows' own candidates have weights, which are those of the row. */
  #eachTile(first: number, R: number, batch: BatchLayout, apply: (tile: LossTile) => void): void {
    const own = this.#own;
    if (own === undefined || this.#space.rowWeight === 0) {
      apply(this.#tile);
      return;
    }
    for (let r = first; r < first + R; r++) {
      this.#pointAt(r, 1, batch);
      this.#tile.z = own.tileOf(first) + 4 * (r - first);
      this.#tile.weight = own.writeWeights(r, batch);
      apply(this.#tile);
    }
    this.#pointAt(first, R, batch);
  }

  #hiddenGradient(first: number, R: number, batch: BatchLayout): void {
    const { rows, vector } = this.#kernels;
    const { ld, D } = this.#spec.table;
    const { panel, positiveDot } = this.#space;
    const { hiddenGradient } = this.#layout.encoder;
    const out = hiddenGradient.address + 4 * hiddenGradient.ld * first;
    if (this.#shared === undefined) vector.fill(out, 0, hiddenGradient.ld * R);
    else this.#shared.hiddenGradient(first, R, batch, out, hiddenGradient.ld);
    const offsets = batch.positiveOffsets + 4 * first;
    rows.weightedRowSums(out, hiddenGradient.ld, panel, ld, offsets, batch.positivePlace, positiveDot, R, D, true);
    this.#own?.addHiddenGradient(first, R, batch, out, hiddenGradient.ld, this.#biasGradient);
    if (!this.#spec.normalize) return;
    const { unitHidden, hiddenNorms } = this.#space;
    const unit = unitHidden + 4 * ld * first;
    this.#temperature.addRows(first, R, unit, ld, out, hiddenGradient.ld);
    rows.normalizeRowsBackward(out, hiddenGradient.ld, unit, ld, hiddenNorms + 4 * first, R, D);
  }

  /** What labels, and rows' own candidates, add to a block of class rows: entries in sorted order, one segment a panel row. */
  #addEntries(first: number, count: number, batch: BatchLayout, out: Address, outBias: Address): void {
    const { i32, f32 } = this.#kernels.memory;
    const { ld, D } = this.#spec.table;
    const { positiveDot, sortedWeight } = this.#space;
    const offsets = batch.sortedPlaces >>> 2;
    const entries = batch.sortedEntries >>> 2;
    const positives = this.#head(batch, HEAD.positives);
    const hidden = this.#hidden;
    const weight = sortedWeight >>> 2;
    for (let k = i32[offsets + first]; k < i32[offsets + first + count]; k++) {
      const entry = i32[entries + k];
      f32[weight + k] = entry < positives ? f32[(positiveDot >>> 2) + entry] : this.#own!.gradientOf(entry - positives);
    }
    const segments = batch.sortedPlaces + 4 * first;
    this.#kernels.rows.weightedRowSums(
      out,
      ld,
      hidden.address,
      hidden.ld,
      segments,
      batch.sortedRows,
      sortedWeight,
      count,
      D,
      true,
    );
    if (!this.#spec.bias) return;
    for (let u = 0; u < count; u++) {
      let sum = f32[(outBias >>> 2) + u];
      for (let k = i32[offsets + first + u]; k < i32[offsets + first + u + 1]; k++) sum += f32[weight + k];
      f32[(outBias >>> 2) + u] = sum;
    }
  }

  #isFinite(first: number, R: number, gradient: Address, ld: number): boolean {
    const { memory, rows } = this.#kernels;
    const { D } = this.#spec.table;
    const loss = this.#space.loss >>> 3;
    for (let r = first; r < first + R; r++) if (!Number.isFinite(memory.f64[loss + r])) return false;
    // A row that is ignored has neither loss nor gradient that could tell, but its H is a factor of class gradients.
    const hidden = this.#hidden;
    return (
      rows.allFinite(gradient, ld, R, D) && rows.allFinite(hidden.address + 4 * hidden.ld * first, hidden.ld, R, D)
    );
  }
}
