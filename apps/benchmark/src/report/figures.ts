import type { Conclusion } from "../analysis/conclusion.js";
import {
  curve,
  gapAtEqualSteps,
  gapAtEqualTime,
  type Quantity,
  referenceCells,
  samplerCells,
  samplerComparisonSize,
} from "../analysis/select.js";
import { count, roughly, shortCount, significant } from "../format.js";
import { LOSS_LABEL, LOSSES } from "../names.js";
import type { Results } from "../sweep/results.js";
import { endsEarly, growthCaption, missingNote } from "./captions.js";
import { type DotGroup, dotChart } from "./charts/dot-chart.js";
import { type LineChart, lineChart, type Series } from "./charts/line-chart.js";
import { LOSS_STYLE, SAMPLER_STYLE } from "./charts/theme.js";

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

const CLASSES = "number of classes";
const PANEL = { width: 350, height: 250, labelRoom: 118, xLabel: CLASSES } as const;

/** All figures of the report, in the order in which they are read. */
export function figures(results: Results, conclusion: Conclusion): Figure[] {
  return [
    stepTimeFigure(results, conclusion),
    rateFigure(results),
    gapFigure(results),
    recallFigure(results),
    samplerFigure(results),
    gradientFigure(results),
  ];
}

/** The main chart by itself, for documents. */
export function stepTimeChart(results: Results, conclusion: Conclusion, narrow = false): string {
  const series = lossSeries(results, (cell) => cell.stepMilliseconds);
  const size = narrow ? { width: 350, height: 320, labelRoom: 118 } : { width: 720, height: 400, labelRoom: 130 };
  return lineChart({
    series,
    ...size,
    longTicks: !narrow,
    xLabel: CLASSES,
    yLabel: "milliseconds a step (median)",
    yType: "log",
    yFormat: plain,
    ...marker(conclusion, narrow),
    description: `Milliseconds of a training step against the number of classes, both in logarithms. ${describe(series, (v) => `${significant(v)} ms`)}`,
  });
}

function stepTimeFigure(results: Results, conclusion: Conclusion): Figure {
  const measured = lossSeries(results, (cell) => cell.stepMilliseconds).some((one) => one.points.length > 0);
  const panel = (): Panel => ({
    heading: null,
    wide: stepTimeChart(results, conclusion),
    narrow: stepTimeChart(results, conclusion, true),
  });
  return {
    id: "step-time",
    title: "Time of one training step against the number of classes",
    caption: growthCaption(results),
    panels: measured ? [panel()] : [],
    note: measured ? null : "No step was timed.",
  };
}

function rateFigure(results: Results): Figure {
  const rate = linePanel(results, (cell) => cell.examplesPerSecond, {
    heading: "Throughput",
    yLabel: "examples a second",
    yType: "log",
    yFormat: shortCount,
  });
  const share = linePanel(results, (cell) => cell.gemmShare, {
    heading: "Use of the machine",
    yLabel: "share of the GEMM rate",
    yType: "linear",
    yFormat: percentTick,
  });
  return {
    id: "rate",
    title: "Examples a second, and how well the machine is used",
    caption:
      "Use of the machine is the rate of floating-point operations in a step's matrix products over what this machine's own matrix product reaches with as many threads. A low share of the full softmax would mean a slow baseline.",
    ...assemble([rate, share], "No step was timed."),
  };
}

function gapFigure(results: Results): Figure {
  const known = results.cells.some((cell) => cell.bestCrossEntropy !== null);
  const yLabel = known ? "nats above the best reachable" : "exact cross-entropy, nats";
  const options = { yLabel, yType: "linear", yFormat: plain } as const;
  const what = known ? "Gap to the best reachable cross-entropy" : "Exact cross-entropy";
  return {
    id: "cross-entropy",
    title: `${what} against the number of classes`,
    caption:
      "Exact cross-entropy on held-out examples, over all classes whatever the loss trained on; lower is better. Equal time gives every loss the same seconds, equal steps the same single pass over the data." +
      endsEarly(results, gapAtEqualTime),
    ...assemble(
      [
        linePanel(results, gapAtEqualTime, { heading: "After equal time", ...options }),
        linePanel(results, gapAtEqualSteps, { heading: "After equal steps", ...options }),
      ],
      missingNote(results, gapAtEqualTime, "Cross-entropy was not measured"),
    ),
  };
}

function recallFigure(results: Results): Figure {
  const options = { yLabel: "recall@10", yType: "linear", yFormat: percentTick } as const;
  return {
    id: "recall",
    title: "Recall@10 against the number of classes",
    caption:
      "The share of held-out examples whose class is among the ten with the highest scores; higher is better." +
      endsEarly(results, (cell) => cell.recall?.["10"] ?? null),
    ...assemble(
      [
        linePanel(results, (cell) => cell.recall?.["10"] ?? null, { heading: "After equal time", ...options }),
        linePanel(results, (cell) => cell.recallAtEqualSteps?.["10"] ?? null, {
          heading: "After equal steps",
          ...options,
        }),
      ],
      missingNote(results, (cell) => cell.recall?.["10"] ?? null, "Recall was not measured"),
    ),
  };
}

function samplerFigure(results: Results): Figure {
  const classes = samplerComparisonSize(results);
  return {
    id: "samplers",
    title: `Samplers beside each other${classes === null ? "" : ` at ${count(classes)} classes`}`,
    caption:
      "What a sampler costs, and what it buys: the same loss, data and number of candidates, drawn by different laws.",
    ...assemble(
      [
        dotPanel(
          results,
          classes,
          (cell) => cell.stepMilliseconds,
          "Time of a step",
          "milliseconds (median)",
          significant,
        ),
        dotPanel(results, classes, gapAtEqualTime, "Accuracy after equal time", entropyLabel(results), (v) =>
          significant(v, 2),
        ),
      ],
      "No candidate loss was measured.",
    ),
  };
}

function gradientFigure(results: Results): Figure {
  const classes = samplerComparisonSize(results);
  const two = (value: number) => significant(value, 2);
  return {
    id: "gradient",
    title: `Bias and spread of the sampled gradient${classes === null ? "" : ` at ${count(classes)} classes`}`,
    caption:
      "The sampled gradient against the exact one of the full softmax at the same tables, relative to the exact one's norm. Bias is what no amount of steps averages away; spread is the noise of one draw.",
    ...assemble(
      [
        dotPanel(results, classes, (cell) => cell.gradientBias, "Bias", "bias / exact norm", two),
        dotPanel(results, classes, (cell) => cell.gradientSpread, "Spread", "spread / exact norm", two),
      ],
      missingNote(results, (cell) => cell.gradientBias, "Gradients were not compared"),
    ),
  };
}

function entropyLabel(results: Results): string {
  return results.cells.some((cell) => cell.bestCrossEntropy !== null)
    ? "nats above the best reachable"
    : "cross-entropy, nats";
}

type LineOptions = Pick<LineChart, "yLabel" | "yType" | "yFormat"> & { readonly heading: string };

function linePanel(results: Results, quantity: Quantity, options: LineOptions): Panel | null {
  const series = lossSeries(results, quantity);
  if (series.every((one) => one.points.length === 0)) return null;
  const { heading, ...axes } = options;
  const description = `${heading}: ${axes.yLabel} against the ${CLASSES}. ${describe(series, axes.yFormat)}`;
  return { heading, wide: lineChart({ series, ...PANEL, ...axes, description }), narrow: null };
}

function dotPanel(
  results: Results,
  classes: number | null,
  quantity: Quantity,
  heading: string,
  xLabel: string,
  format: (value: number) => string,
): Panel | null {
  const groups = classes === null ? [] : samplerGroups(results, classes, quantity);
  if (groups.length === 0) return null;
  const told = groups.map(
    (group) => `${group.heading}: ${group.rows.map((row) => `${row.label} ${format(row.value)}`).join(", ")}`,
  );
  const description = `${heading}, ${xLabel}. ${told.join("; ")}.`;
  return { heading, wide: dotChart({ groups, xLabel, format, width: PANEL.width, description }), narrow: null };
}

function samplerGroups(results: Results, classes: number, quantity: Quantity): DotGroup[] {
  const cells = samplerCells(results, classes);
  return LOSSES.flatMap((loss) => {
    const rows = cells.flatMap((cell) => {
      const value = cell.loss === loss ? quantity(cell) : null;
      return value === null || cell.sampler === null
        ? []
        : [{ label: cell.sampler, style: SAMPLER_STYLE[cell.sampler], value }];
    });
    return rows.length === 0 ? [] : [{ heading: LOSS_LABEL[loss], rows }];
  });
}

function assemble(panels: readonly (Panel | null)[], note: string): { panels: Panel[]; note: string | null } {
  const drawn = panels.filter((panel) => panel !== null);
  return { panels: drawn, note: drawn.length === 0 ? note : null };
}

function lossSeries(results: Results, quantity: Quantity): Series[] {
  return LOSSES.filter((loss) => referenceCells(results, loss).length > 0).map((loss) => ({
    label: LOSS_LABEL[loss],
    style: LOSS_STYLE[loss],
    points: curve(results, loss, quantity),
  }));
}

function marker(conclusion: Conclusion, narrow: boolean): Pick<LineChart, "marker"> {
  const { crossover } = conclusion;
  if (crossover.kind !== "between") return {};
  const where = roughly(crossover.classes);
  return {
    marker: { x: crossover.classes, label: narrow ? `meet at ${where}` : `full and sampled softmax meet at ${where}` },
  };
}

/** "Full softmax from 1.2 ms at 1,000 to 91 ms at 100,000." for each line. */
function describe(series: readonly Series[], format: (value: number) => string): string {
  return series
    .filter((one) => one.points.length > 0)
    .map(({ label, points }) => {
      const [first, last] = [points[0]!, points.at(-1)!];
      return `${label}: ${format(first.value)} at ${count(first.classes)}, ${format(last.value)} at ${count(last.classes)} classes.`;
    })
    .join(" ");
}

/** A number as an axis shows it: 0.5, 20, 1,000. */
function plain(value: number): string {
  return value.toLocaleString("en-US", { maximumSignificantDigits: 3 });
}

/** A share as an axis shows it: 0%, 12.5%, 80%. */
function percentTick(share: number): string {
  return `${plain(share * 100)}%`;
}
