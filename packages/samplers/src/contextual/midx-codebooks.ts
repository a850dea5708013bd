import type { KernelMemory, Kernels } from "@logq/kernels";
import { BLOCK_POINTS, kmeans, type Points } from "./kmeans.js";
import { type MidxScratch, type MidxTable, STATISTICS_UNITS } from "./midx-layout.js";
import type { ValidMidxOptions } from "./midx-options.js";

/** Times that the second code is chosen given the first and the first given the second. */
const SWEEPS = 2;

/** Lloyd iterations of each codebook, then joint ones of both, when codebooks are built. */
const ITERATIONS = 8;
const JOINT_ITERATIONS = 3;

/** What a joint iteration sees of points and their codes. */
export interface Statistics {
  /** (2K, D): Σ weight·point of each code. */
  readonly sums: Float64Array;
  /** (K, K): Σ weight of each cell. */
  readonly weights: Float64Array;
}

/**
 * Two codebooks of K codes of width D: a class row is approximated by ŵ = c_k + c'_l. With `residual` both codes are free (additive, or residual,
 * quantisation: Chen, Guan and Wang 2010; Babenko and Lempitsky 2014); with `product` the first codebook is zero in the second half of the columns and
 * the other in the first (Jégou, Douze and Schmid 2011). So one code serves both.
 */
export class Codebooks {
  readonly K: number;
  readonly D: number;
  /** The first codebook fills columns [0, firstEnd), the second columns [secondBegin, D). */
  readonly #firstEnd: number;
  readonly #secondBegin: number;
  readonly #kernels: Kernels;
  readonly #memory: KernelMemory;
  readonly #table: MidxTable;
  readonly #scratch: MidxScratch;
  readonly #norms: Float64Array;
  readonly #crossed: Float64Array;
  readonly #costs: Float64Array;

  constructor({ K, codes }: ValidMidxOptions, D: number, kernels: Kernels, table: MidxTable, scratch: MidxScratch) {
    const half = Math.floor(D / 2);
    this.K = K;
    this.D = D;
    this.#firstEnd = codes === "product" ? half : D;
    this.#secondBegin = codes === "product" ? half : 0;
    this.#kernels = kernels;
    this.#memory = kernels.memory;
    this.#table = table;
    this.#scratch = scratch;
    this.#norms = kernels.memory.doubles(table.norms, 2 * K);
    this.#crossed = kernels.memory.doubles(table.crossed, K * K);
    this.#costs = new Float64Array(K);
  }

  /** scores (R, 2K) = H (R, D)·[C; C']ᵀ. */
  products(scores: number, rows: number, ld: number, R: number): void {
    const { K, D } = this;
    this.#kernels.matrix.multiply(scores, 2 * K, rows, ld, 1, this.#table.packed, R, D, 2 * K, false);
  }

  /**
   * Builds both from points, in place of what was there: k-means of the points, k-means of what it leaves, then joint iterations. Uses the
   * scratch's rows and products. Allocates O(points.count).
   */
  build(points: Points): void {
    const { K, D } = this;
    const { codebooks, packed } = this.#table;
    const { rows, products } = this.#scratch;
    const { f32 } = this.#memory;
    const space = (centroids: number) => ({ centroids, packed, rows, products });
    const first = kmeans(this.#kernels, this.#columns(points, 0, this.#firstEnd), K, ITERATIONS, space(codebooks));
    const rest: Points = {
      ...weightsOf(points),
      count: points.count,
      D,
      read: (from, count, out) => {
        points.read(from, count, out);
        for (let i = 0; i < count; i++) {
          const row = (out >>> 2) + i * D;
          const code = (codebooks >>> 2) + first.assignments[from + i] * D;
          for (let d = 0; d < D; d++) f32[row + d] -= f32[code + d];
        }
      },
    };
    const second = kmeans(
      this.#kernels,
      this.#columns(rest, this.#secondBegin, D),
      K,
      ITERATIONS,
      space(codebooks + 4 * K * D),
    );
    this.#norms.fill(Infinity);
    this.#norms.fill(0, 0, first.used);
    this.#norms.fill(0, K, K + second.used);
    this.derive();
    const statistics = { sums: new Float64Array(2 * K * D), weights: new Float64Array(K * K) };
    for (let i = 0; i < JOINT_ITERATIONS; i++) {
      this.#observe(points, statistics);
      this.refit(statistics);
      this.derive();
    }
  }

  /** The points with zeros outside columns [from, to). */
  #columns(points: Points, from: number, to: number): Points {
    if (to - from === this.D) return points;
    const { f32 } = this.#memory;
    return {
      ...weightsOf(points),
      count: points.count,
      D: this.D,
      read: (first, count, out) => {
        points.read(first, count, out);
        for (let i = 0; i < count; i++) {
          const row = (out >>> 2) + i * this.D;
          f32.fill(0, row, row + from).fill(0, row + to, row + this.D);
        }
      },
    };
  }

  #observe(points: Points, { sums, weights }: Statistics): void {
    const cells = new Int32Array(BLOCK_POINTS);
    const blockWeights = new Float64Array(BLOCK_POINTS).fill(1);
    sums.fill(0);
    weights.fill(0);
    for (let first = 0; first < points.count; first += BLOCK_POINTS) {
      const block = Math.min(BLOCK_POINTS, points.count - first);
      points.read(first, block, this.#scratch.rows);
      this.encode(block, cells, 0, 1);
      if (points.weights !== undefined) blockWeights.set(points.weights.subarray(first, first + block));
      this.#addRows(block, cells, 0, 1, blockWeights, sums, 0);
      for (let i = 0; i < block; i++) weights[cells[i]] += blockWeights[i];
    }
  }

  /**
   * The cell k·K + l of each of `count` rows in the scratch, to cells[at + i·stride]: k nearest to the row, then l given k, then each again given the
   * other. Of equally near codes the first.
   */
  encode(count: number, cells: Int32Array, at: number, stride: number): void {
    const { K } = this;
    const { f32 } = this.#memory;
    const norms = this.#norms;
    const crossed = this.#crossed;
    const costs = this.#costs;
    this.products(this.#scratch.products, this.#scratch.rows, this.D, count);
    for (let i = 0; i < count; i++) {
      const first = (this.#scratch.products >>> 2) + i * 2 * K;
      const second = first + K;
      let k = 0;
      let l = 0;
      let least = Infinity;
      for (let j = 0; j < K; j++) {
        costs[j] = norms[j] - 2 * f32[first + j];
        if (costs[j] >= least) continue;
        least = costs[j];
        k = j;
      }
      for (let sweep = 0; sweep < SWEEPS; sweep++) {
        if (sweep > 0) {
          least = Infinity;
          for (let j = 0; j < K; j++) {
            const cost = costs[j] + 2 * crossed[j * K + l];
            if (cost >= least) continue;
            least = cost;
            k = j;
          }
        }
        least = Infinity;
        for (let j = 0; j < K; j++) {
          const cost = norms[K + j] - 2 * f32[second + j] + 2 * crossed[k * K + j];
          if (cost >= least) continue;
          least = cost;
          l = j;
        }
      }
      cells[at + i * stride] = k * K + l;
    }
  }

  /** sums[from …] (2K, D) += weight·row for each of `count` rows in the scratch, at its two codes. */
  #addRows(
    count: number,
    cells: Int32Array,
    at: number,
    stride: number,
    weights: Float64Array,
    sums: Float64Array | Float32Array,
    from: number,
  ): void {
    const { K, D } = this;
    const { f32 } = this.#memory;
    for (let i = 0; i < count; i++) {
      const cell = cells[at + i * stride];
      const row = (this.#scratch.rows >>> 2) + i * D;
      const first = from + Math.floor(cell / K) * D;
      const second = from + (K + (cell % K)) * D;
      for (let d = 0; d < D; d++) {
        const value = weights[i] * f32[row + d];
        sums[first + d] += value;
        sums[second + d] += value;
      }
    }
  }

  /**
   * Moves every code to where the weighted squared error of the points seen is least, the other codebook and all codes given: the first codebook, then the
   * second. A code that no point has stays where it is, and can be chosen again.
   */
  refit({ sums, weights }: Statistics): void {
    this.#refitOne(0, sums, weights, 0, this.#firstEnd, this.K, 1);
    this.#refitOne(this.K, sums, weights, this.#secondBegin, this.D, 1, this.K);
  }

  /** Codes base … base + K − 1, columns [from, to): mean of the points less the mean of the other codes that these points have. */
  #refitOne(
    base: number,
    sums: Float64Array,
    weights: Float64Array,
    from: number,
    to: number,
    stride: number,
    otherStride: number,
  ): void {
    const { K, D } = this;
    const { f32 } = this.#memory;
    const codebooks = this.#table.codebooks >>> 2;
    const row = new Float64Array(D);
    for (let j = 0; j < K; j++) {
      row.set(sums.subarray((base + j) * D, (base + j + 1) * D));
      let total = 0;
      for (let other = 0; other < K; other++) {
        const weight = weights[j * stride + other * otherStride];
        if (weight === 0) continue;
        total += weight;
        const code = codebooks + (K - base + other) * D;
        for (let d = from; d < to; d++) row[d] -= weight * f32[code + d];
      }
      if (total > 0) for (let d = from; d < to; d++) f32[codebooks + (base + j) * D + d] = row[d] / total;
    }
  }

  /** Brings what is computed from the codes up to date: packed codes, lengths, products. */
  derive(): void {
    const { K, D } = this;
    const { f32 } = this.#memory;
    const { packed, codebooks } = this.#table;
    this.#kernels.matrix.packRightTransposed(packed, codebooks, D, D, 2 * K);
    const codes = codebooks >>> 2;
    for (let j = 0; j < 2 * K; j++) {
      if (this.#norms[j] < Infinity) this.#norms[j] = dot(f32, codes + j * D, codes + j * D, D);
    }
    this.products(this.#scratch.products, codebooks, D, K);
    for (let k = 0; k < K; k++) {
      const from = (this.#scratch.products >>> 2) + 2 * K * k + K;
      for (let l = 0; l < K; l++) this.#crossed[k * K + l] = f32[from + l];
    }
  }

  /** Zeros a unit's partial sums, then adds its rows. */
  addPartial(unit: number, count: number, cells: Int32Array, at: number, stride: number, weights: Float64Array): void {
    const size = 2 * this.K * this.D;
    const from = (this.#table.partials >>> 2) + unit * size;
    this.#memory.f32.fill(0, from, from + size);
    this.#addRows(count, cells, at, stride, weights, this.#memory.f32, from);
  }

  /** The pass's statistics, in shared memory. */
  get passStatistics(): Statistics {
    const { K, D } = this;
    return {
      sums: this.#memory.doubles(this.#table.sums, 2 * K * D),
      weights: this.#memory.doubles(this.#table.weights, K * K),
    };
  }

  /** sums += the partial sums of units 0 … units − 1, in that order. */
  gatherPartials(units: number, sums: Float64Array): void {
    const { f32 } = this.#memory;
    const size = 2 * this.K * this.D;
    for (let unit = 0; unit < Math.min(units, STATISTICS_UNITS); unit++) {
      const from = (this.#table.partials >>> 2) + unit * size;
      for (let i = 0; i < size; i++) sums[i] += f32[from + i];
    }
  }
}

function weightsOf({ weights }: Points): Pick<Points, "weights"> {
  return weights === undefined ? {} : { weights };
}

function dot(values: Float32Array, a: number, b: number, D: number): number {
  let sum = 0;
  for (let d = 0; d < D; d++) sum += values[a + d] * values[b + d];
  return sum;
}
