import type { SeriesStyle } from "@logq/charts";
import type { LossName, SamplerName } from "../names.js";

export const LOSS_STYLE: Readonly<Record<LossName, SeriesStyle>> = {
  "full-softmax": { color: "var(--black)", symbol: "square" },
  "sampled-softmax": { color: "var(--blue)", symbol: "circle" },
  nce: { color: "var(--vermillion)", symbol: "triangle" },
  "negative-sampling": { color: "var(--green)", symbol: "diamond" },
  "sampled-logistic": { color: "var(--purple)", symbol: "star" },
  "adaptive-softmax": { color: "var(--orange)", symbol: "cross" },
  "hierarchical-softmax": { color: "var(--orange)", symbol: "diamond" },
};

export const SAMPLER_STYLE: Readonly<Record<SamplerName, SeriesStyle>> = {
  uniform: { color: "var(--orange)", symbol: "square" },
  "log-uniform": { color: "var(--purple)", symbol: "triangle" },
  unigram: { color: "var(--blue)", symbol: "circle" },
  "learned-unigram": { color: "var(--blue)", symbol: "cross" },
  "in-batch": { color: "var(--green)", symbol: "square" },
  mixed: { color: "var(--green)", symbol: "triangle" },
  "cross-batch": { color: "var(--green)", symbol: "diamond" },
  "quadratic-kernel": { color: "var(--vermillion)", symbol: "square" },
  "random-features": { color: "var(--vermillion)", symbol: "triangle" },
  midx: { color: "var(--vermillion)", symbol: "circle" },
  lsh: { color: "var(--vermillion)", symbol: "diamond" },
  hard: { color: "var(--black)", symbol: "star" },
  "two-pass": { color: "var(--black)", symbol: "circle" },
};
