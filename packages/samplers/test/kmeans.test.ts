import { MemoryPlan } from "@logq/kernels";
import { TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { BLOCK_POINTS, type Clustering, kmeans } from "../src/contextual/kmeans.js";
import { CONTEXTUAL_BACKENDS, type ContextualBackend } from "./contextual-bench.js";

interface Answer extends Clustering {
  readonly centroids: Float32Array;
}

/** Clusters points (count, D) in a memory of their own. */
function cluster(
  backend: ContextualBackend,
  values: Float32Array,
  D: number,
  K: number,
  iterations: number,
  weights?: Float64Array,
): Answer {
  const count = values.length / D;
  const plan = new MemoryPlan();
  const space = {
    centroids: plan.reserve("centroids", 4 * K * D),
    packed: plan.reserve("packed", Math.max(1024, 4 * D * 32 * Math.ceil(K / 32))),
    rows: plan.reserve("rows", 4 * BLOCK_POINTS * D),
    products: plan.reserve("products", 4 * BLOCK_POINTS * K),
  };
  const memory = plan.allocate(false);
  const points = {
    count,
    D,
    ...(weights === undefined ? {} : { weights }),
    read: (first: number, wanted: number, out: number) =>
      memory.f32.set(values.subarray(first * D, (first + wanted) * D), out >>> 2),
  };
  const answer = kmeans(backend.bind(memory), points, K, iterations, space);
  return { ...answer, centroids: memory.floats(space.centroids, K * D).slice() };
}

function squaredDistance(a: Float32Array, i: number, b: Float32Array, j: number, D: number): number {
  let sum = 0;
  for (let d = 0; d < D; d++) sum += (a[i * D + d] - b[j * D + d]) ** 2;
  return sum;
}

describe.each(CONTEXTUAL_BACKENDS)("k-means on $name", (backend) => {
  const D = 7;
  const values = new TestRandom(3).normalFloats(1300 * D);

  it("never raises its inertia, and states that of its answer, within 1e-6", () => {
    const weights = Float64Array.from({ length: 1300 }, (_, i) => 1 / (1 + (i % 13)));
    for (const w of [undefined, weights]) {
      const { inertia, assignments, centroids } = cluster(backend, values, D, 20, 8, w);
      expect(inertia.length).toBe(9);
      for (let i = 1; i < inertia.length; i++) expect(inertia[i]).toBeLessThanOrEqual(inertia[i - 1] * (1 + 1e-6));
      expect(inertia[8]).toBeLessThan(0.95 * inertia[0]);
      let sum = 0;
      assignments.forEach((k, i) => {
        sum += (w?.[i] ?? 1) * squaredDistance(values, i, centroids, k, D);
      });
      expect(Math.abs(sum / inertia[8] - 1)).toBeLessThan(1e-6);
    }
  });

  it("gives every point its nearest centroid, by float64 enumeration, up to rounding", () => {
    const { assignments, centroids } = cluster(backend, values, D, 20, 2);
    assignments.forEach((k, i) => {
      const own = squaredDistance(values, i, centroids, k, D);
      for (let j = 0; j < 20; j++) expect(own).toBeLessThan(squaredDistance(values, i, centroids, j, D) + 1e-4);
    });
  });

  it("finds clusters that lie apart, and the same whenever asked", () => {
    const random = new TestRandom(9);
    const apart = Float32Array.from({ length: 900 * 2 }, (_, i) => 50 * (Math.floor(i / 2) % 9) + random.uniform());
    const first = cluster(backend, apart, 2, 9, 4);
    expect(new Set(first.assignments.subarray(0, 9)).size).toBe(9);
    for (let i = 0; i < 900; i++) expect(first.assignments[i]).toBe(first.assignments[i % 9]);
    expect(cluster(backend, apart, 2, 9, 4)).toEqual(first);
  });

  it("uses as many centroids as there are different points", () => {
    const three = Float32Array.from({ length: 40 }, (_, i) => (i % 3) + 1);
    const { used, inertia, centroids, assignments } = cluster(backend, three, 1, 8, 3);
    expect(used).toBe(3);
    expect(inertia[3]).toBe(0);
    expect([...centroids.subarray(0, 3)].sort()).toEqual([1, 2, 3]);
    expect([...centroids.subarray(3)]).toEqual([0, 0, 0, 0, 0]);
    for (let i = 0; i < 40; i++) expect(centroids[assignments[i]]).toBe(three[i]);
  });

  it("gives a centroid that lost its points another place", () => {
    // Of thousands of seeds one where a centroid is left without points on the way.
    const skewed = new TestRandom(2816).normalFloats(30).map((value) => value ** 3);
    const { used, assignments } = cluster(backend, skewed, 1, 10, 6);
    expect(used).toBe(10);
    expect(new Set(assignments).size).toBe(10);
  });

  it("lets weights decide where centroids lie: the weighted mean, within 1e-6", () => {
    const { centroids } = cluster(backend, Float32Array.of(0, 1, 5), 1, 1, 1, Float64Array.of(1, 2, 3));
    expect(centroids[0]).toBeCloseTo(17 / 6, 6);
  });
});
