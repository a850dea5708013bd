import type { Encoder } from "@logq/encoders";
import type { Address, Kernels } from "@logq/kernels";
import { type ClusterBlock, type ClusterSpace, type ClusterWalk, clusterBlock, TILE_CLASSES } from "@logq/losses";
import { type BatchLayout, HEAD } from "../batch-layout.js";
import { Flags } from "../flags.js";
import { type EngineLayout, FLAG } from "../layout.js";
import { sumInOrder } from "../loss-state.js";
import { blocksOf, type EngineSpec } from "../spec.js";
import type { Updates } from "../updates.js";
import { openWalk } from "./adaptive-evaluation.js";
import { AdaptiveRows } from "./adaptive-rows.js";
import { type AdaptiveLayout, type AdaptiveScratch, rowsOfRun } from "./adaptive-space.js";

/** What a unit of the gradient phase makes: a run of class rows of a cluster, or its projection. */
interface GradientPlace {
  rows: Address;
  bias: Address;
}

/**
 * A step of an adaptive softmax, as units of work:
 *
 *     route     one unit: which rows meet which cluster (`AdaptiveRows`)
 *     rows      a block of batch rows: encoder
 *     clusters  a block of a cluster's rows: projection, logits tile by tile, the labels' log p, logit gradients, and the block's share of dH. A block sees all
 *               classes of its cluster, so no sum crosses units
 *     fold      a block of batch rows: dH, the shares of the clusters in their order, and the encoder backwards
 *     gradient  a run of a cluster's class rows, or a projection: its gradient over all rows of the cluster, and its update. Clusters without rows have none,
 *               and their tables stay untouched
 */
export class AdaptiveStep {
  readonly rows: AdaptiveRows;
  readonly #kernels: Kernels;
  readonly #flags: Flags;
  readonly #spec: EngineSpec;
  readonly #engine: EngineLayout;
  readonly #layout: AdaptiveLayout;
  readonly #scratch: AdaptiveScratch;
  readonly #encoder: Encoder;
  readonly #updates: Updates;
  readonly #walk: ClusterWalk;
  readonly #block: ClusterBlock = clusterBlock();
  readonly #place: GradientPlace = { rows: 0, bias: 0 };
  readonly #clip: boolean;
  /** The cluster and the step whose input is packed for gradients. */
  #packedCluster = -1;
  #packedStep = -1;

  constructor(
    kernels: Kernels,
    spec: EngineSpec,
    layout: EngineLayout,
    encoder: Encoder,
    updates: Updates,
    scratch: AdaptiveScratch,
  ) {
    this.#kernels = kernels;
    this.#flags = new Flags(kernels.memory, layout.flags);
    this.#spec = spec;
    this.#engine = layout;
    this.#layout = layout.adaptive!;
    this.#scratch = scratch;
    this.#encoder = encoder;
    this.#updates = updates;
    this.#clip = spec.training!.optimizer.clipNorm > 0;
    this.rows = new AdaptiveRows(kernels.memory, spec, this.#layout);
    this.#walk = openWalk(kernels, spec, layout, scratch);
  }

  /** The one unit that routes. */
  route(batch: BatchLayout): void {
    this.rows.route(batch, true);
  }

  rowUnits(batch: BatchLayout): number {
    return blocksOf(this.#batchRows(batch), this.#layout.R);
  }

  row(unit: number, step: number, batch: BatchLayout): void {
    const first = unit * this.#layout.R;
    const R = Math.min(this.#layout.R, this.#batchRows(batch) - first);
    this.#encoder.forward(first, R, { key: this.#spec.key, step });
  }

  get clusterUnits(): number {
    return this.rows.units;
  }

  /** The last tail first: its units are the longest. */
  cluster(unit: number): void {
    let c = this.#layout.clusters.length - 1;
    let index = unit;
    for (let own = this.rows.blocksOf(c); index >= own; own = this.rows.blocksOf(--c)) index -= own;
    const cluster = this.#layout.clusters[c];
    this.rows.pointAt(this.#block, c, index, this.#scratch.z);
    this.#walk.load(cluster, this.#block);
    this.#walk.forward(cluster, this.#block);
    if (this.rows.settle(this.#block)) this.#walk.backward(cluster, this.#block);
    else this.#diverged();
  }

  fold(unit: number, step: number, batch: BatchLayout): void {
    const { vector, rows: kernel, memory } = this.#kernels;
    const { D } = this.#spec.table;
    const { address, ld } = this.#engine.encoder.hiddenGradient;
    const first = unit * this.#layout.R;
    const R = Math.min(this.#layout.R, this.#batchRows(batch) - first);
    for (let r = first; r < first + R; r++) vector.fill(address + 4 * ld * r, 0, D);
    for (let c = 0; c < this.#layout.clusters.length; c++) {
      const end = this.rows.startOf(c + 1);
      for (let at = this.rows.firstNotBelow(c, first); at < end; at++) {
        const row = memory.i32[(this.#layout.rows >>> 2) + at];
        if (row >= first + R) break;
        vector.addScaled(address + 4 * ld * row, this.#layout.share + 4 * D * at, 1, D);
      }
    }
    if (kernel.allFinite(address + 4 * ld * first, ld, R, D))
      this.#encoder.backward(first, R, { key: this.#spec.key, step });
    else this.#diverged();
  }

  /** Σ of the losses of all rows in all clusters, in their order: the loss of the batch. */
  batchLoss(): number {
    return sumInOrder(this.#kernels.memory, this.#layout.loss, this.rows.startOf(this.#layout.clusters.length));
  }

  get gradientUnits(): number {
    let units = 0;
    for (let c = 0; c < this.#layout.clusters.length; c++) units += this.#gradientUnitsOf(c);
    return units;
  }

  #gradientUnitsOf(c: number): number {
    if (this.rows.rowsOf(c) === 0) return 0;
    const cluster = this.#layout.clusters[c];
    return blocksOf(cluster.C, rowsOfRun(cluster)) + (c > 0 ? 1 : 0);
  }

  /** Gradients of unit `unit`, and their update; with clipping their gradients alone, and Σ of their squares is answered. */
  gradient(unit: number, step: number): number {
    return this.#eachUnit(unit, step, !this.#clip, true);
  }

  /** Clipping only: the update by gradients that have been made. */
  update(unit: number, step: number): void {
    this.#eachUnit(unit, step, true, false);
  }

  #eachUnit(unit: number, step: number, updates: boolean, computes: boolean): number {
    let c = 0;
    let index = unit;
    for (let own = this.#gradientUnitsOf(c); index >= own; own = this.#gradientUnitsOf(++c)) index -= own;
    const cluster = this.#layout.clusters[c];
    const runs = blocksOf(cluster.C, rowsOfRun(cluster));
    return index < runs
      ? this.#run(c, index * rowsOfRun(cluster), step, updates, computes)
      : this.#projection(c, updates, computes);
  }

  /** Class rows from `first` on. */
  #run(c: number, first: number, step: number, updates: boolean, computes: boolean): number {
    const cluster = this.#layout.clusters[c];
    const count = Math.min(rowsOfRun(cluster), cluster.C - first);
    const { rows, bias } = this.#placeOf(cluster, first);
    if (computes) {
      this.rows.pointAt(this.#block, c, 0, this.#scratch.z, true);
      if (this.#block.kept) this.#keptRun(c, first, count, step);
      else this.#runAgain(c, first, count);
    }
    const tables = this.#layout.tables[c];
    if (updates) {
      this.#updates.ownRows(tables.rows, first, count, rows);
      if (tables.bias !== undefined) this.#updates.ownRows(tables.bias, first, count, bias);
      return 0;
    }
    const { rows: kernel } = this.#kernels;
    const ofBias = tables.bias === undefined ? 0 : kernel.sumOfSquares(bias, 1, count, 1);
    return kernel.sumOfSquares(rows, cluster.width, count, cluster.width) + ofBias;
  }

  /** Logit gradients lie where the clusters' units have left them: one product over all rows. */
  #keptRun(c: number, first: number, count: number, step: number): void {
    const cluster = this.#layout.clusters[c];
    const { z, ld, R, input } = this.#block;
    if (this.#packedCluster !== c || this.#packedStep !== step) {
      this.#walk.packRows(cluster, input, R);
      this.#packedCluster = c;
      this.#packedStep = step;
    }
    const { rows, bias } = this.#place;
    this.#walk.tableGradient(cluster, rows, z + 4 * ld * first, ld, count, R, false);
    if (cluster.bias !== 0) this.#kernels.tile.sumOverRows(bias, z + 4 * ld * first, ld, count, R, 0);
  }

  /** Logit gradients are made again, block after block. */
  #runAgain(c: number, first: number, count: number): void {
    const { tile, vector } = this.#kernels;
    const { z } = this.#scratch;
    const cluster = this.#layout.clusters[c];
    const { rows, bias } = this.#place;
    this.#packedCluster = -1;
    if (cluster.bias !== 0) vector.fill(bias, 0, count);
    for (let index = 0; index < this.rows.blocksOf(c); index++) {
      this.rows.pointAt(this.#block, c, index, z);
      const { R, ld, input } = this.#block;
      this.#walk.packInput(cluster, this.#block);
      this.#walk.packRows(cluster, input, R);
      for (let from = first; from < first + count; from += TILE_CLASSES) {
        const C = Math.min(TILE_CLASSES, first + count - from);
        this.#walk.gradientOf(cluster, this.#block, from, C, z);
        const at = from - first;
        this.#walk.tableGradient(cluster, rows + 4 * cluster.width * at, z, ld, C, R, index > 0);
        if (cluster.bias === 0) continue;
        tile.sumOverRows(this.#scratch.biasSums, z, ld, C, R, 0);
        vector.addScaled(bias + 4 * at, this.#scratch.biasSums, 1, C);
      }
    }
  }

  #projection(c: number, updates: boolean, computes: boolean): number {
    const cluster = this.#layout.clusters[c];
    const { D } = this.#spec.table;
    const gradient = this.#clip ? cluster.projectionGradient : this.#scratch.gradient;
    if (computes) {
      this.rows.pointAt(this.#block, c, 0, this.#scratch.z, true);
      // Takes the place of the packed input.
      this.#packedCluster = -1;
      this.#walk.projectionGradient(cluster, this.#block, gradient, false);
    }
    if (updates) {
      this.#updates.ownRows(this.#layout.tables[c].projection!, 0, cluster.width, gradient);
      return 0;
    }
    return this.#kernels.rows.sumOfSquares(gradient, D, cluster.width, D);
  }

  /** Where gradients of class rows from `first` on go: the worker's scratch, or, when clipping, a place of their own. */
  #placeOf({ tableGradient, biasGradient, width }: ClusterSpace, first: number): GradientPlace {
    this.#place.rows = this.#clip ? tableGradient + 4 * width * first : this.#scratch.gradient;
    this.#place.bias = this.#clip ? biasGradient + 4 * first : this.#scratch.biasGradient;
    return this.#place;
  }

  #diverged(): void {
    this.#flags.set(FLAG.diverged, true);
  }

  #batchRows(batch: BatchLayout): number {
    return this.#kernels.memory.i32[(batch.head >>> 2) + HEAD.rows];
  }
}
