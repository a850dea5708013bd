import { describe, expect, it } from "vitest";
import { parseMetric, parseMetrics, RANKING_METRICS, rankingValue } from "../dist/evaluate/metrics.js";

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

describe("names of metrics", () => {
  it("are read with their cut-off", () => {
    expect(parseMetrics("cross-entropy, Recall@20,ndcg@5,")).toEqual([
      { name: "cross-entropy", label: "cross-entropy" },
      { name: "recall", k: 20, label: "recall@20" },
      { name: "ndcg", k: 5, label: "ndcg@5" },
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
