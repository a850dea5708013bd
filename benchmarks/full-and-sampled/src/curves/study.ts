import { keyFromSeed } from "@logq/core";
import type { TextDataset } from "@logq/datasets";
import type { LossName } from "@logq/losses";
import {
  bestOf,
  measuredSteps,
  NGRAM_OPTIMIZER,
  REDDIT_TITLES,
  requireFiles,
  withTemporaryFolder,
} from "@logq/micro-benchmarks";
import type { TrainOptions } from "@logq/trainers";
import type { Circumstances, TrainingRun } from "../shared/results.js";
import type { Study } from "../shared/study.js";
import { measureTraining, samplingOptions, sharedOptions } from "../shared/training.js";
import { curvesChart } from "./chart.js";
import { curveOf, levelTimes } from "./levels.js";
import { CHART_FILE, curvesPage } from "./page.js";
import { CURVES_FORMAT, type CurvesResults, type Ending } from "./results.js";
import { type CurvesSettings, parseCurves } from "./settings.js";
import { titlesDataset } from "./titles.js";

/** `npm run curves`. */
export const curves: Study<CurvesSettings, CurvesResults> = {
  name: "curves",
  format: CURVES_FORMAT,
  parse: parseCurves,
  page: curvesPage,
  pictures: (results) => [{ file: CHART_FILE, svg: curvesChart(results) }],

  measure(settings, data, head, tell) {
    const folder = requireFiles(data, [REDDIT_TITLES]);
    const sampling = samplingOptions(settings);
    return withTemporaryFolder(async (temporary) => {
      tell("reading titles");
      const dataset = await titlesDataset(folder, temporary, settings.rows);
      const sampled = await train(dataset, settings, { ...sampling, loss: "sampled-softmax" }, tell);
      const full = await train(dataset, settings, { loss: "full-softmax" }, tell);
      return resultsOf(settings, dataset, { full, sampled }, head);
    });
  },
};

const WINDOW = 4;

function train(
  dataset: TextDataset,
  settings: CurvesSettings,
  loss: TrainOptions & { readonly loss: LossName },
  tell: (text: string) => void,
): Promise<TrainingRun> {
  const { dim, epochs, growth, heldOut, learningRate } = settings;
  const options = {
    ...sharedOptions(settings, dataset.classes.size),
    ...({ encoder: "window", window: WINDOW, hidden: [dim], activation: "tanh" } as const),
    optimizer: { ...NGRAM_OPTIMIZER, learningRate },
    ...loss,
  };
  return measureTraining(
    dataset,
    options,
    {
      metrics: "cross-entropy",
      maxK: 1,
      // The same words in every measurement of both.
      request: { limit: heldOut, key: keyFromSeed("held-out words") },
      next: ({ step }, stepsPerEpoch) =>
        measuredSteps(epochs * stepsPerEpoch, stepsPerEpoch, growth).find((stop) => stop > step),
    },
    tell,
  );
}

function resultsOf(
  settings: CurvesSettings,
  dataset: TextDataset,
  { full, sampled }: { readonly full: TrainingRun; readonly sampled: TrainingRun },
  head: Circumstances,
): CurvesResults {
  const [one, other] = [curveOf(full.points), curveOf(sampled.points)];
  const test = dataset.splits.test!.tokens.length;
  return {
    ...{ study: "curves", format: CURVES_FORMAT, ...head, settings },
    classes: dataset.classes.size,
    examples: dataset.splits.train!.tokens.length,
    heldOut: Math.min(settings.heldOut, test),
    ...{ full, sampled },
    levels: levelTimes(one, other, full.stepsPerEpoch, settings.level),
    ending: endingOf(bestOf(one), bestOf(other)),
  };
}

function endingOf(full: Ending["full"], sampled: Ending["sampled"]): Ending {
  return { full, sampled, difference: sampled.value / full.value - 1 };
}
