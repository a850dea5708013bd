import { describe, expect, test } from "vitest";
import {
  effectiveNumberWeights,
  inverseFrequencyWeights,
  labelPropensities,
  type PropensityConstants,
} from "../src/index.js";

const COUNTS = [100, 10, 1, 0];

/** Σ N·w / Σ N */
function meanOverLabels(weights: ArrayLike<number>): number {
  const labels = COUNTS.reduce((sum, count) => sum + count, 0);
  return COUNTS.reduce((sum, count, id) => sum + count * weights[id]!, 0) / labels;
}

describe("class weights by frequency", () => {
  test("inverse frequencies give each class the same say; a class that never was a label counts once", () => {
    const weights = inverseFrequencyWeights(COUNTS);
    expect(Array.from(weights, (w) => w / weights[0]!)).toEqual([1, 10, 100, 100].map((w) => expect.closeTo(w, 10)));
    expect(meanOverLabels(weights)).toBeCloseTo(1, 12);
  });

  test("a power is that of the frequencies, and a power of 0 leaves everything as it is", () => {
    const weights = inverseFrequencyWeights(COUNTS, 0.5);
    expect(weights[2]! / weights[0]!).toBeCloseTo(10, 10);
    expect(Array.from(inverseFrequencyWeights(COUNTS, 0))).toEqual([1, 1, 1, 1]);
  });

  test("effective numbers are (1 - β)/(1 - β^N): alike at β = 0, inverse frequencies as β goes to 1", () => {
    expect(Array.from(effectiveNumberWeights(COUNTS, 0))).toEqual([1, 1, 1, 1]);
    const weights = effectiveNumberWeights(COUNTS, 0.9);
    expect(weights[2]! / weights[1]!).toBeCloseTo((1 - 0.9 ** 10) / (1 - 0.9), 10);
    expect(meanOverLabels(weights)).toBeCloseTo(1, 12);
    const near = effectiveNumberWeights(COUNTS, 1 - 1e-9);
    const inverse = inverseFrequencyWeights(COUNTS);
    for (const [id, weight] of near.entries()) expect(weight / inverse[id]!).toBeCloseTo(1, 5);
  });

  test.each([
    ["a power below 0", () => inverseFrequencyWeights(COUNTS, -1), { value: -1 }],
    ["a power that is no number", () => inverseFrequencyWeights(COUNTS, Number.NaN), { value: Number.NaN }],
    ["a beta of 1", () => effectiveNumberWeights(COUNTS, 1), { value: 1 }],
    ["a count below 0", () => inverseFrequencyWeights([1, -2]), { index: 1, value: -2 }],
    ["a count that is no number", () => effectiveNumberWeights([Number.NaN]), { index: 0 }],
  ])("refuse %s", (_, make, values) => {
    expect(make).toThrow(expect.objectContaining({ values: expect.objectContaining(values) }));
  });
});

describe("label propensities", () => {
  test("are those of Jain et al. 2016, worked out by hand", () => {
    const [frequent, , , never] = labelPropensities(COUNTS, { A: 0.55, B: 1.5, examples: 1000 });
    // C = (log 1000 − 1)·2.5^0.55 = 5.907755·1.655263 = 9.778889
    expect(frequent).toBeCloseTo(1 / (1 + 9.778889 * 101.5 ** -0.55), 6);
    expect(never).toBeCloseTo(1 / (1 + 9.778889 * 1.5 ** -0.55), 6);
  });

  test("rise with the count and stay within (0, 1]", () => {
    const all = labelPropensities(COUNTS, { A: 0.6, B: 2.6, examples: 3 });
    expect([...all].sort((a, b) => b - a)).toEqual([...all]);
    expect(all.every((p) => p > 0 && p <= 1)).toBe(true);
  });

  const good: PropensityConstants = { A: 0.5, B: 0.4, examples: 100 };
  test.each([
    ["A of 0", { A: 0 }, { value: 0 }],
    ["A that is no number", { A: Number.NaN }, { value: Number.NaN }],
    ["B of 0", { B: 0 }, { value: 0 }],
    ["B below 0", { B: -1 }, { value: -1 }],
    ["too few examples", { examples: 2 }, { value: 2 }],
  ])("refuse %s", (_, bad, values) => {
    expect(() => labelPropensities(COUNTS, { ...good, ...bad })).toThrow(
      expect.objectContaining({ code: "LOGQ_OPTION", values: expect.objectContaining(values) }),
    );
  });
});
