import type { LossName, SamplerName } from "../../names.js";

/** How a series is drawn: colour and marker both, so that neither has to be told apart alone. */
export interface SeriesStyle {
  /** A CSS custom property of the report's style sheet. */
  readonly color: string;
  readonly symbol: "circle" | "square" | "triangle" | "diamond" | "star" | "cross";
}

/**
 * Hues after Okabe and Ito (Color Universal Design, 2008), which people with any common colour vision tell apart; darker on paper and lighter on
 * a dark screen than the originals, so that labels in the same colour keep a contrast of 4.5 to 1.
 */
export const COLORS_LIGHT = {
  "--paper": "#fffefb",
  "--ink": "#1d2124",
  "--muted": "#5c646b",
  "--rule": "#d9d6cf",
  "--wash": "#f5f3ee",
  "--black": "#1d2124",
  "--blue": "#0068a8",
  "--vermillion": "#b84e00",
  "--green": "#007a5a",
  "--purple": "#9c3f77",
  "--orange": "#8f6200",
} as const;

export const COLORS_DARK: Readonly<Record<keyof typeof COLORS_LIGHT, string>> = {
  "--paper": "#15181b",
  "--ink": "#e8e6e1",
  "--muted": "#a0a7ad",
  "--rule": "#3a3f44",
  "--wash": "#1e2226",
  "--black": "#f2f0eb",
  "--blue": "#62b8ee",
  "--vermillion": "#f28a4a",
  "--green": "#3ecba0",
  "--purple": "#e39ac4",
  "--orange": "#edb83f",
};

/** Sans-serif faces of much the same width everywhere, so that labels fit the room they are given. */
export const CHART_FONTS = '"Helvetica Neue",Helvetica,Arial,"Liberation Sans",sans-serif';

export const LOSS_STYLE: Readonly<Record<LossName, SeriesStyle>> = {
  "full-softmax": { color: "var(--black)", symbol: "square" },
  "sampled-softmax": { color: "var(--blue)", symbol: "circle" },
  nce: { color: "var(--vermillion)", symbol: "triangle" },
  "negative-sampling": { color: "var(--green)", symbol: "diamond" },
  "sampled-logistic": { color: "var(--purple)", symbol: "star" },
  "hierarchical-softmax": { color: "var(--orange)", symbol: "cross" },
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

/** The custom properties as CSS declarations, light ones and dark ones where the reader's system asks for them. */
export function colorCss(selector: string): string {
  const declare = (colors: Readonly<Record<string, string>>) =>
    Object.entries(colors)
      .map(([name, value]) => `${name}:${value}`)
      .join(";");
  return `${selector}{color-scheme:light dark;${declare(COLORS_LIGHT)}}
@media (prefers-color-scheme:dark){${selector}{${declare(COLORS_DARK)}}}
@media print{${selector}{color-scheme:light;${declare(COLORS_LIGHT)};--paper:#fff}}`;
}
