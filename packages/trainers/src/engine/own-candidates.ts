import type { Address, Kernels } from "@logq/kernels";
import { candidateTerms, capSlope, type LossTile, type TermVectors } from "@logq/losses";
import type { BatchLayout } from "./batch-layout.js";
import type { CandidateSpace } from "./candidate-space.js";
import type { RowMatrix } from "./shared-candidates.js";
import { type EngineSpec, rowsPerBlock } from "./spec.js";
import type { Temperature } from "./temperature.js";
import { termVectors } from "./terms.js";

/**
 * Candidates that each row draws for itself: dot products instead of a product with a panel. A block's tile is [slot][row of the block]; the
 * batch's own vectors are [slot][row of the batch].
 */
export class OwnCandidates {
  readonly #kernels: Kernels;
  readonly #spec: EngineSpec;
  readonly #space: CandidateSpace;
  readonly #terms: TermVectors[];
  readonly #S: number;
  readonly #B: number;
  readonly #R: number;
  readonly #temperature: Temperature;

  constructor(
    kernels: Kernels,
    spec: EngineSpec,
    space: CandidateSpace,
    batches: readonly BatchLayout[],
    temperature: Temperature,
  ) {
    const { B, candidates } = spec.training!;
    this.#kernels = kernels;
    this.#spec = spec;
    this.#space = space;
    this.#S = candidates!.S;
    this.#B = B;
    this.#R = rowsPerBlock(B);
    const { rowBias, rowAdd } = space;
    this.#temperature = temperature;
    // Capped, scaled biases take the place of the biases, which nobody needs any more.
    const inner = spec.softCap > 0 ? rowBias : 0;
    const shared = { bias: rowBias, multiplicity: 0, add: rowAdd, inner, weight: 0, count: this.#S * B };
    this.#terms = batches.map((batch) => termVectors(kernels.memory, { ...shared, logQ: batch.rowCandidateLogQ }));
  }

  /** Where the tile of the block that begins at row `first` lies. */
  tileOf(first: number): Address {
    return this.#space.logits + 4 * first * this.#S;
  }

  /** The block's tile: scale·h·w + terms, capped before corrections, −∞ where a candidate takes no part. It needs no more scaling. */
  logits(first: number, R: number, batch: BatchLayout, parity: number, hidden: RowMatrix, tile: LossTile): void {
    const { memory, rows } = this.#kernels;
    const { f32 } = memory;
    const { ld, D } = this.#spec.table;
    const { panel, panelBias, rowBias, rowAdd } = this.#space;
    const terms = this.#terms[parity];
    for (let slot = 0; slot < this.#S; slot++) {
      const at = slot * this.#B + first;
      const places = batch.rowCandidatePlace + 4 * at;
      const out = this.tileOf(first) + 4 * slot * this.#R;
      rows.pairDots(out, hidden.address + 4 * hidden.ld * first, hidden.ld, 0, panel, ld, places, R, D);
      if (this.#spec.bias) rows.gatherRows(rowBias + 4 * at, 1, panelBias, 1, places, R, 1);
      terms.from = at;
      terms.to = at + R;
      terms.scale = this.#temperature.scale;
      candidateTerms(this.#spec.training!.loss, "candidate", terms);
      const left = this.#cap(out, at, R);
      const z = out >>> 2;
      const add = (rowAdd >>> 2) + at;
      const logQ = (batch.rowCandidateLogQ >>> 2) + at;
      for (let r = 0; r < R; r++) {
        const excluded = f32[logQ + r] === Infinity;
        f32[z + r] = excluded ? -Infinity : left * f32[z + r] + f32[add + r];
      }
    }
    tile.z = this.tileOf(first);
    tile.C = this.#S;
    tile.add = 0;
    tile.weight = 0;
  }

  /** With a soft cap: R products at z become capped logits, and their slopes are kept. Answers what is left to multiply them by. */
  #cap(z: Address, at: number, R: number): number {
    const { softCap } = this.#spec;
    const { scale } = this.#temperature;
    if (softCap === 0) return scale;
    const { tile, memory } = this.#kernels;
    const { f32 } = memory;
    const from = z >>> 2;
    const inner = (this.#space.rowBias >>> 2) + at;
    const slope = (this.#space.rowSlope >>> 2) + at;
    for (let r = 0; r < R; r++) f32[from + r] = scale * f32[from + r] + (this.#spec.bias ? f32[inner + r] : 0);
    tile.softCap(z, R, 1, R, 1, 0, softCap);
    for (let r = 0; r < R; r++) f32[slope + r] = capSlope(f32[from + r], softCap);
    return 1;
  }

  /** With a soft cap: the block's tile, gradients of capped logits, becomes those of logits. */
  backThroughCap(first: number, R: number): void {
    if (this.#spec.softCap === 0) return;
    const { f32 } = this.#kernels.memory;
    for (let slot = 0; slot < this.#S; slot++) {
      const z = (this.tileOf(first) >>> 2) + slot * this.#R;
      const slope = (this.#space.rowSlope >>> 2) + slot * this.#B + first;
      // What takes no part stays 0, whatever its logit was.
      for (let r = 0; r < R; r++) if (f32[z + r] !== 0) f32[z + r] *= f32[slope + r];
    }
  }

  /** Where losses weigh candidates by 1/Q: writes the weights of row `row` and answers where. A tile's weights are those of its classes, so such rows are tiles of their own. */
  writeWeights(row: number, batch: BatchLayout): Address {
    const { f32 } = this.#kernels.memory;
    const weights = this.#space.rowWeight + 4 * this.#S * row;
    for (let slot = 0; slot < this.#S; slot++) {
      f32[(weights >>> 2) + slot] = Math.exp(-f32[(batch.rowCandidateLogQ >>> 2) + slot * this.#B + row]);
    }
    return weights;
  }

  /** out (R, ldOut) += what the block's candidates add to dH. `scratch` has room for R + 1 numbers. */
  addHiddenGradient(first: number, R: number, batch: BatchLayout, out: Address, ldOut: number, scratch: Address): void {
    const { i32 } = this.#kernels.memory;
    const { ld, D } = this.#spec.table;
    const { panel } = this.#space;
    // One candidate of every row at a time: the segments are single entries, offsets 0, 1, …, R.
    for (let r = 0; r <= R; r++) i32[(scratch >>> 2) + r] = r;
    for (let slot = 0; slot < this.#S; slot++) {
      const places = batch.rowCandidatePlace + 4 * (slot * this.#B + first);
      const weights = this.tileOf(first) + 4 * slot * this.#R;
      this.#kernels.rows.weightedRowSums(out, ldOut, panel, ld, scratch, places, weights, R, D, true);
    }
  }

  /** The gradient of entry slot·B + row. */
  gradientOf(entry: number): number {
    const row = entry % this.#B;
    const slot = (entry - row) / this.#B;
    const inBlock = row % this.#R;
    return this.#kernels.memory.f32[(this.tileOf(row - inBlock) >>> 2) + slot * this.#R + inBlock];
  }
}
