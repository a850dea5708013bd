import type { Address, KernelMemory, Kernels } from "@logq/kernels";
import {
  createTileLoss,
  type LossPositives,
  type LossRows,
  type LossSpec,
  type LossTile,
  lossDefaults,
  type NormalisedLoss,
} from "@logq/losses";
import type { ExampleOrder } from "../sources/order.js";
import type { BatchBuilder } from "./batch-builder.js";
import { type BatchLayout, HEAD } from "./batch-layout.js";
import type { FullWalk } from "./full-walk.js";
import { type EngineLayout, STAT } from "./layout.js";
import { lossRows, sumInOrder } from "./loss-state.js";
import { maskTile } from "./mask.js";
import { blocksOf, type EngineSpec, rowsPerBlock } from "./spec.js";

/** What to find out about a batch of examples. */
export interface EvaluationGoals {
  /** The exact cross-entropy of the labels, by full softmax. */
  readonly loss: boolean;
  /** The k best classes, in [0, maxK]; 0: none. */
  readonly k: number;
  /** Whether a row's excluded classes are left out of its ranking. */
  readonly maskExcluded: boolean;
}

/** What `account` adds to. */
const EVALUATION_SUMS = [
  STAT.evaluationLoss,
  STAT.evaluationLabels,
  STAT.evaluationRows,
  STAT.evaluationLogPartition,
  STAT.evaluationLabelled,
];

/**
 * Exact evaluation of one batch after the other, as units of work:
 *
 *     build    inputs, labels and masks (one unit)
 *     rows     a block of rows: encoder, packing, the labels' logits
 *     classes  a lane: logits tile by tile, folded into partials and offered to the lane's ranking lists
 *     fold     a block of rows: lanes' partials folded, lists merged
 */
export class Evaluation {
  readonly #kernels: Kernels;
  readonly #spec: EngineSpec;
  readonly #layout: EngineLayout;
  readonly #walk: FullWalk;
  readonly #loss: NormalisedLoss;
  readonly #batch: BatchLayout;
  readonly #R: number;
  readonly #rows: LossRows;
  readonly #other: LossRows;
  readonly #tile: LossTile;
  readonly #positives: LossPositives;

  constructor(kernels: Kernels, spec: EngineSpec, layout: EngineLayout, walk: FullWalk) {
    this.#kernels = kernels;
    this.#spec = spec;
    this.#layout = layout;
    this.#walk = walk;
    const loss: LossSpec = { ...lossDefaults("full-softmax").spec, temperature: 1 / spec.scale, softCap: spec.softCap };
    this.#loss = createTileLoss(kernels, loss, spec.table.n) as NormalisedLoss;
    this.#batch = layout.evaluationBatch;
    this.#R = rowsPerBlock(spec.evaluationRows);
    this.#rows = lossRows(spec.scale);
    this.#other = lossRows(spec.scale);
    this.#tile = { z: 0, ld: 0, C: 0, scale: 1, add: 0, inner: 0, weight: 0 };
    this.#positives = { offsets: 0, dot: 0, add: 0, inner: 0, mass: 0, pull: 0 };
  }

  /** The one unit of the build phase. */
  build(number: number, builder: BatchBuilder, order: ExampleOrder, goals: EvaluationGoals): void {
    buildEvaluation(this.#kernels.memory, this.#spec, this.#batch, number, builder, order, goals);
  }

  get rowsOfBatch(): number {
    return this.#kernels.memory.i32[(this.#batch.head >>> 2) + HEAD.rows];
  }

  rowUnits(): number {
    return blocksOf(this.rowsOfBatch, this.#R);
  }

  row(unit: number, goals: EvaluationGoals): void {
    const first = unit * this.#R;
    const R = Math.min(this.#R, this.rowsOfBatch - first);
    this.#walk.prepareRows(first, R, undefined);
    if (goals.k > 0) this.#kernels.vector.fill(this.#walk.space.rankFloor + 4 * first, -Infinity, R);
    if (goals.loss) this.#walk.labelLogits(this.#batch.positiveOffsets, this.#batch.positivePlace, first, R);
  }

  /** Lanes. */
  classUnits(_goals: EvaluationGoals): number {
    return this.#spec.table.lanes;
  }

  classes(lane: number, goals: EvaluationGoals): void {
    const { tile: kernel } = this.#kernels;
    const rows = this.rowsOfBatch;
    const { space, scratch, shape } = this.#walk;
    const { lanes } = this.#spec.table;
    this.#walk.pointAtLane(this.#rows, lane, 0, rows, this.#batch);
    this.#loss.begin(this.#rows);
    const values = space.laneValues + 4 * lane * space.rows * goals.k;
    const ids = space.laneIds + 4 * lane * space.rows * goals.k;
    if (goals.k > 0) kernel.clearTopK(values, ids, goals.k, rows);
    for (let tile = 0; tile < this.#walk.tilesOf(lane); tile++) {
      const firstRow = this.#walk.firstRow(lane, tile);
      const C = this.#walk.tileClasses(lane, tile);
      this.#walk.multiplyTile(scratch.tile, this.#walk.tileRows(firstRow, C), C, rows);
      this.#walk.describeTile(this.#tile, scratch.tile, firstRow, C);
      // What is left out of a ranking still takes part in the loss.
      if (goals.loss) this.#loss.partials(this.#tile, this.#rows);
      if (goals.k === 0) continue;
      if (goals.maskExcluded) maskTile(this.#kernels.memory, this.#batch, this.#tile, firstRow);
      const firstId = tile * shape.classes * lanes + lane;
      const { z, ld } = this.#tile;
      const { softCap } = this.#spec;
      if (softCap > 0 && !goals.loss) kernel.softCap(z, ld, C, rows, this.#tile.scale, this.#tile.add, softCap);
      // The partials, or the cap, have scaled the logits and added the biases.
      const done = goals.loss || softCap > 0;
      const scale = done ? 1 : this.#tile.scale;
      const add = done ? 0 : this.#tile.add;
      kernel.topK(values, ids, goals.k, z, ld, C, rows, scale, add, space.rankFloor, firstId, lanes);
    }
  }

  foldUnits(): number {
    return this.rowUnits();
  }

  fold(unit: number, goals: EvaluationGoals): void {
    const { tile: kernel } = this.#kernels;
    const first = unit * this.#R;
    const R = Math.min(this.#R, this.rowsOfBatch - first);
    const { lanes } = this.#spec.table;
    const { space } = this.#walk;
    const list = (base: Address, lane: number) => base + 4 * (lane * space.rows + first) * goals.k;
    for (let gap = 1; gap < lanes; gap *= 2) {
      for (let lane = 0; lane < lanes; lane += 2 * gap) {
        if (goals.loss) {
          this.#walk.pointAtLane(this.#rows, lane, first, R, this.#batch);
          this.#walk.pointAtLane(this.#other, lane + gap, first, R, this.#batch);
          this.#loss.fold(this.#rows, this.#other);
        }
        if (goals.k > 0) {
          const into = list(space.laneValues, lane);
          kernel.mergeTopK(
            into,
            list(space.laneIds, lane),
            list(space.laneValues, lane + gap),
            list(space.laneIds, lane + gap),
            goals.k,
            R,
          );
        }
      }
    }
    if (goals.k > 0) this.#copyLists(first, R, goals.k);
    if (!goals.loss) return;
    this.#walk.pointAtLane(this.#rows, 0, first, R, this.#batch);
    this.#walk.pointAtLabels(this.#positives, first, this.#batch);
    this.#loss.settle(this.#positives, this.#rows);
  }

  /** Adds the batch to the running sums, in row order. One unit. */
  account(): void {
    const { memory } = this.#kernels;
    const { laneLoss, lse } = this.#walk.space;
    accountEvaluation(memory, this.#layout, sumInOrder(memory, laneLoss, this.rowsOfBatch), lse);
  }

  /** Before an evaluation: its sums begin at 0. */
  static clear({ f64 }: KernelMemory, { stats }: EngineLayout): void {
    for (const word of EVALUATION_SUMS) f64[(stats >>> 3) + word] = 0;
  }

  #copyLists(first: number, R: number, k: number): void {
    const { i32, f32 } = this.#kernels.memory;
    const { space } = this.#walk;
    const from = first * k;
    const count = R * k;
    i32.copyWithin(
      (this.#layout.rankedIds >>> 2) + from,
      (space.laneIds >>> 2) + from,
      (space.laneIds >>> 2) + from + count,
    );
    const values = space.laneValues >>> 2;
    f32.copyWithin((this.#layout.rankedValues >>> 2) + from, values + from, values + from + count);
  }
}

/** Inputs, labels and masks of a batch. Every label counts as an example of its own: mass 1, row weight 1. */
export function buildEvaluation(
  { i32, f32 }: KernelMemory,
  spec: EngineSpec,
  batch: BatchLayout,
  number: number,
  builder: BatchBuilder,
  order: ExampleOrder,
  goals: EvaluationGoals,
): void {
  const rows = order.seek(number);
  i32[(batch.head >>> 2) + HEAD.rows] = rows;
  if (spec.encoder.input !== "external") builder.writeInputs(rows, batch);
  builder.writeTargets(rows, batch);
  f32.fill(1, batch.rowWeight >>> 2, (batch.rowWeight >>> 2) + rows);
  if (goals.k > 0 && goals.maskExcluded) builder.writeExcluded(rows, batch);
}

/**
 * Adds a batch's Σ of −log p of its labels to the running sums, and |log Z| of its rows with labels.
 * @param lse log Z of the rows; absent: 0, of a law that is normalised by construction
 */
export function accountEvaluation(
  { f32, f64, i32 }: KernelMemory,
  layout: EngineLayout,
  loss: number,
  lse?: Address,
): void {
  const { stats: at, evaluationBatch: batch } = layout;
  const stats = at >>> 3;
  const rows = i32[(batch.head >>> 2) + HEAD.rows];
  f64[stats + STAT.evaluationLoss] += loss;
  f64[stats + STAT.evaluationLabels] += i32[(batch.head >>> 2) + HEAD.labels];
  f64[stats + STAT.evaluationRows] += rows;
  const offsets = batch.positiveOffsets >>> 2;
  for (let row = 0; row < rows; row++) {
    if (i32[offsets + row + 1] === i32[offsets + row]) continue;
    f64[stats + STAT.evaluationLabelled] += 1;
    if (lse !== undefined) f64[stats + STAT.evaluationLogPartition] += Math.abs(f32[(lse >>> 2) + row]);
  }
}
