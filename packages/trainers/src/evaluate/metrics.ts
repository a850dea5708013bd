import { OptionError } from "@logq/core";
import { classCount, type EngineSpec } from "../engine/spec.js";

/** What a ranking is measured by, at a cut-off k. Everything is a mean over rows with something to find. */
export const RANKING_METRICS = ["precision", "recall", "hr", "ndcg", "mrr"] as const;

export type RankingMetricName = (typeof RANKING_METRICS)[number];

/** All names that stand before a cut-off. psp is a quotient of sums over rows, not a mean of their values. */
export const CUT_OFF_METRICS = [...RANKING_METRICS, "psp"] as const;

/**
 * What needs every logit of a row. log-partition is the mean of |log Z|, Z = Σ_c e^logit: how far scores are from log probabilities as they stand, without
 * a sum over classes.
 */
export const SOFTMAX_METRICS = ["cross-entropy", "perplexity", "log-partition"] as const;

export type SoftmaxMetricName = (typeof SOFTMAX_METRICS)[number];

export type Metric =
  | { readonly name: SoftmaxMetricName; readonly label: string }
  | { readonly name: (typeof CUT_OFF_METRICS)[number]; readonly k: number; readonly label: string };

/** Reads "cross-entropy", "perplexity", "log-partition" or "recall@20". @throws OptionError */
export function parseMetric(text: string): Metric {
  const label = text.trim().toLowerCase();
  const softmax = SOFTMAX_METRICS.find((known) => known === label);
  if (softmax !== undefined) return { name: softmax, label };
  const match = /^([a-z]+)@([1-9][0-9]{0,4})$/.exec(label);
  const name = CUT_OFF_METRICS.find((known) => known === match?.[1]);
  if (match === null || name === undefined) {
    const known = `${SOFTMAX_METRICS.join(", ")}, ${CUT_OFF_METRICS.map((metric) => `${metric}@k`).join(", ")}`;
    throw new OptionError(`there is no metric "${text}"; the metrics are ${known}`, { metric: text });
  }
  return { name, k: Number(match[2]), label };
}

/** Reads a comma-separated list of metrics. */
export function parseMetrics(text: string): Metric[] {
  return text
    .split(",")
    .filter((part) => part.trim() !== "")
    .map(parseMetric);
}

/** The largest k among metrics; 0 if none ranks. */
export function largestK(metrics: readonly Metric[]): number {
  return Math.max(0, ...metrics.map((metric) => ("k" in metric ? metric.k : 0)));
}

/** Answers the k to rank by, at most the number of classes. @throws OptionError if this engine has no room for it */
export function requireRankable(metrics: readonly Metric[], spec: Pick<EngineSpec, "table" | "tree" | "maxK">): number {
  const { maxK } = spec;
  const k = Math.min(largestK(metrics), classCount(spec));
  if (k > maxK) {
    throw new OptionError(`a ranking of ${k} is asked for, but this engine ranks at most ${maxK}`, { k, limit: maxK });
  }
  return k;
}

/**
 * One row's value. `ranked` holds class ids, best first; it may hold fewer than k, or end with −1, where there are fewer classes. With hits h_i = [ranked_i is relevant] for i = 1 … k:
 *
 * - precision = Σ h_i / k
 * - recall = Σ h_i / (number of relevant classes)
 * - hr = 1 if any h_i
 * - ndcg = Σ h_i / log2(i + 1), over the same sum of the best order (Järvelin and Kekäläinen 2002, binary gains)
 * - mrr = 1 / (the first i with h_i), 0 if none
 */
export function rankingValue(
  name: RankingMetricName,
  ranked: Int32Array,
  k: number,
  relevant: ReadonlySet<number>,
): number {
  let hits = 0;
  let gain = 0;
  let first = 0;
  for (let i = 0; i < Math.min(k, ranked.length); i++) {
    const id = ranked[i]!;
    if (id < 0) break;
    if (!relevant.has(id)) continue;
    hits++;
    gain += 1 / Math.log2(i + 2);
    if (first === 0) first = i + 1;
  }
  switch (name) {
    case "precision":
      return hits / k;
    case "recall":
      return hits / relevant.size;
    case "hr":
      return hits > 0 ? 1 : 0;
    case "mrr":
      return first > 0 ? 1 / first : 0;
    case "ndcg": {
      let best = 0;
      for (let i = 0; i < Math.min(k, relevant.size); i++) best += 1 / Math.log2(i + 2);
      return gain / best;
    }
  }
}

/**
 * One row's part of the propensity-scored precision psp = Σ_rows found / Σ_rows best (Jain, Prabhu and Varma 2016): 1/p of the relevant classes among the
 * first k, and of the k relevant classes that count most. What divides both by k cancels.
 *
 * @param inverse (n), 1/p
 */
export function propensityScore(
  ranked: Int32Array,
  k: number,
  relevant: ReadonlySet<number>,
  inverse: Float64Array,
): { readonly found: number; readonly best: number } {
  let found = 0;
  for (let i = 0; i < Math.min(k, ranked.length); i++) {
    const id = ranked[i]!;
    if (id < 0) break;
    if (relevant.has(id)) found += inverse[id]!;
  }
  const scores = Float64Array.from(relevant, (id) => inverse[id]!).sort();
  let best = 0;
  for (let i = Math.max(0, scores.length - k); i < scores.length; i++) best += scores[i]!;
  return { found, best };
}
