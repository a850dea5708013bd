import { type BackendChoice, describeBackend } from "@logq/blas";
import { requireOneOf } from "@logq/core";
import type { AnyDataset } from "@logq/datasets";
import type { LossName } from "@logq/losses";
import { quantile } from "@logq/micro-benchmarks";
import {
  type EvaluationRequest,
  isStateful,
  TRAIN_SAMPLERS,
  Trainer,
  type TrainOptions,
  type TrainSamplerName,
} from "@logq/trainers";
import type { CommonSettings, Point, TrainingRun } from "./results.js";

/** How a training is measured along its way. */
export interface MeasurePlan {
  /** The step of the next measurement, given the newest one; undefined: that was the last. */
  next(last: Point, stepsPerEpoch: number): number | undefined;
  /** "precision@1,precision@5", of the test part. */
  readonly metrics: string;
  /** The largest k among them. */
  readonly maxK: number;
  readonly request: Partial<EvaluationRequest>;
}

/** Steps before the clock is ever looked at: until the compilers of a thread's JavaScript have seen enough of them. */
const WARM_STEPS = 40;

/** Brings the threads of a training to their speed, and the training back to its start. A sampler that learns has no way back, and starts cold. */
async function warmUp(trainer: Trainer): Promise<void> {
  const { sampler } = trainer.options;
  if (sampler !== undefined && isStateful(sampler)) return;
  await trainer.runSteps(WARM_STEPS);
  await trainer.restart();
}

/** Trains from one measurement to the next. The clock runs during steps alone, in threads that are warm. */
export async function measureTraining(
  dataset: AnyDataset,
  options: TrainOptions & { readonly loss: LossName },
  { next, metrics, maxK, request }: MeasurePlan,
  tell: (text: string) => void,
): Promise<TrainingRun> {
  const trainer = await Trainer.create(dataset, options, Math.max(1, maxK));
  try {
    await warmUp(trainer);
    const { stepsPerEpoch } = trainer;
    const points: Point[] = [];
    let seconds = 0;
    for (let stop: number | undefined = 0; stop !== undefined; stop = next(points.at(-1)!, stepsPerEpoch)) {
      seconds += await timedSteps(trainer, stop - trainer.step);
      const result = await trainer.evaluate("test", metrics, request);
      points.push({ step: trainer.step, seconds, metrics: result.metrics });
      tell(`${options.loss}: ${describePoint(points.at(-1)!, trainer.totalSteps)}`);
    }
    const stepMs = quantile(trainer.stepTimes(trainer.step).sort(), 0.5);
    return { loss: options.loss, stepMs, stepsPerEpoch, backend: describeBackend(trainer.host.backend), points };
  } finally {
    await trainer.close();
  }
}

async function timedSteps(trainer: Trainer, count: number): Promise<number> {
  if (count === 0) return 0;
  const begin = performance.now();
  await trainer.runSteps(count);
  return (performance.now() - begin) / 1000;
}

function describePoint({ step, seconds, metrics }: Point, totalSteps: number): string {
  const [name, value] = Object.entries(metrics)[0]!;
  return `step ${step} of at most ${totalSteps}, ${seconds.toFixed(2)} s, ${name} ${value.toFixed(4)}`;
}

/** A step over all classes is fastest if it makes no logit twice, where products are dear. */
const MOST_LOGIT_BYTES = 2 ** 31;

function logitBytesOf(
  { logitBytes, products, batch }: CommonSettings,
  classes: number,
): Pick<TrainOptions, "logitBytes"> {
  if (logitBytes !== null) return { logitBytes };
  // Tiles are padded; a sixteenth more is enough for it.
  return products === "float32" ? { logitBytes: Math.min(MOST_LOGIT_BYTES, Math.ceil(4.25 * batch * classes)) } : {};
}

/** Options that full and sampled trainings share. @param classes n */
export function sharedOptions(settings: CommonSettings, classes: number): TrainOptions {
  const { epochs, dim, batch, schedule, products, workers, seed } = settings;
  return {
    ...{ epochs, dim, batch, products, workers, seed },
    schedule: { name: schedule },
    ...logitBytesOf(settings, classes),
    // Its refusal says which there are.
    backend: settings.backend as BackendChoice,
  };
}

/** Options that sampled ones have besides. @throws OptionError */
export function samplingOptions({ negatives, sampler, distortion }: CommonSettings): TrainOptions {
  const name: TrainSamplerName = requireOneOf("--sampler", sampler, TRAIN_SAMPLERS);
  return { negatives, sampler: name, ...(name === "unigram" ? { distortion } : {}) };
}
