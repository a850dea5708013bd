import * as Plot from "@observablehq/plot";
import { count, shortCount } from "./numbers.js";
import { renderSvg } from "./render.js";
import { linearDomain, logDomain, logTicks, type PixelScale, pixelScale, spread, thin } from "./scale.js";
import type { SeriesStyle } from "./theme.js";

/** A point of a line; x > 0. */
export interface LinePoint {
  readonly x: number;
  readonly y: number;
}

/** One line, ascending in x. */
export interface Series {
  readonly label: string;
  readonly style: SeriesStyle;
  readonly points: readonly LinePoint[];
}

export interface LineChart {
  readonly series: readonly Series[];
  /** With the unit: stands above the axis. */
  readonly yLabel: string;
  readonly xLabel: string;
  /** "zero" is linear and reaches down to 0; "linear" starts near the least value. */
  readonly yType: "log" | "linear" | "zero";
  readonly yFormat: (value: number) => string;
  /** "values" has a tick at every x that occurs, where there is room; "round" at powers of ten and round numbers between them. Default "values". */
  readonly xTicks?: "values" | "round";
  /** Default: counts, written out (100,000) or short (100k). */
  readonly xFormat?: (value: number) => string;
  /** Axis labels written out or short. */
  readonly longTicks?: boolean;
  readonly width: number;
  readonly height: number;
  /** Room on the right for the names of the lines. */
  readonly labelRoom: number;
  /** A vertical rule with a name, at a place on the x axis. */
  readonly marker?: { readonly x: number; readonly label: string };
  readonly description: string;
}

const LABEL_GAP = 15;
const FONT = 12;
/** A line that ends within so many pixels of the edge ends at the edge. */
const EDGE = 12;

/** Lines against something that is drawn in logarithms, each line has its name at its end instead of in a legend. */
export function lineChart(chart: LineChart): string {
  const margin = { top: 30, right: chart.labelRoom, bottom: 40, left: chart.longTicks ? 48 : 40 };
  const drawn = chart.series.filter((one) => one.points.length > 0);
  const values = drawn.flatMap((one) => one.points.map((point) => point.y));
  const places = [...new Set(drawn.flatMap((one) => one.points.map((point) => point.x)))].sort((a, b) => a - b);
  const { type, domain, ticks } = yAxis(chart.yType, values);
  const x = pixelScale("log", padded(places), [margin.left, chart.width - margin.right]);
  const y = pixelScale(type, domain, [chart.height - margin.bottom, margin.top]);
  const xTicks = thin(chart.xTicks === "round" ? logTicks(x.domain) : places, x, chart.longTicks ? 56 : 34);
  return renderSvg(
    { width: chart.width, height: chart.height, margin, description: chart.description },
    {
      x: { type: "log", domain: x.domain, range: x.range, axis: null },
      y: { type, domain: y.domain, range: y.range, axis: null },
      marks: [
        Plot.gridY(ticks, { stroke: "var(--rule)", strokeOpacity: 1 }),
        Plot.axisY(ticks, {
          text: chart.yFormat,
          tickSize: 0,
          label: null,
          fill: "var(--muted)",
          fontSize: FONT,
        }),
        Plot.ruleY([y.domain[0]], { stroke: "var(--muted)" }),
        Plot.axisX(xTicks, {
          text: xFormatOf(chart),
          tickSize: 4,
          label: null,
          stroke: "var(--muted)",
          fill: "var(--muted)",
          fontSize: FONT,
        }),
        title(chart.yLabel, { frameAnchor: "top-left", textAnchor: "start", dx: -margin.left, dy: -22 }),
        title(chart.xLabel, { frameAnchor: "bottom", dy: 34 }),
        ...markerMarks(chart, x),
        ...drawn.flatMap((one) => seriesMarks(one, chart)),
        ...endLabels(drawn, x, y, chart.width - margin.right),
      ],
    },
  );
}

function yAxis(
  wanted: LineChart["yType"],
  values: readonly number[],
): { type: "log" | "linear"; domain: [number, number]; ticks: number[] } {
  if (wanted !== "log") return { type: "linear", ...linearDomain(values, 4, wanted === "zero") };
  const domain = logDomain(values);
  return { type: "log", domain, ticks: logTicks(domain) };
}

function title(text: string, options: Plot.TextOptions): Plot.Markish {
  return Plot.text([text], { ...options, text: [text], fill: "var(--muted)", fontSize: FONT });
}

/** The name stands beside the rule, on the side with more room. */
function markerMarks({ marker }: LineChart, x: PixelScale): Plot.Markish[] {
  if (marker === undefined) return [];
  const [left, right] = x.range;
  const onTheRight = x.toPixel(marker.x) < (left + right) / 2;
  return [
    Plot.ruleX([marker.x], { stroke: "var(--muted)", strokeDasharray: "2 4" }),
    Plot.text([marker.label], {
      x: [marker.x],
      text: [marker.label],
      frameAnchor: "top",
      textAnchor: onTheRight ? "start" : "end",
      dx: onTheRight ? 7 : -7,
      dy: 6,
      fill: "var(--ink)",
      fontSize: FONT,
      fontStyle: "italic",
      stroke: "var(--paper)",
      strokeWidth: 4,
    }),
  ];
}

function seriesMarks(one: Series, chart: LineChart): Plot.Markish[] {
  const xFormat = chart.xFormat ?? count;
  const tips = ({ x, y }: LinePoint) => `${one.label}, ${chart.xLabel} ${xFormat(x)}: ${chart.yFormat(y)}`;
  return [
    Plot.line(one.points, { x: "x", y: "y", stroke: one.style.color, strokeWidth: 2 }),
    Plot.dot(one.points, {
      x: "x",
      y: "y",
      symbol: one.style.symbol,
      fill: one.style.color,
      stroke: "var(--paper)",
      strokeWidth: 1,
      r: 4.5,
      title: tips,
    }),
  ];
}

/**
 * The name of each line at the right edge, level with its last point; names that would overlap move apart. A thin leader leads back to the line, dotted where
 * the line ends before the last size.
 */
function endLabels(series: readonly Series[], x: PixelScale, y: PixelScale, edge: number): Plot.Markish[] {
  const ends = series.map((one) => one.points.at(-1)!);
  const [bottom, top] = y.range;
  const wanted = ends.map((end) => y.toPixel(end.y));
  const placed = spread(wanted, LABEL_GAP, top, bottom - 4);
  return series.flatMap((one, i) => {
    const end = x.toPixel(ends[i]!.x);
    const from = Math.max(edge - EDGE, end);
    const leader = [
      [from + 6, wanted[i]!],
      [from + 15, placed[i]!],
    ];
    const early = [
      [end, wanted[i]!],
      [from + 6, wanted[i]!],
    ];
    const at = { x: [x.toValue(from + 18)], y: [y.toValue(placed[i]!)] };
    const thread = {
      x: (point: number[]) => x.toValue(point[0]!),
      y: (point: number[]) => y.toValue(point[1]!),
      stroke: one.style.color,
      strokeWidth: 1,
    };
    return [
      ...(end < edge - EDGE ? [Plot.line(early, { ...thread, strokeDasharray: "1 4", strokeOpacity: 0.8 })] : []),
      Plot.line(leader, thread),
      Plot.text([one.label], { ...at, text: [one.label], textAnchor: "start", fill: one.style.color, fontSize: FONT }),
    ];
  });
}

function xFormatOf({ xFormat, longTicks }: LineChart): (value: number) => string {
  return xFormat ?? (longTicks ? count : shortCount);
}

/** The ends of an axis, with a little air on both sides. */
function padded(places: readonly number[]): [number, number] {
  const [low, high] = [places[0]!, places.at(-1)!];
  const air = low === high ? 2 : (high / low) ** 0.03;
  return [low / air, high * air];
}
