import type { Address, Kernels } from "@logq/kernels";
import type { LossRows, LossTile, TileLoss } from "@logq/losses";
import { type BatchLayout, HEAD } from "./batch-layout.js";
import type { CandidateSpace } from "./candidate-space.js";
import { SampledSmoothing } from "./sampled-smoothing.js";
import { CLASS_BLOCK, type EngineSpec, rowsPerBlock } from "./spec.js";

/** Rows of a matrix, row-major. */
export interface RowMatrix {
  readonly address: Address;
  readonly ld: number;
}

/** A worker's own: a block of H, packed, and a sum of rows. */
export interface SharedScratch {
  readonly packed: Address;
  /** (D), label smoothing only */
  readonly smoothing: Address;
}

/**
 * Candidates that the whole batch shares: a block of batch rows meets them in one tile [candidate][row of the block], and all three products
 * are matrix products. Where the loss leaves a factor a row to be multiplied in (the exponentials of a softmax), it goes into the rows of dH, and into the
 * rows of H that class gradients are summed from.
 */
export class SharedCandidates {
  readonly #kernels: Kernels;
  readonly #spec: EngineSpec;
  readonly #space: CandidateSpace;
  readonly #R: number;
  /** Whether a gradient is a row's coefficient times what the tile holds. */
  readonly #factored: boolean;
  readonly #scratch: SharedScratch;
  readonly #smoothing: SampledSmoothing | undefined;

  constructor(kernels: Kernels, spec: EngineSpec, space: CandidateSpace, loss: TileLoss, scratch: SharedScratch) {
    this.#kernels = kernels;
    this.#spec = spec;
    this.#space = space;
    this.#R = rowsPerBlock(spec.training!.B);
    this.#factored = loss.kind === "normalised";
    this.#scratch = scratch;
    const smooths = spec.training!.loss.labelSmoothing > 0;
    this.#smoothing = smooths ? new SampledSmoothing(kernels, spec, space, scratch.smoothing) : undefined;
  }

  /** Packs the `count` candidates of block `unit`, rows of the panel, for dH: a back-end that can does without. */
  packPanel(unit: number, count: number): void {
    if (this.#space.packedPanel === 0) return;
    const { ld, D } = this.#spec.table;
    const rows = this.#space.panel + 4 * ld * CLASS_BLOCK * unit;
    const packed = this.#space.packedPanel + unit * this.#space.packedBlockBytes;
    this.#kernels.matrix.packRight(packed, rows, ld, count, D);
  }

  /** The tile of the block of rows that begins at `first`: raw dot products, −∞ where a candidate takes no part. */
  logits(first: number, R: number, batch: BatchLayout, hidden: RowMatrix, tile: LossTile): void {
    const { matrix, memory } = this.#kernels;
    const { ld, D } = this.#spec.table;
    const { panel, add, inner, weight } = this.#space;
    const C = memory.i32[(batch.head >>> 2) + HEAD.candidates];
    matrix.packRightTransposed(this.#scratch.packed, hidden.address + 4 * hidden.ld * first, hidden.ld, D, R);
    const z = this.#tileOf(first);
    matrix.multiply(z, this.#R, panel, ld, 1, this.#scratch.packed, C, D, R, false);
    this.#mask(first, R, batch);
    tile.z = z;
    tile.C = C;
    tile.add = add;
    tile.inner = inner;
    tile.weight = weight;
  }

  #mask(first: number, R: number, batch: BatchLayout): void {
    if (batch.maskOffsets === 0) return;
    const { i32, f32 } = this.#kernels.memory;
    const offsets = batch.maskOffsets >>> 2;
    const positions = batch.maskPositions >>> 2;
    const z = this.#tileOf(first) >>> 2;
    for (let r = 0; r < R; r++) {
      const end = i32[offsets + first + r + 1];
      for (let j = i32[offsets + first + r]; j < end; j++) f32[z + i32[positions + j] * this.#R + r] = -Infinity;
    }
  }

  /**
   * Turns rows.coefficient into what the tile is to be multiplied by, row by row. Ignored rows become zeros whatever their logits are: a product with
   * one that is not finite would be NaN.
   */
  factors({ z, ld, C }: LossTile, { R, max, lse, sum, coefficient }: LossRows): void {
    const { tile, memory } = this.#kernels;
    const { f32, f64 } = memory;
    tile.softmaxFactors(coefficient, max, lse, coefficient, R);
    for (let r = 0; r < R; r++) {
      if (f32[(coefficient >>> 2) + r] !== 0 || Number.isFinite(f64[(sum >>> 3) + r])) continue;
      for (let c = 0; c < C; c++) f32[(z >>> 2) + c * ld + r] = 0;
    }
  }

  /** out (R, ldOut): what the candidates give to rows of dH. */
  hiddenGradient(first: number, R: number, batch: BatchLayout, out: Address, ldOut: number): void {
    const { matrix, rows, vector, memory } = this.#kernels;
    const { ld, D } = this.#spec.table;
    const { panel, packedPanel } = this.#space;
    const C = memory.i32[(batch.head >>> 2) + HEAD.candidates];
    const z = this.#tileOf(first);
    if (C === 0) vector.fill(out, 0, ldOut * R);
    if (packedPanel === 0) matrix.multiplyUnpacked!(out, ldOut, z, 1, this.#R, panel, ld, R, C, D, false);
    for (let c = 0; c < C && packedPanel !== 0; c += CLASS_BLOCK) {
      const K = Math.min(CLASS_BLOCK, C - c);
      const packed = packedPanel + (c / CLASS_BLOCK) * this.#space.packedBlockBytes;
      matrix.multiply(out, ldOut, z + 4 * c * this.#R, 1, this.#R, packed, R, K, D, c > 0);
    }
    if (this.#factored) rows.scaleRows(out, ldOut, out, ldOut, this.#space.coefficient + 4 * first, R, D);
    this.#smoothing?.subtractFromHidden(first, R, C, out, ldOut);
  }

  /** Packs the block's rows of H, with their factors, for class gradients. */
  packHidden(first: number, R: number, hidden: RowMatrix): void {
    const { matrix, rows } = this.#kernels;
    const { ld, D } = this.#spec.table;
    const packed = this.#packedHidden(first);
    const source = hidden.address + 4 * hidden.ld * first;
    if (!this.#factored) {
      matrix.packRight(packed, source, hidden.ld, R, D);
      return;
    }
    const scaled = this.#space.scaledHidden + 4 * ld * first;
    rows.scaleRows(scaled, ld, source, hidden.ld, this.#space.coefficient + 4 * first, R, D);
    matrix.packRight(packed, scaled, ld, R, D);
  }

  /** The gradients of candidates [first, first + count) over `batchRows` rows: rows to out (count, ld), biases to outBias (count). */
  classGradient(
    first: number,
    count: number,
    batchRows: number,
    hidden: RowMatrix,
    out: Address,
    outBias: Address,
  ): void {
    if (count <= 0) return;
    const { matrix, tile } = this.#kernels;
    const { ld, D } = this.#spec.table;
    const { packedRowsBytes, coefficient } = this.#space;
    const R = this.#R;
    const blocks = Math.floor(batchRows / R);
    const z = this.#tileOf(0) + 4 * R * first;
    const step = (this.#tileOf(R) - this.#tileOf(0)) / 4;
    matrix.multiplySum(out, ld, z, R, step, this.#packedHidden(0), packedRowsBytes, count, R, D, blocks, false);
    const rest = batchRows - blocks * R;
    if (rest > 0) {
      const last = this.#packedHidden(blocks * R);
      matrix.multiply(out, ld, z + 4 * step * blocks, R, 1, last, count, rest, D, true);
    }
    if (this.#spec.bias) tile.sumOverTiles(outBias, z, R, step, count, R, batchRows, this.#factored ? coefficient : 0);
    this.#smoothing?.subtractFromClasses(first, count, batchRows, hidden, out, outBias);
  }

  /** Where the tile of the block of rows that begins at `first` lies. */
  #tileOf(first: number): Address {
    return this.#space.logits + 4 * first * this.#spec.training!.candidates!.S;
  }

  #packedHidden(first: number): Address {
    return this.#space.packedHidden + (first / this.#R) * this.#space.packedRowsBytes;
  }
}
