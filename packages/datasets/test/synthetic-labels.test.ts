import { describe, expect, it } from "vitest";
import { syntheticLabels } from "../src/index.js";

const small = { labels: 200, features: 500, rows: 4000, testRows: 300, topics: 8, boost: 20, seed: "labels" };

const rowsOf = (offsets: Int32Array, values: Int32Array | Float32Array): number[][] =>
  Array.from(offsets.subarray(1), (end, row) => Array.from(values.subarray(offsets[row], end)));

describe("syntheticLabels", () => {
  const dataset = syntheticLabels(small);
  const train = dataset.splits.train!;
  const labels = rowsOf(train.labelOffsets, train.labels);
  const features = rowsOf(train.featureOffsets, train.features);

  it("has as many rows as were asked for, each with five distinct labels and distinct features, in shared memory", () => {
    expect(labels).toHaveLength(4000);
    expect(dataset.splits.test!.labelOffsets).toHaveLength(301);
    for (const row of labels) expect(new Set(row).size).toBe(5);
    for (const row of labels) expect(row.every((label) => label >= 0 && label < 200)).toBe(true);
    for (const row of features) expect(new Set(row).size).toBe(row.length);
    for (const row of features) expect(row.every((feature) => feature >= 0 && feature < 500)).toBe(true);
    for (const array of Object.values(train)) expect(array.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  it("gives rows the length 1 within 1e-6", () => {
    for (const row of rowsOf(train.featureOffsets, train.values)) {
      expect(Math.abs(Math.hypot(...row) - 1)).toBeLessThan(1e-6);
    }
  });

  it("counts the labels of the training part; lower ids are more frequent", () => {
    const counts = new Float64Array(200);
    for (const label of train.labels) counts[label]++;
    expect(dataset.classes.counts).toEqual(counts);
    const sum = (first: number, end: number) => counts.subarray(first, end).reduce((total, count) => total + count, 0);
    expect(sum(0, 20)).toBeGreaterThan(2 * sum(100, 120));
    expect(sum(100, 120)).toBeGreaterThan(sum(180, 200));
  });

  it("has features that tell the labels: a label's rows share one that other rows seldom have", () => {
    for (const label of [0, 7, 60]) {
      const [own, others] = [new Float64Array(500), new Float64Array(500)];
      for (const [row, found] of features.entries()) {
        const side = labels[row].includes(label) ? own : others;
        for (const feature of found) side[feature]++;
      }
      const rows = dataset.classes.counts[label];
      const always = own.findIndex((times, feature) => times === rows && others[feature] < 0.3 * (4000 - rows));
      expect(always).toBeGreaterThanOrEqual(0);
    }
  });

  it("has labels that come together: those of a row are of a topic more often than by chance", () => {
    const independent = syntheticLabels({ ...small, boost: 1 });
    const { labelOffsets, labels: others } = independent.splits.train!;
    expect(dependence(labels)).toBeGreaterThan(5 * dependence(rowsOf(labelOffsets, others)));
  });

  it("extends rather than changes when there are more rows, and follows the seed", () => {
    const more = syntheticLabels({ ...small, rows: 4500 }).splits.train!;
    expect(more.labels.subarray(0, train.labels.length)).toEqual(train.labels);
    expect(more.values.subarray(0, train.values.length)).toEqual(train.values);
    expect(syntheticLabels({ ...small, seed: 9 }).splits.train!.labels).not.toEqual(train.labels);
  });

  it("has fewer labels where there are not enough", () => {
    const { labelOffsets } = syntheticLabels({ labels: 3, features: 4, rows: 20, noise: 0, topics: 1 }).splits.train!;
    expect(labelOffsets.at(-1)).toBe(60);
  });

  it.each([{ labels: 0 }, { features: 1.5 }, { rows: 0 }, { shown: 1.1 }, { labelsPerRow: 0 }, { nonsense: 1 }])(
    "refuses %o",
    (wrong) => {
      expect(() => syntheticLabels({ ...small, ...wrong })).toThrow(expect.objectContaining({ code: "LOGQ_OPTION" }));
    },
  );
});

/** χ² of the pairs of labels against labels that are independent of each other, over the labels that come often enough for it. */
function dependence(rows: readonly number[][]): number {
  const own = new Float64Array(60);
  const pairs = new Float64Array(60 * 60);
  for (const row of rows) {
    const often = row.filter((label) => label < 60);
    for (const a of often) {
      own[a]++;
      for (const b of often) if (a < b) pairs[60 * a + b]++;
    }
  }
  let sum = 0;
  for (let a = 0; a < 60; a++) {
    for (let b = a + 1; b < 60; b++) {
      const expected = (own[a] * own[b]) / rows.length;
      sum += (pairs[60 * a + b] - expected) ** 2 / expected;
    }
  }
  return sum;
}
