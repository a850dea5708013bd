import { NotFiniteError } from "@logq/core";
import type { Trainer } from "@logq/trainers";
import type { MeasureRequest, Recall } from "./types.js";

/** Exact accuracy on held-out examples. */
export interface Accuracy {
  /** nats a label */
  readonly crossEntropy: number;
  readonly recall: Recall;
}

/** What a run of training found. */
export interface TrainingRun {
  /** Warm-up included. */
  readonly steps: number;
  /** Of steps alone, evaluation not counted. */
  readonly seconds: number;
  /** Milliseconds of the steps after warm-up, at most the last 4,096, ascending. */
  readonly stepTimes: Float64Array;
  /** After one pass over the data; null if the time did not suffice for one. */
  readonly afterPass: Accuracy | null;
  /** At the end; null without one pass. */
  readonly atEnd: Accuracy | null;
}

/** At least so many steps are timed, however long they take. */
const FEWEST_TIMED = 5;
/** Steps between two looks at clock and signal last about so many seconds. */
const TURN_SECONDS = 0.2;
const MOST_WARM_UP_SECONDS = 0.5;
const FEWEST_WARM_UP_STEPS = 2;
/** The part of a cell's progress that is training; evaluation has the rest. */
const TRAINING_SHARE = 0.9;

/**
 * Trains for the seconds asked for, and evaluates `evaluated` held-out examples after one pass and at the end. Warm-up is training: it counts
 * as time and steps, but is not timed.
 * @throws DivergenceError, NotFiniteError if the model is spoilt; the signal's reason if it is aborted
 */
export async function trainCell(trainer: Trainer, evaluated: number, request: MeasureRequest): Promise<TrainingRun> {
  return new Run(trainer, evaluated, request).toEnd();
}

class Run {
  readonly #trainer: Trainer;
  readonly #evaluated: number;
  readonly #request: MeasureRequest;
  #seconds = 0;
  #stepSeconds = 0;

  constructor(trainer: Trainer, evaluated: number, request: MeasureRequest) {
    this.#trainer = trainer;
    this.#evaluated = evaluated;
    this.#request = request;
  }

  async toEnd(): Promise<TrainingRun> {
    const stop = () => this.#trainer.requestStop();
    this.#request.signal.addEventListener("abort", stop);
    try {
      return await this.#run();
    } finally {
      this.#request.signal.removeEventListener("abort", stop);
    }
  }

  async #run(): Promise<TrainingRun> {
    const trainer = this.#trainer;
    const pass = trainer.stepsPerEpoch;
    let afterPass: Accuracy | null = null;
    let warmUp: number | undefined;
    while (this.#seconds < this.#request.seconds || trainer.step < (warmUp ?? trainer.step) + FEWEST_TIMED) {
      await this.#steps(trainer.step < pass ? pass - trainer.step : Number.POSITIVE_INFINITY);
      if (warmUp === undefined && this.#isWarm) warmUp = trainer.step;
      if (trainer.step === pass) afterPass = await this.#evaluate();
    }
    const timed = trainer.step - (warmUp ?? trainer.step);
    return {
      steps: trainer.step,
      seconds: this.#seconds,
      stepTimes: trainer.stepTimes(timed).sort(),
      afterPass,
      atEnd: afterPass === null ? null : trainer.step === pass ? afterPass : await this.#evaluate(),
    };
  }

  get #isWarm(): boolean {
    const enough = Math.min(MOST_WARM_UP_SECONDS, this.#request.seconds / 10);
    return this.#trainer.step >= FEWEST_WARM_UP_STEPS && this.#seconds >= enough;
  }

  /** Some steps, at most `most`. */
  async #steps(most: number): Promise<void> {
    const { seconds, signal, onProgress } = this.#request;
    const left = Math.max(0, seconds - this.#seconds);
    const fitting = this.#stepSeconds === 0 ? 1 : Math.round(Math.min(TURN_SECONDS, left) / this.#stepSeconds);
    const begin = performance.now();
    const done = await this.#trainer.runSteps(Math.min(most, Math.max(1, fitting)));
    const elapsed = (performance.now() - begin) / 1000;
    signal.throwIfAborted();
    this.#seconds += elapsed;
    this.#stepSeconds = elapsed / done;
    onProgress("training", TRAINING_SHARE * Math.min(1, this.#seconds / seconds));
  }

  async #evaluate(): Promise<Accuracy> {
    const { signal, seconds, onProgress } = this.#request;
    const trainer = this.#trainer;
    const fraction = TRAINING_SHARE * Math.min(1, this.#seconds / seconds);
    const { metrics } = await trainer.evaluate(trainer.probeSplit, "cross-entropy,recall@1,recall@10", {
      limit: this.#evaluated,
      onProgress: () => {
        signal.throwIfAborted();
        onProgress("evaluation", fraction);
      },
    });
    const crossEntropy = metrics["cross-entropy"]!;
    if (!Number.isFinite(crossEntropy)) {
      const { step } = trainer;
      throw new NotFiniteError(`the cross-entropy after ${step} steps is ${crossEntropy}`, { step, crossEntropy });
    }
    return {
      crossEntropy,
      recall: { "1": metrics["recall@1"]!, "10": metrics["recall@10"]! },
    };
  }
}
