import type { TextDataset } from "@logq/datasets";
import { quantile } from "@logq/micro-benchmarks";
import { Trainer, type TrainOptions, type TrainReport, train } from "@logq/trainers";
import type { Approximation, Training } from "../report/results.js";

/** A training to be run: the same in all runs but for the filter. */
export interface TrainingPlan {
  readonly dataset: TextDataset;
  readonly options: TrainOptions;
  readonly steps: number;
}

/**
 * Trains with one approximation for so many steps, epoch after epoch if need be, and evaluates the whole validation part.
 * @param after sees the trained model before its memory is given back
 */
export async function runTraining(
  { dataset, options, steps }: TrainingPlan,
  { epsilon, products }: Approximation,
  tell: (text: string) => void,
  after: (trainer: Trainer, report: TrainReport) => Promise<void> = async () => {},
): Promise<Training> {
  const lengths = { maxSteps: steps, epochs: steps, validationEvery: steps };
  const trainer = await Trainer.create(dataset, { ...options, ...lengths, gradientFilter: epsilon, products });
  try {
    const progress = new Tenths(steps, tell);
    const report = await train(trainer, { probeShare: 0, onProgress: ({ step, loss }) => progress.at(step, loss) });
    await after(trainer, report);
    return {
      ...{ epsilon, products },
      skippedShare: report.gradientFilter?.skippedShare ?? 0,
      skippedMass: report.gradientFilter?.skippedMass ?? 0,
      stepMs: quantile(trainer.stepTimes(steps).sort(), 0.5),
      crossEntropy: report.validations.at(-1)!.metrics["cross-entropy"]!,
    };
  } finally {
    await trainer.close();
  }
}

/** Tells of each tenth of a training, once. */
class Tenths {
  readonly #steps: number;
  readonly #tell: (text: string) => void;
  #told = 0;

  constructor(steps: number, tell: (text: string) => void) {
    this.#steps = steps;
    this.#tell = tell;
  }

  at(step: number, loss: number): void {
    const tenth = Math.floor((10 * step) / this.#steps);
    if (tenth <= this.#told) return;
    this.#told = tenth;
    this.#tell(`step ${step} of ${this.#steps}, loss ${loss.toFixed(3)}`);
  }
}
