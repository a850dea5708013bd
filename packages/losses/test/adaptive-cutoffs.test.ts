import { EmptyInputError, NotFiniteError, OptionError } from "@logq/core";
import { TestRandom } from "@logq/testing";
import { describe, expect, test } from "vitest";
import { chooseCutoffs } from "../src/adaptive/cutoffs.js";
import type { AdaptiveCosts } from "../src/adaptive/product-cost.js";

/** The cost of given cutoffs, written down again from the definition. */
function costOf(counts: readonly number[], cutoffs: readonly number[], costs: Required<AdaptiveCosts>): number {
  const { B, D, divValue, overhead, least, leastRows, perLogit } = costs;
  const sum = counts.reduce((total, count) => total + count, 0);
  const product = (rows: number, classes: number, width: number) =>
    overhead + Math.max(least, Math.max(rows, leastRows) * classes * width);
  let cost = product(B, (cutoffs[0] ?? counts.length) + cutoffs.length, D + perLogit);
  cutoffs.forEach((first, i) => {
    const end = cutoffs[i + 1] ?? counts.length;
    const rows = (B * counts.slice(first, end).reduce((total, count) => total + count, 0)) / sum;
    const width = Math.floor(D / divValue ** (i + 1));
    cost += product(rows, width, D) + product(rows, end - first, width + perLogit);
  });
  return cost;
}

/** All ways to choose `count` cutoffs in [from, n). */
function* allCutoffs(count: number, from: number, n: number): Generator<number[]> {
  if (count === 0) {
    yield [];
    return;
  }
  for (let first = from; first < n; first++) {
    for (const rest of allCutoffs(count - 1, first + 1, n)) yield [first, ...rest];
  }
}

const DEFAULTS = { divValue: 2, overhead: 0, least: 0, leastRows: 0, perLogit: 0, leastHead: 1 };
const COSTS: readonly (readonly [string, Required<AdaptiveCosts>])[] = [
  ["multiply-adds alone", { B: 64, D: 16, ...DEFAULTS }],
  ["an overhead", { B: 64, D: 16, ...DEFAULTS, overhead: 500 }],
  ["a floor, as on a GPU", { B: 8, D: 16, ...DEFAULTS, overhead: 10, least: 400 }],
  ["rows that are read whoever comes", { B: 8, D: 32, ...DEFAULTS, leastRows: 3 }],
  ["everything", { B: 32, D: 27, divValue: 1.5, overhead: 100, least: 300, leastRows: 2, perLogit: 5, leastHead: 1 }],
  ["a head of at least 3", { B: 64, D: 64, ...DEFAULTS, divValue: 4, leastHead: 3 }],
  ["no narrowing", { B: 128, D: 8, ...DEFAULTS, divValue: 1, overhead: 64 }],
];

function zipf(n: number, exponent: number): number[] {
  return Array.from({ length: n }, (_, c) => Math.round(10_000 / (c + 1) ** exponent));
}

describe.each(COSTS)("chooseCutoffs, %s", (_, costs) => {
  const random = new TestRandom(4);
  const lists: readonly (readonly [string, number[]])[] = [
    ["Zipf", zipf(14, 1)],
    ["steep, with zeros", zipf(15, 4)],
    ["flat", new Array<number>(11).fill(3)],
    ["random", Array.from({ length: 13 }, () => random.integer(100)).sort((a, b) => b - a)],
    ["one class holds all", [5, 0, 0, 0, 0, 0]],
  ];

  test.each(lists)("%s counts: no cutoffs are cheaper, by brute force over all of them", (_name, counts) => {
    for (const clusters of [1, 2, 3, 4]) {
      const { cutoffs, cost, fullCost } = chooseCutoffs(counts, clusters, costs);
      const all = Array.from(allCutoffs(clusters - 1, clusters === 1 ? 1 : costs.leastHead, counts.length), (one) =>
        costOf(counts, one, costs),
      );
      const least = Math.min(...all);
      expect(cutoffs).toHaveLength(clusters - 1);
      expect(costOf(counts, cutoffs, costs)).toBeCloseTo(least, 6);
      expect(cost).toBeCloseTo(least, 6);
      expect(fullCost).toBe(costOf(counts, [], costs));
    }
  });
});

test("as many clusters as classes: a cutoff before each but the first", () => {
  expect(chooseCutoffs([4, 3, 2, 1], 4, { B: 1, D: 64 }).cutoffs).toEqual([1, 2, 3]);
  expect(chooseCutoffs([9], 1, { B: 1, D: 1 }).cutoffs).toEqual([]);
});

test("100,000 classes by Zipf's law: cutoffs that rise, a cost far below the full softmax, and no neighbour is better", () => {
  const n = 100_000;
  const counts = Array.from({ length: n }, (_, c) => 1e9 / (c + 1));
  const costs = { B: 256, D: 128, divValue: 4, overhead: 20_000, least: 0, leastRows: 16, perLogit: 64, leastHead: 1 };
  const { cutoffs, cost, fullCost } = chooseCutoffs(counts, 4, costs);
  const own = costOf(counts, cutoffs, costs);
  expect(cost / own).toBeCloseTo(1, 9);
  expect(cost).toBeLessThan(fullCost / 10);
  for (let i = 0; i < 3; i++) {
    for (const step of [-10, -1, 1, 10]) {
      expect(cutoffs[0]).toBeGreaterThan(10);
      const moved = cutoffs.map((cutoff, j) => (j === i ? cutoff + step : cutoff));
      expect(costOf(counts, moved, costs)).toBeGreaterThanOrEqual(own * (1 - 1e-12));
    }
  }
});

describe("chooseCutoffs refuses", () => {
  const costs = { B: 8, D: 16 };
  type Refusal = readonly [string, () => unknown, new (message: string) => Error, object];
  const cases: readonly Refusal[] = [
    ["no classes", () => chooseCutoffs([], 1, costs), EmptyInputError, { name: "counts" }],
    ["a negative count", () => chooseCutoffs([3, -1], 2, costs), OptionError, { index: 1, value: -1 }],
    ["counts that rise", () => chooseCutoffs([3, 1, 2], 2, costs), OptionError, { index: 2, value: 2, before: 1 }],
    ["NaN", () => chooseCutoffs([3, Number.NaN], 2, costs), NotFiniteError, { index: 1 }],
    ["counts that are all 0", () => chooseCutoffs([0, 0], 2, costs), OptionError, { sum: 0 }],
    ["more clusters than classes", () => chooseCutoffs([2, 1], 3, costs), OptionError, { value: 3, maximum: 2 }],
    ["a tail of width 0", () => chooseCutoffs([3, 2, 1, 1], 4, costs), OptionError, { tail: 2, D: 16 }],
    [
      "a least head that leaves the tails nothing",
      () => chooseCutoffs([2, 1, 1], 2, { ...costs, leastHead: 3 }),
      OptionError,
      { name: "leastHead", value: 3, maximum: 2 },
    ],
    ["D = 0", () => chooseCutoffs([2, 1], 2, { B: 8, D: 0 }), OptionError, { name: "D" }],
    [
      "a negative overhead",
      () => chooseCutoffs([2, 1], 2, { ...costs, overhead: -1 }),
      OptionError,
      { name: "overhead" },
    ],
  ];

  test.each(cases)("%s", (_, run, kind, values) => {
    expect(run).toThrow(kind);
    expect(run).toThrow(expect.objectContaining({ values: expect.objectContaining(values) }));
  });
});
