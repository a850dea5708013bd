import { type Key, RandomStream, STREAM } from "@logq/core";
import type { Address, Kernels } from "@logq/kernels";

/** Points looked at together: with their products they stay in the second-level cache. */
export const BLOCK_POINTS = 512;

/** Points for each centroid among which the seeds are sought. */
const SEED_POINTS = 16;

/** Draws of k-means come from a key of their own: centroids are a function of the points alone. */
const KMEANS_KEY: Key = { low: 0x6b6d6561, high: 0x6e73 };

/** The points, read a block at a time. */
export interface Points {
  readonly count: number;
  readonly D: number;
  /** Copies points [first, first + count) to out (count, D) float32; count is at most BLOCK_POINTS. */
  read(first: number, count: number, out: Address): void;
  /** (count), ≥ 0: how much each point weighs. Absent: 1 each. */
  readonly weights?: Float64Array;
}

/** Where `kmeans` works, in kernel memory. */
export interface KmeansSpace {
  /** (K, D) float32: the answer. */
  readonly centroids: Address;
  /** matrix.packedBytes(D, K). */
  readonly packed: Address;
  /** (BLOCK_POINTS, D) float32. */
  readonly rows: Address;
  /** (BLOCK_POINTS, K) float32. */
  readonly products: Address;
}

export interface Clustering {
  /** Centroids in use, at most K: fewer where there are fewer different points. Those behind them are zeros. */
  readonly used: number;
  /** Σ weight·‖point − its centroid‖² before each iteration's update, and at last with the centroids of the answer. */
  readonly inertia: readonly number[];
  /** (count): the centroid of each point, the nearest; of equally near ones the first. */
  readonly assignments: Int32Array;
}

/**
 * Lloyd's k-means (1982) from k-means++ seeds (Arthur and Vassilvitskii 2007). Sums are float64 in the order of the points and products come from the
 * matrix kernels, so the answer is a function of points, K and back-end. A centroid that lost all its points takes the point furthest from its own.
 * Allocates O(count) on the heap: for building, not for steps.
 */
export function kmeans(
  kernels: Kernels,
  points: Points,
  K: number,
  iterations: number,
  space: KmeansSpace,
): Clustering {
  const { f32 } = kernels.memory;
  const { count, D } = points;
  const centroids = space.centroids >>> 2;
  f32.fill(0, centroids, centroids + K * D);
  const used = seed(kernels, points, K, space);
  const assignments = new Int32Array(count);
  const distances = new Float64Array(count);
  const inertia = [assign(kernels, points, used, space, assignments, distances)];
  for (let iteration = 0; iteration < iterations; iteration++) {
    update(kernels, points, used, space, assignments, distances);
    inertia.push(assign(kernels, points, used, space, assignments, distances));
  }
  return { used, inertia, assignments };
}

/** Writes seeds to the centroids, each drawn in proportion to its squared distance from those before; answers how many differ. */
function seed({ memory: { f32 } }: Kernels, points: Points, K: number, space: KmeansSpace): number {
  const { D } = points;
  const sample = Math.min(points.count, K * SEED_POINTS);
  const rows = new Float32Array(sample * D);
  const distances = new Float64Array(sample);
  const at = space.rows >>> 2;
  for (let i = 0; i < sample; i++) {
    const point = Math.floor((i * points.count) / sample);
    points.read(point, 1, space.rows);
    rows.set(f32.subarray(at, at + D), i * D);
    distances[i] = points.weights === undefined ? 1 : points.weights[point];
  }
  const weights = distances.slice();
  const stream = new RandomStream(KMEANS_KEY, STREAM.measurement);
  for (let k = 0; k < K; k++) {
    const chosen = drawWeighted(distances, stream.uniform(k));
    if (chosen < 0) return k;
    f32.set(rows.subarray(chosen * D, (chosen + 1) * D), (space.centroids >>> 2) + k * D);
    for (let i = 0; i < sample; i++) {
      const distance = weights[i] * squaredDistance(rows, i * D, rows, chosen * D, D);
      if (k === 0 || distance < distances[i]) distances[i] = distance;
    }
  }
  return K;
}

/** The index that u in [0, 1) draws in proportion to the weights; −1 if all are 0. */
function drawWeighted(weights: Float64Array, u: number): number {
  let total = 0;
  for (let i = 0; i < weights.length; i++) total += weights[i];
  let rest = u * total;
  let last = -1;
  for (let i = 0; i < weights.length; i++) {
    if (!(weights[i] > 0)) continue;
    last = i;
    rest -= weights[i];
    if (rest < 0) break;
  }
  return last;
}

/** Gives every point its nearest centroid and its weighted squared distance from it; answers their sum. */
function assign(
  { memory: { f32 }, matrix }: Kernels,
  points: Points,
  used: number,
  space: KmeansSpace,
  assignments: Int32Array,
  distances: Float64Array,
): number {
  const { count, D, weights } = points;
  const norms = new Float64Array(used);
  for (let k = 0; k < used; k++) norms[k] = squaredLength(f32, (space.centroids >>> 2) + k * D, D);
  matrix.packRightTransposed(space.packed, space.centroids, D, D, used);
  const rows = space.rows >>> 2;
  const products = space.products >>> 2;
  let inertia = 0;
  for (let first = 0; first < count; first += BLOCK_POINTS) {
    const block = Math.min(BLOCK_POINTS, count - first);
    points.read(first, block, space.rows);
    matrix.multiply(space.products, used, space.rows, D, 1, space.packed, block, D, used, false);
    for (let i = 0; i < block; i++) {
      let nearest = 0;
      let least = Infinity;
      for (let k = 0; k < used; k++) {
        const distance = norms[k] - 2 * f32[products + i * used + k];
        if (distance >= least) continue;
        least = distance;
        nearest = k;
      }
      const weight = weights === undefined ? 1 : weights[first + i];
      assignments[first + i] = nearest;
      // The expanded form tells near from nearer; what is summed and compared between points must not cancel.
      const distance = squaredDistance(f32, rows + i * D, f32, (space.centroids >>> 2) + nearest * D, D);
      distances[first + i] = weight * distance;
      inertia += distances[first + i];
    }
  }
  return inertia;
}

/** Moves every centroid to the weighted mean of its points. */
function update(
  { memory: { f32 } }: Kernels,
  points: Points,
  used: number,
  space: KmeansSpace,
  assignments: Int32Array,
  distances: Float64Array,
): void {
  const { count, D, weights } = points;
  const sums = new Float64Array(used * D);
  const masses = new Float64Array(used);
  const rows = space.rows >>> 2;
  for (let first = 0; first < count; first += BLOCK_POINTS) {
    const block = Math.min(BLOCK_POINTS, count - first);
    points.read(first, block, space.rows);
    for (let i = 0; i < block; i++) {
      const k = assignments[first + i];
      const weight = weights === undefined ? 1 : weights[first + i];
      masses[k] += weight;
      for (let d = 0; d < D; d++) sums[k * D + d] += weight * f32[rows + i * D + d];
    }
  }
  for (let k = 0; k < used; k++) {
    const to = (space.centroids >>> 2) + k * D;
    if (masses[k] > 0) for (let d = 0; d < D; d++) f32[to + d] = sums[k * D + d] / masses[k];
    else takeFurthest(points, distances, space, to, f32);
  }
}

/** Puts a centroid on the point furthest from its own, the first of equals; that point is not taken again. Stays where it is if all are met exactly. */
function takeFurthest(
  points: Points,
  distances: Float64Array,
  space: KmeansSpace,
  to: number,
  f32: Float32Array,
): void {
  let furthest = 0;
  for (let i = 1; i < distances.length; i++) if (distances[i] > distances[furthest]) furthest = i;
  if (!(distances[furthest] > 0)) return;
  distances[furthest] = 0;
  points.read(furthest, 1, space.rows);
  const from = space.rows >>> 2;
  f32.copyWithin(to, from, from + points.D);
}

function squaredLength(values: Float32Array, at: number, D: number): number {
  let sum = 0;
  for (let d = 0; d < D; d++) sum += values[at + d] * values[at + d];
  return sum;
}

function squaredDistance(a: Float32Array, atA: number, b: Float32Array, atB: number, D: number): number {
  let sum = 0;
  for (let d = 0; d < D; d++) {
    const difference = a[atA + d] - b[atB + d];
    sum += difference * difference;
  }
  return sum;
}
