import type { Encoder } from "@logq/encoders";
import type { Kernels } from "@logq/kernels";
import {
  type AdaptiveQueries,
  type ClusterBlock,
  ClusterWalk,
  clusterBlock,
  type RankedTile,
  searchTopK,
  TILE_CLASSES,
} from "@logq/losses";
import type { ExampleOrder } from "../../sources/order.js";
import type { BatchBuilder } from "../batch-builder.js";
import { type BatchLayout, HEAD } from "../batch-layout.js";
import { accountEvaluation, buildEvaluation, type EvaluationGoals } from "../evaluation.js";
import type { EngineLayout } from "../layout.js";
import { sumInOrder } from "../loss-state.js";
import { firstNotBelow } from "../mask.js";
import { blocksOf, type EngineSpec } from "../spec.js";
import { AdaptiveRows } from "./adaptive-rows.js";
import type { AdaptiveLayout, AdaptiveScratch } from "./adaptive-space.js";

/**
 * Exact evaluation of an adaptive softmax, by its own law: log p of a label costs the head and its own tail, a ranking the head and those tails whose
 * probability is above that of the k-th best class so far. As units of work:
 *
 *     build     inputs, labels and masks, and which rows meet which cluster (one unit)
 *     rows      a block of rows: encoder
 *     classes   a block of a cluster's rows: log p of its labels; and a block of rows: its ranking
 */
export class AdaptiveEvaluation {
  readonly #kernels: Kernels;
  readonly #spec: EngineSpec;
  readonly #engine: EngineLayout;
  readonly #layout: AdaptiveLayout;
  readonly #scratch: AdaptiveScratch;
  readonly #encoder: Encoder;
  readonly #rows: AdaptiveRows;
  readonly #walk: ClusterWalk;
  readonly #block: ClusterBlock = clusterBlock();
  readonly #queries: AdaptiveQueries;
  readonly #batch: BatchLayout;

  constructor(kernels: Kernels, spec: EngineSpec, layout: EngineLayout, encoder: Encoder, scratch: AdaptiveScratch) {
    this.#kernels = kernels;
    this.#spec = spec;
    this.#engine = layout;
    this.#layout = layout.adaptive!;
    this.#scratch = scratch;
    this.#encoder = encoder;
    this.#batch = layout.evaluationBatch;
    this.#rows = new AdaptiveRows(kernels.memory, spec, this.#layout);
    this.#walk = openWalk(kernels, spec, layout, scratch);
    this.#queries = openQueries(spec, layout, scratch);
  }

  build(number: number, builder: BatchBuilder, order: ExampleOrder, goals: EvaluationGoals): void {
    buildEvaluation(this.#kernels.memory, this.#spec, this.#batch, number, builder, order, goals);
    if (goals.loss) this.#rows.route(this.#batch, false);
  }

  get rowsOfBatch(): number {
    return this.#kernels.memory.i32[(this.#batch.head >>> 2) + HEAD.rows];
  }

  rowUnits(): number {
    return blocksOf(this.rowsOfBatch, this.#layout.R);
  }

  row(unit: number, _goals: EvaluationGoals): void {
    const first = unit * this.#layout.R;
    this.#encoder.forward(first, Math.min(this.#layout.R, this.rowsOfBatch - first), undefined);
  }

  classUnits(goals: EvaluationGoals): number {
    return (goals.loss ? this.#rows.units : 0) + (goals.k > 0 ? this.rowUnits() : 0);
  }

  classes(unit: number, goals: EvaluationGoals): void {
    const labels = goals.loss ? this.#rows.units : 0;
    if (unit < labels) this.#labels(unit);
    else this.#rank(unit - labels, goals);
  }

  /** Nothing crosses units. */
  foldUnits(): number {
    return 0;
  }

  fold(_unit: number, _goals: EvaluationGoals): void {}

  #labels(unit: number): void {
    let c = 0;
    let index = unit;
    for (let own = this.#rows.blocksOf(c); index >= own; own = this.#rows.blocksOf(++c)) index -= own;
    this.#rows.pointAt(this.#block, c, index, this.#scratch.z);
    this.#walk.load(this.#layout.clusters[c], this.#block);
    this.#walk.forward(this.#layout.clusters[c], this.#block);
    this.#rows.settle(this.#block);
  }

  #rank(unit: number, { k, maskExcluded }: EvaluationGoals): void {
    const { memory } = this.#kernels;
    const first = unit * this.#layout.R;
    const count = Math.min(this.#layout.R, this.rowsOfBatch - first);
    const masks = maskExcluded && this.#batch.maskRows !== 0;
    const { ids, logProbabilities } = searchTopK(this.#kernels, this.#queries, this.#walk, {
      first,
      count,
      k,
      ...(masks ? { leaveOut: this.#leaveOut } : {}),
    });
    memory.i32.set(ids, (this.#engine.rankedIds >>> 2) + first * k);
    memory.f32.set(logProbabilities, (this.#engine.rankedValues >>> 2) + first * k);
  }

  /** What is left out of a ranking still takes part in the partition. */
  readonly #leaveOut = ({ firstId, C, z, ld, rows }: RankedTile): (() => void) => {
    const { i32, f32 } = this.#kernels.memory;
    const { head, maskPositions, maskRows } = this.#batch;
    const count = i32[(head >>> 2) + HEAD.masks];
    const ids = maskPositions >>> 2;
    const changed: [number, number][] = [];
    for (let m = firstNotBelow(i32, ids, count, firstId); m < count && i32[ids + m] < firstId + C; m++) {
      const column = rows.indexOf(i32[(maskRows >>> 2) + m]);
      if (column < 0) continue;
      const at = (z >>> 2) + (i32[ids + m] - firstId) * ld + column;
      // A class that a row has seen twice stands there twice.
      if (f32[at] === -Infinity) continue;
      changed.push([at, f32[at]]);
      f32[at] = -Infinity;
    }
    return () => {
      for (const [at, value] of changed) f32[at] = value;
    };
  };

  /** Adds the batch to the running sums. One unit. */
  account(): void {
    const { memory } = this.#kernels;
    const rows = this.#rows.startOf(this.#layout.clusters.length);
    accountEvaluation(memory, this.#engine, sumInOrder(memory, this.#layout.loss, rows));
  }
}

/** A walk over the clusters of the engine's own hidden vectors. */
export function openWalk(
  kernels: Kernels,
  spec: EngineSpec,
  layout: EngineLayout,
  scratch: AdaptiveScratch,
): ClusterWalk {
  const { address, ld } = layout.encoder.hidden;
  return new ClusterWalk(kernels, { address, ld, D: spec.table.D }, scratch, TILE_CLASSES);
}

/** For questions about rows of a batch: a worker's own block. */
export function openQueries(spec: EngineSpec, layout: EngineLayout, scratch: AdaptiveScratch): AdaptiveQueries {
  const { clusters: spaces, R } = layout.adaptive!;
  return {
    clusters: spec.adaptive!,
    spaces,
    R,
    k: spec.maxK,
    topValues: scratch.topValues,
    topIds: scratch.topIds,
    block: {
      ...clusterBlock(),
      rows: scratch.queryRows,
      input: scratch.queryInput,
      z: scratch.z,
      max: scratch.queryMax,
      sum: scratch.querySum,
      lse: scratch.queryLse,
    },
  };
}
