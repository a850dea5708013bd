import type { KernelMemory } from "@logq/kernels";
import { type AdaptiveClusters, type ClusterBlock, clusterOf, widestTail } from "@logq/losses";
import { type BatchLayout, HEAD } from "../batch-layout.js";
import { firstNotBelow } from "../mask.js";
import { blocksOf, type EngineSpec } from "../spec.js";
import { type AdaptiveLayout, keptElements, keptStride } from "./adaptive-space.js";

/**
 * Which rows of a batch meet which cluster. All rows with labels meet the head; a tail is met by the rows that have a label there. Within a cluster rows
 * ascend, and a row's labels stand in their order. One object in each thread; what it reads of a batch lies in shared memory, where `route` puts it.
 */
export class AdaptiveRows {
  readonly #memory: KernelMemory;
  readonly #clusters: AdaptiveClusters;
  readonly #layout: AdaptiveLayout;
  readonly #widest: number;
  /** Of each cluster: where its next row and its next label go, and the last row that went there. */
  readonly #nextRow: Int32Array;
  readonly #nextLabel: Int32Array;
  readonly #lastRow: Int32Array;

  constructor(memory: KernelMemory, spec: EngineSpec, layout: AdaptiveLayout) {
    this.#memory = memory;
    this.#clusters = spec.adaptive!;
    this.#layout = layout;
    this.#widest = widestTail(this.#clusters);
    const count = layout.clusters.length;
    this.#nextRow = new Int32Array(count);
    this.#nextLabel = new Int32Array(count);
    this.#lastRow = new Int32Array(count);
  }

  /** Writes the lists of a batch. One unit; rows that weigh nothing take no part. */
  route(batch: BatchLayout, keeps: boolean): void {
    this.#count(batch);
    this.#begin(keeps);
    this.#fill(batch);
  }

  /** Rows and labels of each cluster, to #nextRow and #nextLabel. */
  #count(batch: BatchLayout): void {
    const { i32, f32 } = this.#memory;
    const rows = i32[(batch.head >>> 2) + HEAD.rows];
    const offsets = batch.positiveOffsets >>> 2;
    this.#nextRow.fill(0);
    this.#nextLabel.fill(0);
    this.#lastRow.fill(-1);
    for (let row = 0; row < rows; row++) {
      if (f32[(batch.rowWeight >>> 2) + row] === 0) continue;
      for (let l = i32[offsets + row]; l < i32[offsets + row + 1]; l++) {
        const c = clusterOf(this.#clusters, i32[(batch.positiveIds >>> 2) + l]);
        this.#note(0, row);
        if (c > 0) this.#note(c, row);
      }
    }
  }

  #note(c: number, row: number): void {
    this.#nextLabel[c]++;
    if (this.#lastRow[c] === row) return;
    this.#lastRow[c] = row;
    this.#nextRow[c]++;
  }

  /** From counts to where each cluster's rows and labels begin; decides whose logits are kept: in order, while there is room. */
  #begin(keeps: boolean): void {
    const { i32 } = this.#memory;
    const { starts, keptAt, keptFloats, clusters } = this.#layout;
    let row = 0;
    let label = 0;
    let kept = 0;
    for (let c = 0; c < clusters.length; c++) {
      const rows = this.#nextRow[c];
      const labels = this.#nextLabel[c];
      i32[(starts >>> 2) + c] = row;
      this.#nextRow[c] = row;
      this.#nextLabel[c] = label;
      row += rows;
      label += labels;
      const room = keptElements(clusters[c].C, rows);
      const fits = keeps && kept + room <= keptFloats;
      i32[(keptAt >>> 2) + c] = fits ? kept : -1;
      if (fits) kept += room;
    }
    i32[(starts >>> 2) + clusters.length] = row;
    i32[(this.#layout.offsets >>> 2) + row] = label;
  }

  #fill(batch: BatchLayout): void {
    const { i32, f32 } = this.#memory;
    const { h, tails } = this.#clusters;
    const rows = i32[(batch.head >>> 2) + HEAD.rows];
    const offsets = batch.positiveOffsets >>> 2;
    this.#lastRow.fill(-1);
    for (let row = 0; row < rows; row++) {
      const weight = f32[(batch.rowWeight >>> 2) + row];
      if (weight === 0) continue;
      for (let l = i32[offsets + row]; l < i32[offsets + row + 1]; l++) {
        const id = i32[(batch.positiveIds >>> 2) + l];
        const mass = weight * f32[(batch.positiveMass >>> 2) + l];
        const c = clusterOf(this.#clusters, id);
        this.#put(0, row, c === 0 ? id : h + c - 1, mass);
        if (c > 0) this.#put(c, row, id - tails[c - 1].first, mass);
      }
    }
  }

  #put(c: number, row: number, slot: number, mass: number): void {
    const { i32, f32 } = this.#memory;
    const { rows, offsets, coefficient, slots, masses } = this.#layout;
    const label = this.#nextLabel[c]++;
    i32[(slots >>> 2) + label] = slot;
    f32[(masses >>> 2) + label] = mass;
    if (this.#lastRow[c] !== row) {
      this.#lastRow[c] = row;
      const at = this.#nextRow[c]++;
      i32[(rows >>> 2) + at] = row;
      i32[(offsets >>> 2) + at] = label;
      f32[(coefficient >>> 2) + at] = 0;
    }
    f32[(coefficient >>> 2) + this.#nextRow[c] - 1] += mass;
  }

  /** Where the rows of cluster c begin among all; of c = K + 1, how many there are. */
  startOf(c: number): number {
    return this.#memory.i32[(this.#layout.starts >>> 2) + c];
  }

  rowsOf(c: number): number {
    return this.startOf(c + 1) - this.startOf(c);
  }

  /** How many units walk the clusters: blocks of their rows. */
  get units(): number {
    let units = 0;
    for (let c = 0; c < this.#layout.clusters.length; c++) units += this.blocksOf(c);
    return units;
  }

  blocksOf(c: number): number {
    return blocksOf(this.rowsOf(c), this.#layout.R);
  }

  /** Points at block `index` of cluster c, or with `all` at all of its rows. z is where logits go that are not kept. */
  pointAt(block: ClusterBlock, c: number, index: number, z: number, all = false): void {
    const { i32 } = this.#memory;
    const { clusters, R, keptAt, kept, tailInput, tailInputGradient, headInput, share } = this.#layout;
    const { C, width } = clusters[c];
    const D = clusters[0].width;
    const rows = this.rowsOf(c);
    const first = index * R;
    const at = this.startOf(c) + first;
    const place = i32[(keptAt >>> 2) + c];
    const inTails = 4 * (this.#widest * (this.startOf(c) - this.startOf(1)) + width * first);
    block.R = all ? rows : Math.min(R, rows - first);
    block.rows = this.#layout.rows + 4 * at;
    block.input = c === 0 ? headInput + 4 * D * first : tailInput + inTails;
    block.inputGradient = c === 0 ? 0 : tailInputGradient + inTails;
    block.share = share + 4 * D * at;
    block.kept = place >= 0;
    block.ld = block.kept ? keptStride(rows) : keptStride(R);
    block.z = block.kept ? kept + 4 * (place + first) : z;
    block.references = block.kept ? kept + 4 * (place + C * block.ld + first) : 0;
    block.ldReferences = block.ld;
    block.max = this.#layout.max + 4 * at;
    block.sum = this.#layout.sum + 8 * at;
    block.lse = this.#layout.lse + 4 * at;
    block.coefficient = this.#layout.coefficient + 4 * at;
    block.offsets = this.#layout.offsets + 4 * at;
    block.slots = this.#layout.slots;
    block.masses = this.#layout.masses;
    block.logP = this.#layout.logP;
  }

  /** loss[r] = −Σ mass·log p of the labels of each row of a block, by this cluster. Answers whether all are finite. */
  settle(block: ClusterBlock): boolean {
    const { i32, f32, f64 } = this.#memory;
    const first = (block.sum - this.#layout.sum) / 8;
    let finite = true;
    for (let r = 0; r < block.R; r++) {
      let loss = 0;
      for (let l = i32[(block.offsets >>> 2) + r]; l < i32[(block.offsets >>> 2) + r + 1]; l++)
        loss -= f32[(block.masses >>> 2) + l] * f64[(block.logP >>> 3) + l];
      f64[(this.#layout.loss >>> 3) + first + r] = loss;
      if (!(Number.isFinite(loss) && Number.isFinite(f64[(block.sum >>> 3) + r]))) finite = false;
    }
    return finite;
  }

  /** Of cluster c, the first of its rows, counted among all, that is not below a row of the batch. */
  firstNotBelow(c: number, row: number): number {
    const start = this.startOf(c);
    return start + firstNotBelow(this.#memory.i32, (this.#layout.rows >>> 2) + start, this.rowsOf(c), row);
  }
}
