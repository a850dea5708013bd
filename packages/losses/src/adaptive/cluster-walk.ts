import type { Address, Kernels } from "@logq/kernels";
import type { ClusterSpace } from "./space.js";

/** Classes of a tile unless one says otherwise: with the rows of a block, logits and class rows stay in a core's second cache. */
export const TILE_CLASSES = 256;

/** Rows of a batch that meet one cluster, and their labels there. The caller moves its fields from block to block. */
export interface ClusterBlock {
  R: number;
  /** int32 (R): which rows of the batch */
  rows: Address;
  /** float32 (R, width): what the cluster's table meets, the gathered rows or their projections; its gradient in a tail */
  input: Address;
  inputGradient: Address;
  /** float32 (R, D): the rows' hidden gradient, as far as this cluster is concerned */
  share: Address;
  /** Logits [class][row], ld apart: of the whole cluster if they are kept from the walk forward to the walk back, else of one tile. */
  z: Address;
  ld: number;
  kept: boolean;
  /** If kept: float32 (tiles, ldReferences), what the exponentials of each tile are relative to */
  references: Address;
  ldReferences: number;
  /** float32 (R) what exponentials are relative to in the end, float64 (R) their sum, float32 (R) the log of the partition */
  max: Address;
  sum: Address;
  lse: Address;
  /** float32 (R): the sum of the masses of a row's labels */
  coefficient: Address;
  /** int32 (R + 1): where each row's labels begin in the three vectors that follow; 0: there are no labels */
  offsets: Address;
  /** int32 rows of the cluster's table, float32 masses (the gradient is that of −Σ mass·log p), float64 log p, which the walk writes */
  slots: Address;
  masses: Address;
  logP: Address;
}

/** A block that points nowhere. */
export function clusterBlock(): ClusterBlock {
  const nowhere = { rows: 0, input: 0, inputGradient: 0, share: 0, z: 0, references: 0, max: 0, sum: 0, lse: 0 };
  const labels = { coefficient: 0, offsets: 0, slots: 0, masses: 0, logP: 0 };
  return { R: 0, ld: 0, kept: false, ldReferences: 0, ...nowhere, ...labels };
}

/** One thread's own room. */
export interface WalkScratch {
  /** float32 (rows, D) */
  readonly gathered: Address;
  /** float32 (rows of a block), and float64 for the last */
  readonly decay: Address;
  readonly factor: Address;
  readonly spareSum: Address;
  /** Right operands */
  readonly packedProjection: Address;
  readonly packedInput: Address;
  readonly packedRows: Address;
  readonly packedTable: Address;
}

/** Where hidden vectors lie: rows of D, ld apart. */
export interface HiddenRows {
  readonly address: Address;
  readonly ld: number;
  readonly D: number;
}

/** A tile of logits without bias: classes [from, from + C) of the cluster at z; `bias` is what has to be added to them, or 0. */
export type VisitTile = (from: number, C: number, z: Address, bias: Address) => void;

/** A tile of logit gradients. */
export type VisitGradient = (from: number, C: number, z: Address) => void;

/**
 * The softmax over one cluster for a block of rows: the one place where the law of an adaptive softmax is computed. Exponentials are made once, tile by
 * tile, relative to a reference of the row; what they lack is a factor of a row, which the walk back applies. If logits are not kept they are made
 * again then, relative to the last reference, which fits all.
 */
export class ClusterWalk {
  readonly #kernels: Kernels;
  readonly #hidden: HiddenRows;
  readonly #scratch: WalkScratch;
  readonly #tileClasses: number;

  /** @param tileClasses a multiple of 4, so that rows of any width start on 16 bytes at the beginning of a tile */
  constructor(kernels: Kernels, hidden: HiddenRows, scratch: WalkScratch, tileClasses: number) {
    this.#kernels = kernels;
    this.#hidden = hidden;
    this.#scratch = scratch;
    this.#tileClasses = tileClasses;
  }

  /** Takes the block's rows of the batch through the cluster's projection to `input`, and makes ready for products with them. */
  load(cluster: ClusterSpace, block: ClusterBlock): void {
    const { matrix } = this.#kernels;
    const { gathered, packedProjection } = this.#scratch;
    const { D } = this.#hidden;
    const { width, projection } = cluster;
    const { R, input } = block;
    this.#gather(projection === 0 ? input : gathered, block);
    if (projection !== 0) {
      matrix.packRightTransposed(packedProjection, projection, D, D, width);
      matrix.multiply(input, width, gathered, D, 1, packedProjection, R, D, width, false);
    }
    this.packInput(cluster, block);
  }

  /** Makes ready for products with an input that is there: before `gradientOf` in a thread that has not loaded the block. */
  packInput({ width }: ClusterSpace, { input, R }: ClusterBlock): void {
    this.#kernels.matrix.packRightTransposed(this.#scratch.packedInput, input, width, width, R);
  }

  /** Exponentials of all logits, their references, sums and log-sum-exps, and log p of the labels. Every tile is shown to `visit` before. */
  forward(cluster: ClusterSpace, block: ClusterBlock, visit?: VisitTile): void {
    const { tile, memory } = this.#kernels;
    const { R, max, sum, lse, kept, references, ldReferences } = block;
    tile.clearPartials(max, sum, R);
    for (let from = 0, index = 0; from < cluster.C; from += this.#tileClasses, index++) {
      const C = Math.min(this.#tileClasses, cluster.C - from);
      const z = this.#placeOf(block, from);
      const bias = cluster.bias === 0 ? 0 : cluster.bias + 4 * from;
      this.#products(cluster, block, from, C, z);
      if (block.offsets !== 0) this.#takeLabels(block, from, C, z, bias);
      visit?.(from, C, z, bias);
      this.#exponentials(block, C, z, bias, max, sum);
      if (!kept) continue;
      const to = (references >>> 2) + ldReferences * index;
      memory.f32.copyWithin(to, max >>> 2, (max >>> 2) + R);
    }
    tile.logSumExp(lse, max, sum, R);
    if (block.offsets !== 0) this.#settleLabels(block);
  }

  /** The log-sum-exp of row r of the block, as a float64. */
  logPartition({ max, sum }: ClusterBlock, r: number): number {
    const { f32, f64 } = this.#kernels.memory;
    return f32[(max >>> 2) + r] + Math.log(f64[(sum >>> 3) + r]);
  }

  /**
   * After `forward`: gradients of −Σ mass·log p of the labels with respect to the logits, which stay where the logits are if those are kept, to the
   * input and to the hidden vectors (`share`). Each tile is shown to `visit` when it is done.
   */
  backward(cluster: ClusterSpace, block: ClusterBlock, visit?: VisitGradient): void {
    const { matrix } = this.#kernels;
    const { width, projection } = cluster;
    const { R, ld, share, inputGradient } = block;
    const out = projection === 0 ? share : inputGradient;
    for (let from = 0; from < cluster.C; from += this.#tileClasses) {
      const C = Math.min(this.#tileClasses, cluster.C - from);
      const z = this.gradientOf(cluster, block, from, C, this.#placeOf(block, from));
      this.#inputGradient(out, cluster.table + 4 * width * from, width, z, ld, C, R, from > 0);
      visit?.(from, C, z);
    }
    if (projection === 0) return;
    const { D } = this.#hidden;
    const { packedProjection } = this.#scratch;
    matrix.packRight(packedProjection, projection, D, width, D);
    matrix.multiply(share, D, inputGradient, width, 1, packedProjection, R, width, D, false);
  }

  /**
   * Gradients of the logits of a tile, classes [from, from + C), once after `forward`: of what is kept in its place, else of logits that are made again at z.
   * `from` is where a tile begins if they are kept. Answers where they are.
   */
  gradientOf(cluster: ClusterSpace, block: ClusterBlock, from: number, C: number, z: Address): Address {
    const { tile } = this.#kernels;
    const { factor, spareSum } = this.#scratch;
    const { R, ld, max, lse, coefficient, references, ldReferences } = block;
    let reference = max;
    if (block.kept) reference = references + 4 * ldReferences * Math.floor(from / this.#tileClasses);
    else {
      this.#products(cluster, block, from, C, z);
      this.#exponentials(block, C, z, cluster.bias === 0 ? 0 : cluster.bias + 4 * from, max, spareSum);
    }
    tile.softmaxFactors(factor, reference, lse, coefficient, R);
    tile.scaleColumns(z, ld, C, R, factor);
    this.#subtractLabels(block, from, C, z);
    return z;
  }

  /** Packs the input of `R` rows for `tableGradient`. */
  packRows({ width }: ClusterSpace, input: Address, R: number): void {
    this.#kernels.matrix.packRight(this.#scratch.packedRows, input, width, R, width);
  }

  /** After `packRows`: the gradient (C, width) of the table's rows whose logit gradients, of the same R rows, lie at z. */
  tableGradient(
    { width }: ClusterSpace,
    out: Address,
    z: Address,
    ld: number,
    C: number,
    R: number,
    add: boolean,
  ): void {
    this.#kernels.matrix.multiply(out, width, z, ld, 1, this.#scratch.packedRows, C, R, width, add);
  }

  /** The gradient (width, D) of a projection from the gradient of its outputs; `block` may have as many rows as the scratch has. */
  projectionGradient({ width }: ClusterSpace, block: ClusterBlock, out: Address, add: boolean): void {
    const { matrix } = this.#kernels;
    const { gathered, packedRows } = this.#scratch;
    const { D } = this.#hidden;
    const { R, inputGradient } = block;
    this.#gather(gathered, block);
    matrix.packRight(packedRows, gathered, D, R, D);
    matrix.multiply(out, D, inputGradient, 1, width, packedRows, width, R, D, add);
  }

  #gather(out: Address, { rows, R }: ClusterBlock): void {
    const { address, ld, D } = this.#hidden;
    this.#kernels.rows.gatherRows(out, D, address, ld, rows, R, D);
  }

  #placeOf({ z, ld, kept }: ClusterBlock, from: number): Address {
    return kept ? z + 4 * ld * from : z;
  }

  #products({ width, table }: ClusterSpace, { R, ld }: ClusterBlock, from: number, C: number, z: Address): void {
    const { packedInput } = this.#scratch;
    this.#kernels.matrix.multiply(z, ld, table + 4 * from * width, width, 1, packedInput, C, width, R, false);
  }

  #exponentials({ R, ld }: ClusterBlock, C: number, z: Address, bias: Address, max: Address, sum: Address): void {
    this.#kernels.tile.softmaxExponentials(z, ld, C, R, 1, bias, max, sum, this.#scratch.decay, 0, 0, 0);
  }

  #inputGradient(
    out: Address,
    table: Address,
    width: number,
    z: Address,
    ld: number,
    C: number,
    R: number,
    add: boolean,
  ): void {
    const { matrix } = this.#kernels;
    if (matrix.multiplyUnpacked !== undefined) {
      matrix.multiplyUnpacked(out, width, z, 1, ld, table, width, R, C, width, add);
      return;
    }
    const { packedTable } = this.#scratch;
    matrix.packRight(packedTable, table, width, C, width);
    matrix.multiply(out, width, z, 1, ld, packedTable, R, C, width, add);
  }

  /** Logits of the labels that are classes of the tile. */
  #takeLabels({ R, ld, offsets, slots, logP }: ClusterBlock, from: number, C: number, z: Address, bias: Address): void {
    const { i32, f32, f64 } = this.#kernels.memory;
    for (let r = 0, l = i32[offsets >>> 2]; r < R; r++) {
      for (const end = i32[(offsets >>> 2) + r + 1]; l < end; l++) {
        const c = i32[(slots >>> 2) + l] - from;
        if (c < 0 || c >= C) continue;
        f64[(logP >>> 3) + l] = f32[(z >>> 2) + c * ld + r] + (bias === 0 ? 0 : f32[(bias >>> 2) + c]);
      }
    }
  }

  #settleLabels(block: ClusterBlock): void {
    const { i32, f64 } = this.#kernels.memory;
    const { R, offsets, logP } = block;
    for (let r = 0, l = i32[offsets >>> 2]; r < R; r++) {
      const lse = this.logPartition(block, r);
      for (const end = i32[(offsets >>> 2) + r + 1]; l < end; l++) f64[(logP >>> 3) + l] -= lse;
    }
  }

  #subtractLabels({ R, ld, offsets, slots, masses }: ClusterBlock, from: number, C: number, z: Address): void {
    const { i32, f32 } = this.#kernels.memory;
    for (let r = 0, l = i32[offsets >>> 2]; r < R; r++) {
      for (const end = i32[(offsets >>> 2) + r + 1]; l < end; l++) {
        const c = i32[(slots >>> 2) + l] - from;
        if (c >= 0 && c < C) f32[(z >>> 2) + c * ld + r] -= f32[(masses >>> 2) + l];
      }
    }
  }
}
