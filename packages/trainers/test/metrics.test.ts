import { describe, expect, it } from "vitest";
import { parseMetric, parseMetrics, propensityScore, RANKING_METRICS, rankingValue } from "../dist/evaluate/metrics.js";
import { inversePropensities } from "../dist/evaluate/propensity.js";

const RANKED = Int32Array.of(8, 3, 5, 1, 9);
const gain = (place: number) => 1 / Math.log2(place + 1);

describe("metrics of one ranking, by hand", () => {
  const relevant = new Set([3, 1, 7]);

  it("at 4, with hits in places 2 and 4 of three things to find", () => {
    expect(rankingValue("precision", RANKED, 4, relevant)).toBe(2 / 4);
    expect(rankingValue("recall", RANKED, 4, relevant)).toBe(2 / 3);
    expect(rankingValue("hr", RANKED, 4, relevant)).toBe(1);
    expect(rankingValue("mrr", RANKED, 4, relevant)).toBe(1 / 2);
    const best = gain(1) + gain(2) + gain(3);
    expect(rankingValue("ndcg", RANKED, 4, relevant)).toBeCloseTo((gain(2) + gain(4)) / best, 15);
  });

  it("at 2, where only two could have been found in time", () => {
    expect(rankingValue("recall", RANKED, 2, relevant)).toBe(1 / 3);
    expect(rankingValue("ndcg", RANKED, 2, relevant)).toBeCloseTo(gain(2) / (gain(1) + gain(2)), 15);
  });

  it.each(RANKING_METRICS)("%s is 0 without a hit, and 1 for the one thing in the first of one place", (name) => {
    expect(rankingValue(name, RANKED, 5, new Set([4]))).toBe(0);
    expect(rankingValue(name, RANKED, 1, new Set([8]))).toBe(1);
  });

  it("a ranking of all classes may be shorter than k, or end with −1: precision still divides by k", () => {
    expect(rankingValue("precision", RANKED, 10, relevant)).toBe(2 / 10);
    const ended = Int32Array.of(3, -1, -1);
    expect(rankingValue("precision", ended, 3, relevant)).toBe(1 / 3);
    expect(rankingValue("ndcg", ended, 3, new Set([3]))).toBe(1);
  });
});

describe("propensities", () => {
  it("of 1,000 rows with the usual constants, by hand within 1e-12", () => {
    const inverse = inversePropensities({ counts: [0, 1, 500], rows: 1000 });
    const factor = (Math.log(1000) - 1) * 2.5 ** 0.55;
    const expected = [1.5, 2.5, 501.5].map((shifted) => 1 + factor / shifted ** 0.55);
    for (const [i, value] of inverse.entries()) expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-12);
  });

  it("take other constants; of next to no rows they are 1", () => {
    const [value] = inversePropensities({ counts: [7], rows: 100 }, { A: 0.6, B: 2.6 });
    expect(value).toBeCloseTo(1 + (Math.log(100) - 1) * (3.6 / 9.6) ** 0.6, 12);
    expect([...inversePropensities({ counts: [2, 0], rows: 2 })]).toEqual([1, 1]);
  });

  it.each([
    [
      { counts: [1], rows: 0 },
      { A: 0.5, B: 1 },
    ],
    [
      { counts: [1], rows: 9 },
      { A: -1, B: 1 },
    ],
    [
      { counts: [1], rows: 9 },
      { A: 0.5, B: Number.NaN },
    ],
  ])("refuse %o with %o", (training, law) => {
    expect(() => inversePropensities(training, law)).toThrow(expect.objectContaining({ code: "LOGQ_OPTION" }));
  });
});

describe("propensity-scored precision of one ranking", () => {
  const inverse = Float64Array.of(1, 2, 0, 4, 0, 0, 0, 8, 0, 0);
  const relevant = new Set([3, 1, 7]);

  it("has what was found, and the most that k places could hold", () => {
    expect(propensityScore(RANKED, 4, relevant, inverse)).toEqual({ found: 4 + 2, best: 8 + 4 + 2 });
    expect(propensityScore(RANKED, 2, relevant, inverse)).toEqual({ found: 4, best: 8 + 4 });
    expect(propensityScore(RANKED, 1, relevant, inverse)).toEqual({ found: 0, best: 8 });
  });

  it("takes rankings that are shorter than k, or end with −1", () => {
    expect(propensityScore(Int32Array.of(7, -1, -1), 3, relevant, inverse)).toEqual({ found: 8, best: 14 });
    expect(propensityScore(Int32Array.of(1), 9, relevant, inverse)).toEqual({ found: 2, best: 14 });
  });
});

describe("names of metrics", () => {
  it("are read with their cut-off", () => {
    expect(parseMetrics("cross-entropy, Recall@20,ndcg@5,psp@3,")).toEqual([
      { name: "cross-entropy", label: "cross-entropy" },
      { name: "recall", k: 20, label: "recall@20" },
      { name: "ndcg", k: 5, label: "ndcg@5" },
      { name: "psp", k: 3, label: "psp@3" },
    ]);
  });

  it.each(["recall", "recall@0", "recall@-1", "auc@3", "perplexity@2", "recall@2.5", ""])(
    "%o is refused by name",
    (text) => {
      expect(() => parseMetric(text)).toThrow(
        expect.objectContaining({ code: "LOGQ_OPTION", values: { metric: text } }),
      );
    },
  );
});
