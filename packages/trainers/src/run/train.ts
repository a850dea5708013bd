import { OptionError } from "@logq/core";
import type { EvaluationProgress, EvaluationResult } from "../evaluate/evaluate.js";
import { parseMetrics, requireRankable } from "../evaluate/metrics.js";
import { lossNameOf } from "../model/adaptive.js";
import { busyShare } from "../parallel/profile.js";
import type { ProbePoint, TrainEnd, TrainProgress, TrainReport, ValidationPoint } from "./report.js";
import { Snapshot } from "./snapshot.js";
import type { Trainer } from "./trainer.js";

export interface TrainHooks {
  /** Called about once a second, after each validation and at the end. */
  readonly onProgress?: (progress: TrainProgress) => void;
  /** How far a validation is; it may take longer than the training between two of them. */
  readonly onValidation?: (progress: EvaluationProgress) => void;
  /** Aborting ends the run after the current step, or in the middle of a validation, which then does not count; what was learned stays. */
  readonly signal?: AbortSignal;
  /** What validations measure; the first one decides about early stopping. Default: cross-entropy, or ndcg@10 of pairs. */
  readonly validationMetrics?: string;
  /** The share of the training time that probes may take. Default 0.02; the last probe is always made. */
  readonly probeShare?: number;
}

/** Thrown between two batches of a validation to leave it. */
const INTERRUPTED = new Error("interrupted");

/** Seconds of steps between two reports. */
const REPORT_SECONDS = 1;

/**
 * Trains to the end of the run, to its time limit, or until it stops getting better. With patience the parameters of the best validation are
 * put back at the end, however it came. The trainer can be evaluated and saved afterwards.
 * @throws OptionError before the first step; DivergenceError, WorkerError
 */
export async function train(trainer: Trainer, hooks: TrainHooks = {}): Promise<TrainReport> {
  const run = new Run(trainer, hooks);
  const stop = () => trainer.requestStop();
  hooks.signal?.addEventListener("abort", stop);
  try {
    return await run.toEnd();
  } finally {
    hooks.signal?.removeEventListener("abort", stop);
  }
}

/** Metrics of which more is better; of the others less is. */
function better(metric: string, value: number, best: number): boolean {
  return metric.includes("@") ? value > best : value < best;
}

class Run {
  readonly #trainer: Trainer;
  readonly #hooks: TrainHooks;
  readonly #probes: ProbePoint[] = [];
  readonly #validations: ValidationPoint[] = [];
  /** Stretches of steps and the sums of their losses. */
  readonly #losses: { steps: number; sum: number }[] = [];
  readonly #validationMetrics: string;
  readonly #probeExamples: number;
  readonly #examplesBefore: number;
  readonly #stepBefore: number;
  #seconds = 0;
  #probeSeconds = 0;
  #evaluationSeconds = 0;
  #lastProbeSeconds: number;
  #best: { value: number; step: number; snapshot: Snapshot | undefined } | undefined;
  #worse = 0;
  #stepSeconds = 0;

  constructor(trainer: Trainer, hooks: TrainHooks) {
    this.#trainer = trainer;
    this.#hooks = hooks;
    this.#validationMetrics =
      hooks.validationMetrics ?? (trainer.dataset.kind === "pairs" ? "ndcg@10,recall@20" : "cross-entropy");
    const metrics = parseMetrics(this.#validationMetrics);
    if (metrics.length === 0)
      throw new OptionError("validationMetrics names no metric", { metrics: this.#validationMetrics });
    requireRankable(metrics, trainer.host.spec);
    this.#stepBefore = trainer.step;
    this.#examplesBefore = trainer.statistics().examples;
    // Every class is looked at; of a tree, the nodes on one path.
    const flops = 2 * (trainer.shape.tree?.depth ?? trainer.shape.classes) * trainer.shape.dim;
    this.#probeExamples = Math.round(Math.min(2048, Math.max(256, 4e10 / flops)));
    // A guess for the first probe's price; later ones know.
    this.#lastProbeSeconds = (this.#probeExamples * flops) / 3e10;
  }

  async toEnd(): Promise<TrainReport> {
    const ended = await this.#steps();
    const trainer = this.#trainer;
    let keptStep = trainer.step;
    if (this.#best?.snapshot !== undefined) {
      this.#best.snapshot.restore();
      keptStep = this.#best.step;
    }
    const probe = await this.#probe(keptStep);
    this.#report(this.#recentLoss());
    return this.#summary(ended, keptStep, probe);
  }

  /** All steps, validations and probes; answers why they ended. */
  async #steps(): Promise<TrainEnd> {
    const trainer = this.#trainer;
    while (trainer.step < trainer.totalSteps) {
      if (this.#aborted) return "interrupted";
      const boundary = this.#nextValidation();
      const limit = this.#secondsLeft();
      if (limit <= 0) return "time";
      const { steps, asked, loss } = await this.#someSteps(boundary, limit);
      if (this.#aborted || steps < asked) return "interrupted";
      if (trainer.step === boundary && this.#validates && !(await this.#validate())) return "interrupted";
      await this.#probeIfCheap();
      this.#report(loss);
      if (trainer.options.patience > 0 && this.#worse >= trainer.options.patience) return "early-stopping";
    }
    return "finished";
  }

  /** Runs about a second of steps, not beyond the boundary, and keeps their mean loss. */
  async #someSteps(boundary: number, limit: number): Promise<{ steps: number; asked: number; loss: number }> {
    const trainer = this.#trainer;
    const seconds = Math.min(REPORT_SECONDS, limit);
    const guess = this.#stepSeconds === 0 ? 1 : Math.ceil(seconds / this.#stepSeconds);
    const asked = Math.max(1, Math.min(boundary - trainer.step, guess));
    const before = trainer.statistics();
    const begin = performance.now();
    const steps = await trainer.runSteps(asked);
    const elapsed = (performance.now() - begin) / 1000;
    this.#seconds += elapsed;
    if (steps > 0) this.#stepSeconds = elapsed / steps;
    const sum = trainer.statistics().lossSum - before.lossSum;
    this.#losses.push({ steps, sum });
    return { steps, asked, loss: steps > 0 ? sum / steps : Number.NaN };
  }

  get #aborted(): boolean {
    return this.#hooks.signal?.aborted === true;
  }

  #secondsLeft(): number {
    const { maxMinutes } = this.#trainer.options;
    return maxMinutes === undefined ? Number.POSITIVE_INFINITY : 60 * maxMinutes - this.#seconds;
  }

  get #validates(): boolean {
    return this.#trainer.host.spec.sources.validation !== undefined;
  }

  #nextValidation(): number {
    const { step, totalSteps, stepsPerEpoch, options } = this.#trainer;
    const every = options.validationEvery > 0 ? options.validationEvery : stepsPerEpoch;
    return Math.min(totalSteps, (Math.floor(step / every) + 1) * every);
  }

  /** Measures the validation part; false if it was interrupted. */
  async #validate(): Promise<boolean> {
    const trainer = this.#trainer;
    const onProgress = (progress: EvaluationProgress) => {
      if (this.#aborted) throw INTERRUPTED;
      this.#hooks.onValidation?.(progress);
    };
    let result: EvaluationResult;
    try {
      result = await trainer.evaluate("validation", this.#validationMetrics, { onProgress });
    } catch (error) {
      if (error === INTERRUPTED) return false;
      throw error;
    }
    this.#evaluationSeconds += result.seconds;
    this.#validations.push({ step: trainer.step, seconds: this.#seconds, metrics: result.metrics });
    const [metric, value] = Object.entries(result.metrics)[0]!;
    if (this.#best === undefined || better(metric, value, this.#best.value)) {
      const keep = trainer.options.patience > 0;
      this.#best = {
        value,
        step: trainer.step,
        snapshot: keep ? (this.#best?.snapshot ?? new Snapshot(trainer.host)).take() : undefined,
      };
      this.#worse = 0;
    } else {
      this.#worse++;
    }
    return true;
  }

  async #probeIfCheap(): Promise<void> {
    const share = this.#hooks.probeShare ?? 0.02;
    if (this.#probeSeconds + this.#lastProbeSeconds <= share * this.#seconds) await this.#probe(this.#trainer.step);
  }

  /** The exact cross-entropy of the present parameters, which are those of `step`: measured, unless that was done before. */
  async #probe(step: number): Promise<ProbePoint> {
    const known = this.#probes.find((probe) => probe.step === step);
    if (known !== undefined) return known;
    const { metrics, seconds } = await this.#trainer.probe(this.#probeExamples);
    this.#lastProbeSeconds = seconds;
    this.#probeSeconds += seconds;
    this.#evaluationSeconds += seconds;
    const probe = { step, seconds: this.#seconds, crossEntropy: metrics["cross-entropy"]! };
    this.#probes.push(probe);
    return probe;
  }

  get #examples(): number {
    return this.#trainer.statistics().examples - this.#examplesBefore;
  }

  /** Tokens of a text that this run has read, and how many in a second, in all and for each thread. */
  #words(): { words: number; perSecond: number; perThread: number } | undefined {
    const { step, workers } = this.#trainer;
    const after = this.#trainer.wordsOf(step);
    if (after === undefined) return undefined;
    const words = after - this.#trainer.wordsOf(this.#stepBefore)!;
    const perSecond = words / Math.max(1e-9, this.#seconds);
    return { words, perSecond, perThread: perSecond / Math.max(1, workers) };
  }

  #report(loss: number): void {
    const { step, totalSteps, stepsPerEpoch } = this.#trainer;
    const examples = this.#examples;
    this.#hooks.onProgress?.({
      step,
      totalSteps,
      epoch: step / stepsPerEpoch,
      examples,
      examplesPerSecond: examples / Math.max(1e-9, this.#seconds),
      wordsPerSecondPerThread: this.#words()?.perThread,
      loss,
      temperature: this.#trainer.options.learnTemperature ? this.#trainer.temperature : undefined,
      seconds: this.#seconds,
      secondsLeft: Math.min(this.#secondsLeft(), ((totalSteps - step) * this.#seconds) / Math.max(1, step)),
      probe: this.#probes.at(-1),
      validation: this.#validations.at(-1),
    });
  }

  /** Mean loss over the last tenth of the steps, rounded up to whole stretches. */
  #recentLoss(): number {
    const all = this.#losses.reduce((count, { steps }) => count + steps, 0);
    let sum = 0;
    let steps = 0;
    for (let i = this.#losses.length - 1; i >= 0 && steps < all / 10; i--) {
      sum += this.#losses[i]!.sum;
      steps += this.#losses[i]!.steps;
    }
    return steps > 0 ? sum / steps : Number.NaN;
  }

  #summary(ended: TrainEnd, keptStep: number, probe: ProbePoint): TrainReport {
    const trainer = this.#trainer;
    const examples = this.#examples;
    const { options, host } = trainer;
    const words = this.#words();
    return {
      loss: lossNameOf(options),
      sampler: options.sampler?.name ?? null,
      correction: options.loss.correction,
      negatives: options.negatives,
      classes: trainer.shape.classes,
      dim: options.dim,
      workers: trainer.workers,
      backend: trainer.backend,
      native: host.backend.native?.set ?? null,
      blas: host.backend.blas ?? null,
      node: process.version,
      steps: trainer.step,
      temperature: options.learnTemperature ? trainer.temperature : null,
      gradientFilter: trainer.filtered() ?? null,
      examples,
      seconds: this.#seconds,
      examplesPerSecond: examples / Math.max(1e-9, this.#seconds),
      words: words?.words ?? null,
      wordsPerSecond: words?.perSecond ?? null,
      wordsPerSecondPerThread: words?.perThread ?? null,
      evaluationSeconds: this.#evaluationSeconds,
      trainingLoss: this.#recentLoss(),
      keptStep,
      probeCrossEntropy: probe.crossEntropy,
      probeSplit: trainer.probeSplit,
      probes: this.#probes,
      validations: this.#validations,
      tableBytes: trainer.tableBytes,
      memoryBytes: trainer.memoryBytes,
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
      ended,
      busy: host.crew.profiles.map((profile) => busyShare(profile)),
    };
  }
}
