import { count, significant } from "@logq/charts";
import { machineLine, markdownTable } from "@logq/micro-benchmarks";
import { runLine } from "../shared/page.js";
import type { Point, TrainingRun } from "../shared/results.js";
import type { MultilabelResults } from "./results.js";

/** Each for the best 1, 3 and 5 labels. */
export const METRICS = ["precision@1", "precision@3", "precision@5", "psp@1", "psp@3", "psp@5"] as const;

const METRIC_TITLES = METRICS.map((name) => name.replace("precision", "P").replace("psp", "PSP"));

/** The numbers as Markdown: the data, both after the same epochs, both after the same time, every measurement. */
export function multilabelPage(results: MultilabelResults): string {
  const { machine, settings, full, sampled } = results;
  const { epochs } = settings;
  const runs = [full, ...sampled];
  return [
    `${machineLine(machine)}; ${runLine(settings, full.backend)}`,
    "",
    dataLine(results),
    "",
    `### After ${epochs === 1 ? "one epoch" : `${epochs} epochs`}`,
    "",
    ...markdownTable([
      ["", "ms a step", "s an epoch", "× full", ...METRIC_TITLES],
      ...runs.map((run) => [
        run.loss,
        significant(run.stepMs),
        significant(epochSeconds(run, epochs)),
        significant(epochSeconds(full, epochs) / epochSeconds(run, epochs)),
        ...values(atEpoch(run, epochs)),
      ]),
      ["before the first step", "", "", "", ...values(full.points[0]!)],
    ]),
    "",
    "### After the time of the full training",
    "",
    `Sampled trainings go on at the same rate for up to ${settings.longer} times the epochs; what is shown is the last measurement within the time of the full one.`,
    "",
    ...markdownTable([
      ["", "s", "epochs", ...METRIC_TITLES],
      ...runs.map((run) => measurement(run, within(run, full.points.at(-1)!.seconds))),
    ]),
    "",
    "### Every measurement",
    "",
    ...markdownTable([
      ["", "s", "epochs", ...METRIC_TITLES],
      ...runs.flatMap((run) => run.points.map((point) => measurement(run, point))),
    ]),
  ].join("\n");
}

function dataLine({ settings, trainLabels, seenLabels, featuresPerRow }: MultilabelResults): string {
  const { labels, features, rows, testRows, exponent, batch, dim } = settings;
  return (
    `${count(labels)} labels by a Zipf law of exponent ${exponent}, ${count(features)} features; ${count(rows)} rows to train on with ${significant(trainLabels / rows)} labels and ` +
    `${significant(featuresPerRow)} features each, in which ${count(seenLabels)} labels occur; ${count(testRows)} rows to measure on. B = ${count(batch)}, D = ${dim}.`
  );
}

/** The last measurement that took no longer. */
export function within({ points }: TrainingRun, seconds: number): Point {
  return points.filter((point) => point.seconds <= seconds).at(-1)!;
}

function atEpoch({ points, stepsPerEpoch }: TrainingRun, epoch: number): Point {
  return points.find(({ step }) => step === epoch * stepsPerEpoch)!;
}

const epochSeconds = (run: TrainingRun, epochs: number) => atEpoch(run, epochs).seconds / epochs;

const values = ({ metrics }: Point) => METRICS.map((name) => (100 * metrics[name]!).toFixed(2));

function measurement({ loss, stepsPerEpoch }: TrainingRun, point: Point): string[] {
  return [loss, significant(point.seconds), count(point.step / stepsPerEpoch), ...values(point)];
}
