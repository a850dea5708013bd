import type { Encoder } from "@logq/encoders";
import type { Address, Kernels } from "@logq/kernels";
import { type LossPositives, type LossRows, type LossTile, NORM_EPSILON } from "@logq/losses";
import { classesOfLane } from "../table/lanes.js";
import type { TableRows } from "../table/table-rows.js";
import type { BatchLayout } from "./batch-layout.js";
import { type FullScratch, type FullSpace, scratchAt, type TileShape } from "./full-space.js";
import type { EngineLayout } from "./layout.js";
import type { EngineSpec } from "./spec.js";
import type { Temperature } from "./temperature.js";

/** A block of H as logits see it. */
interface Hidden {
  readonly address: Address;
  readonly ld: number;
}

/**
 * What training and evaluation share of the walk over all classes: rows of H packed once, then lane after lane the logits of one
 * tile of classes after the other, [class][row of the batch]. A B x n matrix is never needed.
 */
export class FullWalk {
  readonly space: FullSpace;
  readonly scratch: FullScratch;
  readonly shape: TileShape;
  readonly temperature: Temperature;
  readonly #kernels: Kernels;
  readonly #spec: EngineSpec;
  readonly #layout: EngineLayout;
  readonly #encoder: Encoder;
  readonly #table: TableRows;

  constructor(
    kernels: Kernels,
    spec: EngineSpec,
    layout: EngineLayout,
    encoder: Encoder,
    table: TableRows,
    scratch: Address,
    shape: TileShape,
    temperature: Temperature,
  ) {
    this.shape = shape;
    this.temperature = temperature;
    this.#kernels = kernels;
    this.#spec = spec;
    this.#layout = layout;
    this.#encoder = encoder;
    this.#table = table;
    this.space = layout.full;
    this.scratch = scratchAt(layout.full.scratch, scratch);
  }

  /** H, or H brought to length 1. */
  get hidden(): Hidden {
    return this.#spec.normalize
      ? { address: this.space.unitHidden, ld: this.#spec.table.ld }
      : this.#layout.encoder.hidden;
  }

  /** Encoder forward, length and packing of rows [first, first + R), `first` a multiple of 32. */
  prepareRows(first: number, R: number, step: number | undefined): void {
    const { D, ld } = this.#spec.table;
    this.#encoder.forward(first, R, step === undefined ? undefined : { key: this.#spec.key, step });
    if (this.#spec.normalize) {
      const { hidden } = this.#layout.encoder;
      const { unitHidden, hiddenNorms } = this.space;
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
    const { address, ld: ldHidden } = this.hidden;
    const { matrix } = this.#kernels;
    const packed = matrix.packedColumn(this.space.packedHiddenT, D, first);
    matrix.packRightTransposed(packed, address + 4 * ldHidden * first, ldHidden, D, R);
  }

  /** The raw logits of labels [from, to) of rows [first, first + R): dot products with their class rows, and their scaled biases. */
  labelLogits(offsets: Address, places: Address, first: number, R: number): void {
    const { memory, rows } = this.#kernels;
    const { positiveDot, positiveAdd, positiveBias } = this.space;
    const { table } = this.#layout;
    const hidden = this.hidden;
    const at = offsets >>> 2;
    for (let r = first; r < first + R; r++) {
      const start = memory.i32[at + r];
      const count = memory.i32[at + r + 1] - start;
      const h = hidden.address + 4 * hidden.ld * r;
      this.#table.dots(positiveDot + 4 * start, h, places + 4 * start, count);
    }
    const from = memory.i32[at + first];
    const to = memory.i32[at + first + R];
    if (this.#spec.normalize) this.#divideByLengths(places, from, to);
    if (table.bias === 0) {
      this.#kernels.vector.fill(positiveAdd + 4 * from, 0, to - from);
      return;
    }
    rows.gatherRows(positiveBias + 4 * from, 1, table.bias, 1, places + 4 * from, to - from, 1);
    for (let l = from; l < to; l++)
      memory.f32[(positiveAdd >>> 2) + l] = this.temperature.scale * memory.f32[(positiveBias >>> 2) + l];
  }

  #divideByLengths(places: Address, from: number, to: number): void {
    const { memory } = this.#kernels;
    const dot = this.space.positiveDot >>> 2;
    const norms = this.space.positiveNorm >>> 2;
    for (let l = from; l < to; l++) {
      const squares = this.#table.sumOfSquares(memory.i32[(places >>> 2) + l]);
      const norm = Math.max(Math.sqrt(squares), NORM_EPSILON);
      memory.f32[norms + l] = norm;
      memory.f32[dot + l] /= norm;
    }
  }

  /** How many tiles a lane has. */
  tilesOf(lane: number): number {
    return Math.ceil(classesOfLane(this.#spec.table, lane) / this.shape.classes);
  }

  /** First physical row and number of classes of a lane's tile. */
  firstRow(lane: number, tile: number): number {
    return lane * this.#spec.table.rowsPerLane + tile * this.shape.classes;
  }

  tileClasses(lane: number, tile: number): number {
    return Math.min(this.shape.classes, classesOfLane(this.#spec.table, lane) - tile * this.shape.classes);
  }

  /**
   * The tile's class rows as logits see them: in the table, or in an area of the worker's own if the table cannot be read in place or rows are brought
   * to length 1. A copy stands until the next tile.
   */
  tileRows(firstRow: number, C: number): Address {
    const { ld, D } = this.#spec.table;
    const rows = this.#table.block(firstRow, C);
    if (!this.#spec.normalize) return rows;
    const { unit, norms } = this.scratch;
    this.#kernels.rows.normalizeRows(unit, ld, rows, ld, norms, C, D, NORM_EPSILON);
    return unit;
  }

  /** The tile's scaled biases, or 0. Without temperature they are the biases themselves. */
  tileTerms(firstRow: number, C: number): Address {
    const { bias } = this.#layout.table;
    if (bias === 0) return 0;
    const at = bias + 4 * firstRow;
    const { scale } = this.temperature;
    if (scale === 1) return at;
    const { f32 } = this.#kernels.memory;
    const { add } = this.scratch;
    for (let c = 0; c < C; c++) f32[(add >>> 2) + c] = scale * f32[(at >>> 2) + c];
    return add;
  }

  /** z (C, rows) ← raw logits of a tile against the rows of the batch. */
  multiplyTile(z: Address, tileRows: Address, C: number, rows: number): void {
    const { ld, D } = this.#spec.table;
    this.#kernels.matrix.multiply(z, this.shape.ld, tileRows, ld, 1, this.space.packedHiddenT, C, D, rows, false);
  }

  /** Points a tile description at z. */
  describeTile(tile: LossTile, z: Address, firstRow: number, C: number): void {
    tile.z = z;
    tile.ld = this.shape.ld;
    tile.C = C;
    tile.scale = this.temperature.scale;
    tile.add = this.tileTerms(firstRow, C);
    tile.weight = 0;
  }

  /** Rows [first, first + R) of a lane, with the weights of `batch`. What `settle` writes for all lanes stands in vectors that lanes share. */
  pointAtLane(rows: LossRows, lane: number, first: number, R: number, batch: BatchLayout): void {
    const { space } = this;
    const at = lane * space.rows + first;
    rows.R = R;
    rows.scale = this.temperature.scale;
    rows.weight = batch.rowWeight + 4 * first;
    rows.loss = space.laneLoss + 8 * at;
    rows.max = space.laneMax + 4 * at;
    rows.sum = space.laneSum + 8 * at;
    rows.total = space.laneTotal + 8 * at;
    rows.coefficient = space.coefficient + 4 * first;
    rows.lse = space.lse + 4 * first;
    rows.uniform = space.uniform + 4 * first;
  }

  /** Points at the labels of the batch's rows from `first` on. */
  pointAtLabels(positives: LossPositives, first: number, batch: BatchLayout): void {
    positives.offsets = batch.positiveOffsets + 4 * first;
    positives.dot = this.space.positiveDot;
    positives.add = this.space.positiveAdd;
    positives.mass = batch.positiveMass;
  }
}
