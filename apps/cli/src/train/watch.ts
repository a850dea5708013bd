import {
  type EvaluationProgress,
  lossNameOf,
  MANY_CLASSES,
  type Trainer,
  type TrainProgress,
  type ValidationPoint,
} from "@logq/trainers";
import { clock, count, decimal } from "../base/format.js";
import type { Sink } from "../base/io.js";
import { createProgress, type Progress, RateText } from "../base/progress.js";
import { epochEstimate } from "./estimate.js";

/** Shows how a run goes: a bar or lines, each validation, and one estimate if every class is looked at. */
export class TrainWatch {
  readonly #trainer: Trainer;
  readonly #progress: Progress;
  #validation: ValidationPoint | undefined;
  #estimated: boolean;
  #done = 0;
  #validating: RateText | undefined;
  #ended = false;

  constructor(sink: Sink, trainer: Trainer) {
    this.#trainer = trainer;
    this.#progress = createProgress(sink, "training");
    const { options, shape } = trainer;
    this.#estimated = options.sampler !== undefined || shape.tree !== undefined || shape.classes < MANY_CLASSES;
  }

  see(progress: TrainProgress): void {
    if (!this.#estimated && progress.step > 0) {
      this.#estimated = true;
      this.#progress.note(epochEstimate(this.#trainer.options, progress, this.#trainer.stepsPerEpoch));
    }
    if (progress.validation !== undefined && progress.validation !== this.#validation) {
      this.#validation = progress.validation;
      this.#progress.note(validationLine(progress.validation));
    }
    this.#done = this.#fraction(progress);
    this.#progress.update(
      this.#done,
      progressText(progress, lossNameOf(this.#trainer.options), this.#trainer.probeSplit),
    );
  }

  /** A validation may take longer than the training between two of them. */
  seeValidation({ examples, total }: EvaluationProgress): void {
    if (examples >= total) this.#validating = undefined;
    else this.#validating ??= new RateText("examples");
    if (this.#validating !== undefined) {
      this.#progress.update(this.#done, `validating: ${this.#validating.text(examples, total)}`);
    }
  }

  end(): void {
    if (!this.#ended) this.#progress.end();
    this.#ended = true;
  }

  /** By steps, or by time if that ends the run sooner. */
  #fraction({ step, totalSteps, seconds }: TrainProgress): number {
    const { maxMinutes } = this.#trainer.options;
    return Math.min(1, Math.max(step / totalSteps, maxMinutes === undefined ? 0 : seconds / (60 * maxMinutes)));
  }
}

/** Steps, rate, losses by their right names, time left. Of a sampled loss no perplexity is ever told. */
export function progressText(progress: TrainProgress, loss: string, probeSplit: string): string {
  const { step, totalSteps, epoch, examplesPerSecond, wordsPerSecondPerThread, probe, secondsLeft } = progress;
  const parts = [
    `step ${count(step)}/${count(totalSteps)}`,
    `epoch ${epoch.toFixed(2)}`,
    wordsPerSecondPerThread === undefined
      ? `${count(examplesPerSecond)} examples/s`
      : `${count(wordsPerSecondPerThread)} words/s/thread`,
    `${loss} loss ${decimal(progress.loss)}`,
  ];
  if (progress.temperature !== undefined) parts.push(`temperature ${decimal(progress.temperature)}`);
  if (probe !== undefined) parts.push(`exact cross-entropy ${decimal(probe.crossEntropy)} (${probeSplit} probe)`);
  parts.push(`${clock(secondsLeft)} left`);
  return parts.join("  ");
}

export function validationLine({ step, metrics }: ValidationPoint): string {
  const values = Object.entries(metrics).map(([name, value]) => `${name} ${decimal(value)}`);
  return `validation at step ${count(step)}: ${values.join(", ")}`;
}
