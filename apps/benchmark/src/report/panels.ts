import { type DotGroup, dotChart, type LineChart, lineChart, type Series } from "@logq/charts";
import { count, significant } from "../format.js";

/** One drawing of a figure; `narrow` replaces `wide` on a phone where the two differ. */
export interface Panel {
  readonly heading: string | null;
  readonly wide: string;
  readonly narrow: string | null;
}

/** A chart or a few beside each other, with what they show in words. `panels` is empty if nothing was measured: `note` says why. */
export interface Figure {
  readonly id: string;
  readonly title: string;
  readonly caption: string;
  readonly panels: readonly Panel[];
  readonly note: string | null;
}

/** A panel is half of the page's width, and all of a phone's. */
const WIDTH = 350;
/** Room for "negative sampling". */
export const PANEL_LABELS = 118;

/** What a line panel needs besides its lines. */
export type LineOptions = Pick<LineChart, "xLabel" | "yLabel" | "yType" | "yFormat"> & { readonly heading: string };

/** Lines in a panel; null if none has a point. */
export function linePanel(series: readonly Series[], options: LineOptions): Panel | null {
  if (series.every((one) => one.points.length === 0)) return null;
  const { heading, ...axes } = options;
  const description = `${heading}: ${axes.yLabel} against ${axes.xLabel}. ${describeLines(series, axes.yFormat)}`;
  const size = { width: WIDTH, height: 250, labelRoom: PANEL_LABELS };
  return { heading, wide: lineChart({ series, ...size, ...axes, description }), narrow: null };
}

/** Dots in a panel; null if there is none. */
export function dotPanel(
  groups: readonly DotGroup[],
  heading: string,
  xLabel: string,
  format: (value: number) => string,
): Panel | null {
  if (groups.length === 0) return null;
  const told = groups.map(
    (group) => `${group.heading}: ${group.rows.map((row) => `${row.label} ${format(row.value)}`).join(", ")}`,
  );
  const description = `${heading}, ${xLabel}. ${told.join("; ")}.`;
  return { heading, wide: dotChart({ groups, xLabel, format, width: WIDTH, description }), narrow: null };
}

/** The panels that could be drawn, or the note that stands for them. */
export function assemble(panels: readonly (Panel | null)[], note: string): Pick<Figure, "panels" | "note"> {
  const drawn = panels.filter((panel) => panel !== null);
  return { panels: drawn, note: drawn.length === 0 ? note : null };
}

/** "full softmax: 1.2 at 1,000, 91 at 100,000." for each line. */
export function describeLines(series: readonly Series[], format: (value: number) => string): string {
  return series
    .filter((one) => one.points.length > 0)
    .map(({ label, points }) => {
      const [first, last] = [points[0]!, points.at(-1)!];
      return `${label}: ${format(first.y)} at ${count(first.x)}, ${format(last.y)} at ${count(last.x)}.`;
    })
    .join(" ");
}

/** A number as an axis shows it: 0.5, 20, 1,000. */
export function plain(value: number): string {
  return value.toLocaleString("en-US", { maximumSignificantDigits: 3 });
}

/** A share as an axis shows it: 0%, 12.5%, 80%. */
export function percentTick(share: number): string {
  return `${plain(share * 100)}%`;
}

/** Two significant digits. */
export function two(value: number): string {
  return significant(value, 2);
}
