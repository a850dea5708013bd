import * as Plot from "@observablehq/plot";
import { renderSvg } from "./render.js";
import { linearDomain, pixelScale } from "./scale.js";
import type { SeriesStyle } from "./theme.js";

/** One value. */
export interface DotRow {
  readonly label: string;
  readonly style: SeriesStyle;
  readonly value: number;
}

/** Rows under a heading. */
export interface DotGroup {
  readonly heading: string;
  readonly rows: readonly DotRow[];
}

export interface DotChart {
  readonly groups: readonly DotGroup[];
  /** With the unit. */
  readonly xLabel: string;
  readonly format: (value: number) => string;
  readonly width: number;
  readonly description: string;
}

const ROW = 20;
const FONT = 12;
/** Keeps grid lines out of letters. */
const HALO = { stroke: "var(--paper)", strokeWidth: 4 };

/** Dots on a scale from zero, in groups, each with its value written beside it. */
export function dotChart(chart: DotChart): string {
  const margin = { top: 6, right: 52, bottom: 44, left: 92 };
  const { headings, rows, lines } = layOut(chart.groups);
  const height = margin.top + lines * ROW + margin.bottom;
  const { domain, ticks } = linearDomain(
    rows.map(({ row }) => row.value),
    3,
  );
  const x = pixelScale("linear", domain, [margin.left, chart.width - margin.right]);
  const y = pixelScale("linear", [0, lines], [margin.top, height - margin.bottom]);
  return renderSvg(
    { width: chart.width, height, margin, description: chart.description },
    {
      x: { type: "linear", domain: x.domain, range: x.range, axis: null },
      y: { type: "linear", domain: y.domain, range: y.range, axis: null },
      marks: [
        Plot.gridX(ticks, { stroke: "var(--rule)", strokeOpacity: 1 }),
        Plot.axisX(ticks, { tickSize: 0, label: null, text: tick, fill: "var(--muted)", fontSize: FONT }),
        Plot.ruleX([0], { stroke: "var(--muted)" }),
        Plot.text([chart.xLabel], {
          text: [chart.xLabel],
          frameAnchor: "bottom",
          dy: 36,
          fill: "var(--muted)",
          fontSize: FONT,
        }),
        Plot.text(headings, {
          ...leftOf(margin.left),
          y: "line",
          text: "text",
          fontWeight: "bold",
          fill: "var(--ink)",
          ...HALO,
        }),
        Plot.text(rows, {
          ...leftOf(margin.left - 8),
          y: "line",
          text: ({ row }: Placed) => row.label,
          fill: "var(--ink)",
        }),
        ...rows.flatMap((placed) => rowMarks(placed, chart)),
      ],
    },
  );
}

interface Placed {
  readonly row: DotRow;
  readonly line: number;
}

/** Gives headings and rows their lines, counted from the top; the middle of a line is at .5. */
function layOut(groups: readonly DotGroup[]): {
  headings: { text: string; line: number }[];
  rows: Placed[];
  lines: number;
} {
  const headings: { text: string; line: number }[] = [];
  const rows: Placed[] = [];
  let lines = 0;
  for (const group of groups) {
    headings.push({ text: group.heading, line: lines++ + 0.5 });
    for (const row of group.rows) rows.push({ row, line: lines++ + 0.5 });
  }
  return { headings, rows, lines };
}

function leftOf(distance: number): Plot.TextOptions {
  return { frameAnchor: "left", textAnchor: "start", dx: -distance, fontSize: FONT };
}

function rowMarks({ row, line }: Placed, chart: DotChart): Plot.Markish[] {
  const at = { x: [row.value], y: [line] };
  return [
    Plot.ruleY([line], { x1: 0, x2: row.value, y: [line], stroke: row.style.color, strokeWidth: 2 }),
    Plot.dot([row.value], { ...at, symbol: row.style.symbol, fill: row.style.color, stroke: "var(--paper)", r: 5 }),
    Plot.text([row.value], {
      ...at,
      text: [chart.format(row.value)],
      textAnchor: "start",
      dx: 9,
      fill: "var(--ink)",
      fontSize: FONT,
      ...HALO,
    }),
  ];
}

function tick(value: number): string {
  return value.toLocaleString("en-US", { maximumSignificantDigits: 3 });
}
