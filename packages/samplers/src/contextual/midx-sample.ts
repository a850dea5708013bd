import type { Points } from "./kmeans.js";
import type { ClassReader } from "./types.js";

/**
 * About `most` classes of the table as points with weights; all of them if that is enough. Else by systematic sampling: half of the points in proportion
 * to the weights, so that the few classes that matter most are there, half evenly, so that the many are too; a point weighs what its class does over
 * the chance to be taken.
 * @param weight what a class weighs, above 0
 */
export function sampledPoints(reader: ClassReader, most: number, weight: (id: number) => number): Points {
  const { n, D } = reader;
  if (n <= most) {
    return {
      count: n,
      D,
      weights: Float64Array.from({ length: n }, (_, id) => weight(id)),
      read: (first, count, out) => reader.readRows(first, count, out, D),
    };
  }
  const { ids, weights } = systematicSample(n, most, weight);
  return {
    count: ids.length,
    D,
    weights,
    read(first, count, out) {
      for (let i = 0; i < count; i++) reader.readRows(ids[first + i], 1, out + 4 * i * D, D);
    },
  };
}

/** Takes a class whenever the sum of chances passes an integer. */
function systematicSample(n: number, most: number, weight: (id: number) => number) {
  let total = 0;
  for (let id = 0; id < n; id++) total += weight(id);
  const ids = new Int32Array(most);
  const weights = new Float64Array(most);
  let count = 0;
  let passed = 0;
  for (let id = 0; id < n && count < most; id++) {
    const chance = Math.min(1, (most / 2) * (weight(id) / total + 1 / n));
    const before = passed;
    passed += chance;
    if (Math.floor(passed) === Math.floor(before)) continue;
    ids[count] = id;
    weights[count++] = weight(id) / chance;
  }
  return { ids: ids.subarray(0, count), weights: weights.subarray(0, count) };
}
