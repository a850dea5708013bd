import { type LinePoint, lineChart, type Series, significant, standaloneSvg } from "@logq/charts";
import type { Point } from "../shared/results.js";
import { curveOf } from "./levels.js";
import type { CurvesResults } from "./results.js";

/** Exact cross-entropy over seconds of training, in logarithms, as a file of its own. */
export function curvesChart({ full, sampled, settings }: CurvesResults): string {
  const series: Series[] = [
    { label: "full softmax", style: { color: "var(--black)", symbol: "square" }, points: line(full.points) },
    {
      label: `sampled, S = ${settings.negatives}`,
      style: { color: "var(--blue)", symbol: "circle" },
      points: line(sampled.points),
    },
  ];
  return standaloneSvg(
    lineChart({
      series,
      xLabel: "seconds of training",
      xTicks: "round",
      xFormat: (seconds) => seconds.toLocaleString("en-US"),
      longTicks: true,
      yLabel: "exact cross-entropy of held-out words, nats",
      yType: "linear",
      yFormat: (nats) => nats.toFixed(1),
      width: 720,
      height: 360,
      labelRoom: 150,
      description: `Exact cross-entropy of held-out words against seconds of training, time in logarithms. ${series.map(describe).join(" ")}`,
    }),
  );
}

/** Logarithms have no place for the start. */
const line = (points: readonly Point[]): LinePoint[] =>
  curveOf(points)
    .filter(({ seconds }) => seconds > 0)
    .map(({ seconds, value }) => ({ x: seconds, y: value }));

function describe({ label, points }: Series): string {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return `${label}: nothing.`;
  const at = ({ x, y }: LinePoint) => `${y.toFixed(2)} nats after ${significant(x)} s`;
  return `${label}: ${at(first)}, ${at(last)}.`;
}
