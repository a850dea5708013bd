import type { Kernels } from "@logq/kernels";
import { type AdaptiveSpace, type ClusterSpace, leadingDimension, tileSize } from "./space.js";

/** A tile of logits in space.z, bias included: classes [from, from + C) of the cluster, rows ld apart. */
export type VisitTile = (from: number, C: number, ld: number) => void;

/**
 * The softmax over one cluster, for a block of R rows of the batch that are gathered first. Logits are [class][row]. A cluster of one
 * tile keeps their exponentials from the walk forward to the walk back, where they need only a factor for each row; a larger one computes all again.
 */
export class ClusterWalk {
  readonly #kernels: Kernels;
  readonly #space: AdaptiveSpace;
  readonly #targetLogits: Float64Array;

  constructor(kernels: Kernels, space: AdaptiveSpace) {
    this.#kernels = kernels;
    this.#space = space;
    this.#targetLogits = new Float64Array(space.R);
  }

  /** Takes rows of the batch into the block, and through the cluster's projection. */
  load(cluster: ClusterSpace, rows: Int32Array): void {
    const { matrix, rows: rowKernels, memory } = this.#kernels;
    const { clusters, rows: indices, hidden, gathered, projected, packedProjection, packedProjected } = this.#space;
    const { D } = clusters;
    const R = rows.length;
    memory.ints(indices, R).set(rows);
    rowKernels.gatherRows(gathered, D, hidden, D, indices, R, D);
    const { width, projection } = cluster;
    if (projection !== 0) {
      matrix.packRightTransposed(packedProjection, projection, D, D, width);
      matrix.multiply(projected, width, gathered, D, 1, packedProjection, R, D, width, false);
    }
    matrix.packRightTransposed(packedProjected, this.#input(cluster), width, width, R);
  }

  /** Partials of all logits, to space.max and space.sum, and their log-sum-exp. Every tile is shown to `visit` on the way. */
  forward(cluster: ClusterSpace, R: number, visit?: VisitTile): void {
    const { tile } = this.#kernels;
    const { max, sum, lse } = this.#space;
    const size = tileSize(this.#space, cluster.C, R);
    tile.clearPartials(max, sum, R);
    for (let from = 0; from < cluster.C; from += size) {
      const C = this.#products(cluster, from, R);
      this.#partials(cluster, from, C, R, max, sum);
      visit?.(from, C, leadingDimension(R));
    }
    tile.logSumExp(lse, max, sum, R);
  }

  /** out[r] = log p(slots[r] | row r), slots in [0, C) of the cluster; float64. */
  logProbabilities(cluster: ClusterSpace, slots: Int32Array, out: Float64Array): void {
    const R = slots.length;
    const { memory } = this.#kernels;
    const { max, sum } = this.#space;
    const targets = this.#targetLogits;
    if (tileSize(this.#space, cluster.C, R) >= cluster.C) this.#exponentials(cluster, slots);
    else this.forward(cluster, R, (from, C) => this.#takeTargets(slots, from, C, 0));
    for (let r = 0; r < R; r++) {
      out[r] = targets[r] - (memory.f32[(max >>> 2) + r] + Math.log(memory.f64[(sum >>> 3) + r]));
    }
  }

  /**
   * After `logProbabilities`: gradients of Σ_r −coefficients[r]·log p(slots[r]). Adds to those of the cluster's parameters, or, if `fresh`, begins them
   * anew; adds to the hidden gradient of the block's rows.
   */
  backward(cluster: ClusterSpace, slots: Int32Array, coefficients: Float32Array, fresh: boolean): void {
    const { tile, memory } = this.#kernels;
    const { max, spareMax, spareSum, coefficient, factor, lse, z } = this.#space;
    const R = slots.length;
    const ld = leadingDimension(R);
    const size = tileSize(this.#space, cluster.C, R);
    memory.floats(coefficient, R).set(coefficients);
    this.#openHiddenGradient(cluster, R);
    if (size >= cluster.C) {
      tile.softmaxFactors(factor, max, lse, coefficient, R);
      tile.scaleColumns(z, ld, cluster.C, R, factor);
      this.#tileGradients(cluster, 0, cluster.C, slots, coefficients, fresh);
    } else {
      for (let from = 0; from < cluster.C; from += size) {
        const C = this.#products(cluster, from, R);
        this.#partials(cluster, from, C, R, spareMax, spareSum);
        tile.softmaxGradient(z, ld, C, R, lse, coefficient);
        this.#tileGradients(cluster, from, C, slots, coefficients, fresh);
      }
    }
    this.#closeHiddenGradient(cluster, R, fresh);
  }

  /** The whole cluster in one tile: e^(logit − max) in space.z, and the targets' logits taken before. */
  #exponentials(cluster: ClusterSpace, slots: Int32Array): void {
    const { tile } = this.#kernels;
    const { z, max, sum, lse, decay } = this.#space;
    const R = slots.length;
    const { C, bias } = cluster;
    this.#products(cluster, 0, R);
    this.#takeTargets(slots, 0, C, bias);
    tile.clearPartials(max, sum, R);
    tile.softmaxExponentials(z, leadingDimension(R), C, R, 1, bias, max, sum, decay, 0, 0, 0);
    tile.logSumExp(lse, max, sum, R);
  }

  /** Logits of targets in the tile of classes [from, from + C); bias, if it is not 0, has to be added yet. */
  #takeTargets(slots: Int32Array, from: number, C: number, bias: number): void {
    const { f32 } = this.#kernels.memory;
    const z = this.#space.z >>> 2;
    const ld = leadingDimension(slots.length);
    for (let r = 0; r < slots.length; r++) {
      const c = slots[r] - from;
      if (c < 0 || c >= C) continue;
      this.#targetLogits[r] = f32[z + c * ld + r] + (bias === 0 ? 0 : f32[(bias >>> 2) + slots[r]]);
    }
  }

  /** What the cluster's table meets. */
  #input({ projection }: ClusterSpace): number {
    return projection === 0 ? this.#space.gathered : this.#space.projected;
  }

  #inputGradient({ projection }: ClusterSpace): number {
    return projection === 0 ? this.#space.gatheredGradient : this.#space.projectedGradient;
  }

  /** Products of the tile that begins at class `from`, to space.z: logits without bias. Answers its classes. */
  #products(cluster: ClusterSpace, from: number, R: number): number {
    const { z, packedProjected } = this.#space;
    const { width, table } = cluster;
    const C = Math.min(tileSize(this.#space, cluster.C, R), cluster.C - from);
    const left = table + 4 * from * width;
    this.#kernels.matrix.multiply(z, leadingDimension(R), left, width, 1, packedProjected, C, width, R, false);
    return C;
  }

  /** Adds the bias to the tile and folds its partials into (max, sum). */
  #partials({ bias }: ClusterSpace, from: number, C: number, R: number, max: number, sum: number): void {
    const add = bias === 0 ? 0 : bias + 4 * from;
    this.#kernels.tile.softmaxPartials(this.#space.z, leadingDimension(R), C, R, 1, add, max, sum);
  }

  /** The head adds to what the gathered rows' gradient is already; a tail's own begins at 0. */
  #openHiddenGradient(cluster: ClusterSpace, R: number): void {
    const { rows, matrix, vector } = this.#kernels;
    const { clusters, hiddenGradient, gatheredGradient, projectedGradient, packedRows, rows: indices } = this.#space;
    const { D } = clusters;
    const { projection, width } = cluster;
    rows.gatherRows(gatheredGradient, D, hiddenGradient, D, indices, R, D);
    if (projection !== 0) vector.fill(projectedGradient, 0, R * width);
    matrix.packRight(packedRows, this.#input(cluster), width, R, width);
  }

  /** From the softmax part of the gradient in space.z: takes the targets off, then to the table, the bias, and the rows that the table met. */
  #tileGradients(
    cluster: ClusterSpace,
    from: number,
    C: number,
    slots: Int32Array,
    coefficients: Float32Array,
    fresh: boolean,
  ): void {
    const { matrix, memory } = this.#kernels;
    const { z, packedRows, packedTable, packedClasses } = this.#space;
    const { width, table, tableGradient } = cluster;
    const R = slots.length;
    const ld = leadingDimension(R);
    for (let r = 0; r < R; r++) {
      const c = slots[r] - from;
      if (c >= 0 && c < C) memory.f32[(z >>> 2) + c * ld + r] -= coefficients[r];
    }
    matrix.multiply(tableGradient + 4 * from * width, width, z, ld, 1, packedRows, C, R, width, !fresh);
    for (let c = 0; c < C; c += packedClasses) {
      const K = Math.min(packedClasses, C - c);
      matrix.packRight(packedTable, table + 4 * (from + c) * width, width, K, width);
      matrix.multiply(this.#inputGradient(cluster), width, z + 4 * c * ld, 1, ld, packedTable, R, K, width, true);
    }
    this.#biasGradient(cluster, from, C, R, fresh);
  }

  #biasGradient({ biasGradient }: ClusterSpace, from: number, C: number, R: number, fresh: boolean): void {
    if (biasGradient === 0) return;
    const { tile, vector } = this.#kernels;
    const { z, rowSums } = this.#space;
    const sums = fresh ? biasGradient + 4 * from : rowSums;
    tile.sumOverRows(sums, z, leadingDimension(R), C, R);
    if (!fresh) vector.addScaled(biasGradient + 4 * from, rowSums, 1, C);
  }

  /** Back through the projection, and to the rows of the batch. */
  #closeHiddenGradient(cluster: ClusterSpace, R: number, fresh: boolean): void {
    const { rows, matrix } = this.#kernels;
    const { clusters, hiddenGradient, gatheredGradient, gathered, rows: indices } = this.#space;
    const { packedProjection, packedRows, projectedGradient } = this.#space;
    const { D } = clusters;
    const { projection, projectionGradient, width } = cluster;
    if (projection !== 0) {
      matrix.packRight(packedRows, gathered, D, R, D);
      matrix.multiply(projectionGradient, D, projectedGradient, 1, width, packedRows, width, R, D, !fresh);
      matrix.packRight(packedProjection, projection, D, width, D);
      matrix.multiply(gatheredGradient, D, projectedGradient, width, 1, packedProjection, R, width, D, true);
    }
    rows.scatterRows(hiddenGradient, D, indices, gatheredGradient, D, R, D);
  }
}
