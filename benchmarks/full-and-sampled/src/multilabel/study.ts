import { type LabelsDataset, syntheticLabels } from "@logq/datasets";
import type { LossName } from "@logq/losses";
import type { PropensityLaw, TrainOptions } from "@logq/trainers";
import type { Point, TrainingRun } from "../shared/results.js";
import type { Study } from "../shared/study.js";
import { measureTraining, samplingOptions, sharedOptions } from "../shared/training.js";
import { METRICS, multilabelPage } from "./page.js";
import { MULTILABEL_FORMAT, type MultilabelResults } from "./results.js";
import { type MultilabelSettings, parseMultilabel } from "./settings.js";

/** `npm run multilabel`. */
export const multilabel: Study<MultilabelSettings, MultilabelResults> = {
  name: "multilabel",
  format: MULTILABEL_FORMAT,
  parse: parseMultilabel,
  page: multilabelPage,
  pictures: () => [],

  async measure(settings, _data, head, tell) {
    const sampling = samplingOptions(settings);
    tell("making rows");
    const dataset = datasetOf(settings);
    const full = await train(dataset, settings, { loss: "one-vs-all" }, fullStops(settings), tell);
    const sampled: TrainingRun[] = [];
    for (const loss of settings.losses) {
      const stops = sampledStops(settings, full.points.at(-1)!.seconds);
      const options = { ...sampling, epochs: settings.epochs * settings.longer, loss };
      sampled.push(await train(dataset, settings, options, stops, tell));
    }
    const { labels, featureOffsets, labelOffsets } = dataset.splits.train!;
    return {
      ...{ study: "multilabel", format: MULTILABEL_FORMAT, ...head, settings },
      trainLabels: labels.length,
      seenLabels: dataset.classes.counts.reduce((seen, count) => seen + Number(count > 0), 0),
      featuresPerRow: featureOffsets.at(-1)! / (labelOffsets.length - 1),
      ...{ full, sampled },
    };
  },
};

/** What Amazon's data are measured with. */
const PROPENSITY: PropensityLaw = { A: 0.6, B: 2.6 };

/** The largest k of the metrics. */
const MAX_K = 5;

function datasetOf(settings: MultilabelSettings): LabelsDataset {
  const { labels, features, rows, testRows, labelsPerRow, exponent, seed } = settings;
  return syntheticLabels({ labels, features, rows, testRows, labelsPerRow, exponent, seed });
}

/** The step of the next measurement, given the newest one and the steps of an epoch; undefined: that was the last. */
type Stops = (last: Point, stepsPerEpoch: number) => number | undefined;

/** After each epoch. */
export function fullStops({ epochs }: Pick<MultilabelSettings, "epochs">): Stops {
  return ({ step }, stepsPerEpoch) => (step < epochs * stepsPerEpoch ? step + stepsPerEpoch : undefined);
}

/**
 * After each of the full training's epochs; then each time that as many are done again, until the training has taken as long as the full one, or has
 * done `longer` times its epochs.
 */
export function sampledStops(
  { epochs, longer }: Pick<MultilabelSettings, "epochs" | "longer">,
  fullSeconds: number,
): Stops {
  return ({ step, seconds }, stepsPerEpoch) => {
    const equal = epochs * stepsPerEpoch;
    if (step < equal) return step + stepsPerEpoch;
    return step < longer * equal && seconds < fullSeconds ? step + equal : undefined;
  };
}

function train(
  dataset: LabelsDataset,
  settings: MultilabelSettings,
  loss: TrainOptions & { readonly loss: LossName },
  next: Stops,
  tell: (text: string) => void,
): Promise<TrainingRun> {
  const options = {
    ...sharedOptions(settings, dataset.classes.size),
    ...({ encoder: "features", reduce: "sum" } as const),
    optimizer: { name: "adagrad", learningRate: settings.learningRate } as const,
    ...loss,
  };
  return measureTraining(
    dataset,
    options,
    { next, metrics: METRICS.join(","), maxK: MAX_K, request: { propensity: PROPENSITY } },
    tell,
  );
}
