import type { Series } from "@logq/charts";
import {
  gapAtEqualTime,
  knowsBest,
  type Quantity,
  recallAtEqualTime,
  referenceNegatives,
  referenceSampler,
  referenceWorkers,
  samplerComparisonSize,
  sizes,
} from "../analysis/select.js";
import { count, shortCount } from "../format.js";
import type { CellResult } from "../measure/types.js";
import { LOSS_LABEL, LOSSES } from "../names.js";
import type { Results } from "../sweep/results.js";
import { assemble, type Figure, linePanel, percentTick, plain } from "./panels.js";
import { LOSS_STYLE } from "./series-style.js";

/** What more candidates cost and buy, at the size where samplers are compared; no figure if the sweep has one S only. */
export function negativesFigures(results: Results): Figure[] {
  const classes = samplerComparisonSize(results);
  if (classes === null || distinct(results, (cell) => cell.negatives) < 2) return [];
  const series = (quantity: Quantity) =>
    seriesOver(
      results,
      quantity,
      (cell) => (cell.workers === referenceWorkers(results.settings) ? cell.negatives : null),
      classes,
    );
  const xLabel = "candidates drawn for a batch, S";
  const entropy = knowsBest(results)
    ? linePanel(series(gapAtEqualTime), {
        heading: "Accuracy after equal time",
        xLabel,
        yLabel: "nats above the best reachable",
        yType: "zero",
        yFormat: plain,
      })
    : linePanel(series(recallAtEqualTime), {
        heading: "Accuracy after equal time",
        xLabel,
        yLabel: "recall@10",
        yType: "zero",
        yFormat: percentTick,
      });
  const time = linePanel(
    series((cell) => cell.stepMilliseconds),
    { heading: "Time of a step", xLabel, yLabel: "milliseconds (median)", yType: "zero", yFormat: plain },
  );
  return [
    {
      id: "negatives",
      title: `More candidates, at ${count(classes)} classes`,
      caption:
        "Each loss with its default sampler. More candidates make a step dearer and its gradient better; after equal time the two are weighed.",
      ...assemble([time, entropy], "No candidate loss was measured."),
    },
  ];
}

/** What more threads gain, at the largest size; no figure if the sweep has one number of workers only. */
export function workersFigures(results: Results): Figure[] {
  if (distinct(results, (cell) => cell.workers) < 2) return [];
  const classes = sizes(results).at(-1)!;
  const negatives = referenceNegatives(results.settings);
  const place = (cell: CellResult) => (cell.negatives === null || cell.negatives === negatives ? cell.workers : null);
  const rate = linePanel(
    seriesOver(results, (cell) => cell.examplesPerSecond, place, classes),
    {
      heading: "Throughput",
      xLabel: "worker threads",
      yLabel: "examples a second",
      yType: "log",
      yFormat: shortCount,
    },
  );
  const share = linePanel(
    seriesOver(results, (cell) => cell.gemmShare, place, classes),
    {
      heading: "Use of the machine",
      xLabel: "worker threads",
      yLabel: "share of the GEMM rate",
      yType: "zero",
      yFormat: percentTick,
    },
  );
  return [
    {
      id: "workers",
      title: `More workers, at ${count(classes)} classes`,
      caption:
        "The GEMM rate is measured with as many threads as there are workers, so a level share means that threads are used as well as they can be.",
      ...assemble([rate, share], "No step was timed."),
    },
  ];
}

/** The default sampler's cells of one size, each loss a line over `place`; cells whose place is null are left out. */
function seriesOver(results: Results, quantity: Quantity, place: Quantity, classes: number): Series[] {
  return LOSSES.map((loss) => {
    const sampler = referenceSampler(loss, results.settings);
    const cells = results.cells.filter(
      (cell) => cell.loss === loss && cell.sampler === sampler && cell.classes === classes,
    );
    const points = cells.flatMap((cell) => {
      const [x, y] = [place(cell), quantity(cell)];
      return x === null || y === null ? [] : [{ x, y }];
    });
    return { label: LOSS_LABEL[loss], style: LOSS_STYLE[loss], points: points.sort((a, b) => a.x - b.x) };
  });
}

function distinct(results: Results, of: Quantity): number {
  return new Set(results.cells.map(of).filter((value) => value !== null)).size;
}
