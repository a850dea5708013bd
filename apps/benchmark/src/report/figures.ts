import { type DotGroup, type LineChart, lineChart, type Series } from "@logq/charts";
import type { Conclusion } from "../analysis/conclusion.js";
import {
  curve,
  gapAtEqualSteps,
  gapAtEqualTime,
  knowsBest,
  type Quantity,
  recallAtEqualSteps,
  recallAtEqualTime,
  referenceCells,
  samplerCells,
  samplerComparisonSize,
} from "../analysis/select.js";
import { count, percent, roughly, shortCount, significant } from "../format.js";
import { LOSS_LABEL, LOSSES } from "../names.js";
import type { Results } from "../sweep/results.js";
import { endsEarly, growthCaption, missingNote, noProbabilities } from "./captions.js";
import { negativesFigures, workersFigures } from "./extra-figures.js";
import {
  assemble,
  describeLines,
  dotPanel,
  type Figure,
  linePanel,
  PANEL_LABELS,
  type Panel,
  percentTick,
  plain,
  two,
} from "./panels.js";
import { LOSS_STYLE, SAMPLER_STYLE } from "./series-style.js";

const CLASSES = "number of classes";

/** All figures of the report, in the order in which they are read. */
export function figures(results: Results, conclusion: Conclusion): Figure[] {
  return [
    stepTimeFigure(results, conclusion),
    rateFigure(results),
    gapFigure(results),
    recallFigure(results),
    samplerFigure(results),
    gradientFigure(results),
    ...negativesFigures(results),
    ...workersFigures(results),
  ];
}

/** The main chart by itself, for documents. */
export function stepTimeChart(results: Results, conclusion: Conclusion, narrow = false): string {
  const series = lossSeries(results, (cell) => cell.stepMilliseconds);
  const size = narrow
    ? { width: 350, height: 320, labelRoom: PANEL_LABELS }
    : { width: 720, height: 400, labelRoom: 130 };
  return lineChart({
    series,
    ...size,
    longTicks: !narrow,
    xLabel: CLASSES,
    yLabel: "milliseconds a step (median)",
    yType: "log",
    yFormat: plain,
    ...marker(conclusion, narrow),
    description: `Milliseconds of a training step against the number of classes, both in logarithms. ${describeLines(series, (v) => `${significant(v)} ms`)}`,
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
  const rate = linePanel(
    lossSeries(results, (cell) => cell.examplesPerSecond),
    {
      xLabel: CLASSES,
      heading: "Throughput",
      yLabel: "examples a second",
      yType: "log",
      yFormat: shortCount,
    },
  );
  const share = linePanel(
    lossSeries(results, (cell) => cell.gemmShare),
    {
      xLabel: CLASSES,
      heading: "Use of the machine",
      yLabel: "share of the GEMM rate",
      yType: "zero",
      yFormat: percentTick,
    },
  );
  return {
    id: "rate",
    title: "Examples a second, and how well the machine is used",
    caption:
      "Use of the machine is the rate of floating-point operations in a step's matrix products over what this machine's own matrix product reaches with as many threads. A low share of the full softmax would mean a slow baseline.",
    ...assemble([rate, share], "No step was timed."),
  };
}

function gapFigure(results: Results): Figure {
  const known = knowsBest(results);
  const options = {
    xLabel: CLASSES,
    yLabel: entropyLabel(results),
    yType: known ? "zero" : "linear",
    yFormat: plain,
  } as const;
  const what = known ? "Gap to the best reachable cross-entropy" : "Exact cross-entropy";
  return {
    id: "cross-entropy",
    title: `${what} against the number of classes`,
    caption:
      "Exact cross-entropy on held-out examples, over all classes whatever the loss trained on; lower is better. Equal time gives every loss the same seconds, equal steps the same single pass over the data." +
      noProbabilities(results) +
      endsEarly(results, gapAtEqualTime),
    ...assemble(
      [
        linePanel(lossSeries(results, gapAtEqualTime), { heading: "After equal time", ...options }),
        linePanel(lossSeries(results, gapAtEqualSteps), { heading: "After equal steps", ...options }),
      ],
      missingNote(results, gapAtEqualTime, "Cross-entropy was not measured"),
    ),
  };
}

function recallFigure(results: Results): Figure {
  const options = { xLabel: CLASSES, yLabel: "recall@10", yType: "zero", yFormat: percentTick } as const;
  return {
    id: "recall",
    title: "Recall@10 against the number of classes",
    caption:
      "The share of held-out examples whose class is among the ten with the highest scores; higher is better." +
      endsEarly(results, recallAtEqualTime),
    ...assemble(
      [
        linePanel(lossSeries(results, recallAtEqualTime), { heading: "After equal time", ...options }),
        linePanel(lossSeries(results, recallAtEqualSteps), {
          heading: "After equal steps",
          ...options,
        }),
      ],
      missingNote(results, recallAtEqualTime, "Recall was not measured"),
    ),
  };
}

function samplerFigure(results: Results): Figure {
  const classes = samplerComparisonSize(results);
  const groups = (quantity: Quantity) => (classes === null ? [] : samplerGroups(results, classes, quantity));
  return {
    id: "samplers",
    title: `Samplers beside each other${classes === null ? "" : ` at ${count(classes)} classes`}`,
    caption:
      "What a sampler costs, and what it buys: the same loss, data and number of candidates, drawn by different laws." +
      noProbabilities(results),
    ...assemble(
      [
        dotPanel(
          groups((cell) => cell.stepMilliseconds),
          "Time of a step",
          "milliseconds (median)",
          significant,
        ),
        dotPanel(groups(gapAtEqualTime), "Cross-entropy after equal time", entropyLabel(results), two),
        dotPanel(groups(recallAtEqualTime), "Recall after equal time", "recall@10", percent),
      ],
      "No candidate loss was measured.",
    ),
  };
}

function gradientFigure(results: Results): Figure {
  const classes = samplerComparisonSize(results);
  const groups = (quantity: Quantity) => (classes === null ? [] : samplerGroups(results, classes, quantity));
  return {
    id: "gradient",
    title: `Bias and spread of the sampled gradient${classes === null ? "" : ` at ${count(classes)} classes`}`,
    caption:
      "The sampled gradient against the exact one of the full softmax at the same tables, relative to the exact one's norm. Bias is what no amount of steps averages away; spread is the noise of one draw. The other losses do not estimate the full softmax's gradient.",
    ...assemble(
      [
        dotPanel(
          groups((cell) => cell.gradientBias),
          "Bias",
          "bias / exact norm",
          two,
        ),
        dotPanel(
          groups((cell) => cell.gradientSpread),
          "Spread",
          "spread / exact norm",
          two,
        ),
      ],
      missingNote(results, (cell) => cell.gradientBias, "Gradients were not compared"),
    ),
  };
}

function entropyLabel(results: Results): string {
  return knowsBest(results) ? "nats above the best reachable" : "exact cross-entropy, nats";
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

function lossSeries(results: Results, quantity: Quantity): Series[] {
  return LOSSES.filter((loss) => referenceCells(results, loss).length > 0).map((loss) => ({
    label: LOSS_LABEL[loss],
    style: LOSS_STYLE[loss],
    points: curve(results, loss, quantity).map(({ classes, value }) => ({ x: classes, y: value })),
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
