import type { BackendChoice } from "@logq/blas";
import { EmptyInputError, keyFromSeed, OptionError } from "@logq/core";
import type { AnyDataset, SplitName } from "@logq/datasets";
import type { BackendName } from "@logq/kernels";
import { samplerFrom } from "@logq/samplers";
import { EngineHost } from "../engine/host.js";
import { STAT, STEP_TIME_RING } from "../engine/layout.js";
import { startTemperature, temperatureNow } from "../engine/temperature.js";
import { type EvaluationRequest, type EvaluationResult, evaluateModel } from "../evaluate/evaluate.js";
import { parseMetrics } from "../evaluate/metrics.js";
import { trainingCounts } from "../evaluate/propensity.js";
import {
  inputVocabulary,
  type ModelShape,
  modelShape,
  requireTargetsHaveMass,
  trainingEngineSpec,
} from "../model/engine-spec.js";
import { labelFactors } from "../model/label-weights.js";
import { type RunOptions, runOptions, type TrainOptions } from "../model/options.js";
import { isStateful } from "../model/samplers.js";
import { exampleSource } from "../model/sources.js";
import { plantTree } from "../model/tree.js";
import { runWarnings } from "../model/warnings.js";
import { type Activity, readProfile, type WorkerProfile } from "../parallel/profile.js";
import { createSource } from "../sources/create.js";
import type { SourceSpec } from "../sources/source.js";
import { startBiases } from "../table/export.js";
import { parameterArrays, stateArrays } from "../table/parameters.js";
import type { FilterReport } from "./report.js";

/** The largest k of a ranking that a trainer prepares for. */
const DEFAULT_MAX_K = 100;

/** Splits that evaluations can name. */
const EVALUATED: readonly SplitName[] = ["validation", "test"];

/**
 * A model in training: tables in shared memory, workers that run steps, exact evaluation in between. Create it, run it, save it, close it.
 */
export class Trainer {
  readonly dataset: AnyDataset;
  readonly options: RunOptions;
  readonly shape: ModelShape;
  readonly host: EngineHost;
  readonly workers: number;
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
  /** What will probably disappoint about these options on these data: plain sentences with the numbers, for a user's eyes. */
  readonly warnings: readonly string[];
  /** Steps done. */
  step = 0;

  private constructor(
    dataset: AnyDataset,
    options: RunOptions,
    shape: ModelShape,
    host: EngineHost,
    stepsPerEpoch: number,
  ) {
    const { candidates, totalSteps } = host.spec.training!;
    this.dataset = dataset;
    this.options = options;
    this.shape = shape;
    this.host = host;
    this.workers = host.crew.workers;
    this.stepsPerEpoch = stepsPerEpoch;
    this.totalSteps = totalSteps;
    const law = candidates?.state === undefined ? undefined : (samplerFrom(candidates.state).law ?? undefined);
    this.warnings = runWarnings(options, { classes: shape.classes, counts: dataset.classes.counts, law });
  }

  /**
   * Checks everything, lays out the memory, starts the workers and gives every table its first values.
   * @throws OptionError, SamplerError, MemoryLimitError, BackendError, EmptyInputError
   */
  static async create(dataset: AnyDataset, trainOptions: TrainOptions = {}, maxK = DEFAULT_MAX_K): Promise<Trainer> {
    const options = runOptions(dataset.kind, trainOptions);
    const { size, counts } = dataset.classes;
    const tree = options.tree ? plantTree(options.tree, size, counts, trainOptions.treeVectors) : undefined;
    const shape = modelShape(options, counts, inputVocabulary(dataset, options), tree);
    const sources = sourcesOf(dataset, options);
    if (options.patience > 0 && sources.validation === undefined) {
      throw new OptionError("patience needs a validation part to look at, and the dataset has none", {
        patience: options.patience,
        parts: Object.keys(sources),
      });
    }
    const examples = createSource(sources.train!).examples;
    const stepsPerEpoch = Math.ceil(examples / options.batch);
    const totalSteps = Math.max(
      1,
      Math.min(options.maxSteps ?? Number.POSITIVE_INFINITY, Math.round(stepsPerEpoch * options.epochs)),
    );
    const factors = labelFactors(trainOptions, options.loss, { classes: shape.classes, counts, examples });
    const spec = trainingEngineSpec(shape, options, sources, counts, totalSteps, maxK, factors);
    if (spec.training!.candidates !== undefined)
      requireTargetsHaveMass(spec.training!.candidates, dataset.classes.counts);
    const backend: BackendChoice = trainOptions.backend ?? "auto";
    const host = await EngineHost.create(spec, {
      workers: trainOptions.workers ?? 2,
      backend,
      profiled: trainOptions.profile ?? false,
      ...(trainOptions.bankBytes === undefined ? {} : { bankBytes: trainOptions.bankBytes }),
    });
    try {
      const trainer = new Trainer(dataset, options, shape, host, stepsPerEpoch);
      await trainer.#begin();
      return trainer;
    } catch (error) {
      await host.close();
      throw error;
    }
  }

  /** Every table and what the optimizer keeps get their first values. */
  async #begin(): Promise<void> {
    await this.host.run({ type: "initialise", scale: this.options.classScale });
    if (this.options.classBias === "log-frequency") startBiases(this.host, this.dataset.classes.counts);
  }

  /**
   * Forgets all steps: what follows has the bits of a new trainer's, in threads that are warm. For those who measure time.
   * @throws OptionError if the sampler learns: what it has seen would stay
   */
  async restart(): Promise<void> {
    const { sampler } = this.options;
    if (sampler !== undefined && isStateful(sampler))
      throw new OptionError(`the sampler ${sampler.name} learns from all steps, so there is no going back`, {
        sampler: sampler.name,
        step: this.step,
      });
    const { memory, layout } = this.host;
    const stats = layout.stats >>> 3;
    memory.f64.fill(0, stats, stats + STAT.ring);
    // A sampler by hidden vectors builds its structure anew from the new rows.
    if (layout.contextual !== undefined) memory.i32[layout.contextual.built >>> 2] = 0;
    this.step = 0;
    // What has no first value of its own is 0, as memory begins.
    for (const { array } of [...parameterArrays(this.host), ...stateArrays(this.host)])
      for (const piece of array.pieces) piece.fill(0);
    startTemperature(memory, this.host.spec, layout);
    await this.#begin();
  }

  get backend(): BackendName {
    return this.host.backend.name;
  }

  /** τ as it is now; between commands. It changes only where it is learned. */
  get temperature(): number {
    return temperatureNow(this.host.memory, this.host.layout) ?? this.shape.temperature;
  }

  /** Examples of the training part, as this run's encoder sees them. */
  get examples(): number {
    return createSource(this.host.spec.sources.train!).examples;
  }

  /** Tokens of the training part that `steps` steps pass, whether they are kept or not, to within a batch; undefined: the data are no text. */
  wordsOf(steps: number): number | undefined {
    if (this.dataset.kind !== "text") return undefined;
    const { contextMode, window, batch } = this.options;
    const perWord = contextMode === "pair" ? 2 * window : 1;
    const epochs = Math.floor(steps / this.stepsPerEpoch);
    const examples = epochs * this.examples + Math.min(this.examples, (steps % this.stepsPerEpoch) * batch);
    return Math.round(examples / perWord);
  }

  /** Bytes of the tables themselves: class rows, biases and the encoder's parameters, without optimizer state and scratch. */
  get tableBytes(): number {
    return parameterArrays(this.host).reduce((sum, { array }) => sum + array.bytes, 0);
  }

  /** Bytes of everything the engine uses, in all its memories: tables, optimizer state, batches and scratch. */
  get memoryBytes(): number {
    return this.host.layout.bytes;
  }

  /** Steps from the current one on, at most `count`. Answers how many were done: fewer if a stop was asked for. */
  async runSteps(count: number): Promise<number> {
    const { memory, layout } = this.host;
    const stats = layout.stats >>> 3;
    const some = Math.min(count, this.totalSteps - this.step);
    if (some <= 0) return 0;
    const before = memory.f64[stats + STAT.steps];
    memory.f64[stats + STAT.lastStepAt] = performance.timeOrigin + performance.now();
    await this.host.run({ type: "train", first: this.step, count: some });
    const done = memory.f64[stats + STAT.steps] - before;
    this.step += done;
    return done;
  }

  /** Asks the running steps to end after the current one. */
  requestStop(): void {
    this.host.crew.requestStop();
  }

  /** What the steps so far amount to; live, also while steps run. `lossSum` is in nats, one mean a step. */
  statistics(): { steps: number; examples: number; lossSum: number; lastLoss: number; milliseconds: number } {
    const { memory, layout } = this.host;
    const stats = layout.stats >>> 3;
    const at = (word: number) => memory.f64[stats + word];
    return {
      steps: at(STAT.steps),
      examples: at(STAT.examples),
      lossSum: at(STAT.lossSum),
      lastLoss: at(STAT.lastLoss),
      milliseconds: at(STAT.milliseconds),
    };
  }

  /** What the gradient filter has left out of the steps so far, on average: a share of all blocks of a step, and of a row's probability. */
  filtered(): FilterReport | undefined {
    const { memory, layout, spec } = this.host;
    const left = layout.full.training?.left ?? 0;
    if (left === 0) return undefined;
    let share = 0;
    let mass = 0;
    for (let lane = 0; lane < spec.table.lanes; lane++) {
      share += memory.f64[(left >>> 3) + 2 * lane]!;
      mass += memory.f64[(left >>> 3) + 2 * lane + 1]!;
    }
    const { steps } = this.statistics();
    return { skippedShare: share / spec.table.lanes / steps, skippedMass: mass / steps };
  }

  /** Milliseconds of the last `count` steps (at most 4096), unordered. */
  stepTimes(count: number): Float64Array {
    const { memory, layout } = this.host;
    const times = new Float64Array(Math.min(count, this.step, STEP_TIME_RING));
    const ring = (layout.stats >>> 3) + STAT.ring;
    for (let i = 0; i < times.length; i++) times[i] = memory.f64[ring + ((this.step - 1 - i) % STEP_TIME_RING)];
    return times;
  }

  /**
   * Where the time of each worker went so far, live, in steps, in evaluations or before both: milliseconds by phase and, if `profile` was asked for, by
   * kind of kernel.
   */
  profile(activity: Activity = "training"): WorkerProfile[] {
    return this.host.crew.profiles.map((times) => readProfile(times, activity));
  }

  /** Exact evaluation on a split: "cross-entropy,perplexity,recall@20". @throws OptionError for unknown metrics or a missing split */
  async evaluate(
    split: SplitName,
    metrics: string,
    request: Partial<EvaluationRequest> = {},
  ): Promise<EvaluationResult> {
    if (this.host.spec.sources[split] === undefined) {
      throw new OptionError(`the dataset has no ${split} part`, { split, parts: Object.keys(this.host.spec.sources) });
    }
    const training = trainingCounts(this.dataset);
    return evaluateModel(this.host, { source: split, metrics: parseMetrics(metrics), training, ...request });
  }

  /** Which split the probe's examples are from: held out if there is such a part. */
  get probeSplit(): SplitName {
    const { sources } = this.host.spec;
    return sources.validation !== undefined ? "validation" : sources.test !== undefined ? "test" : "train";
  }

  /**
   * The exact cross-entropy, by full softmax or the law of an adaptive one, of a fixed random set of examples, in nats a label. It is chosen by the seed and stays the
   * same for the whole run.
   */
  async probe(examples: number): Promise<EvaluationResult> {
    const key = keyFromSeed(`probe ${this.options.seed}`);
    return evaluateModel(this.host, {
      source: this.probeSplit,
      metrics: parseMetrics("cross-entropy"),
      limit: examples,
      key,
    });
  }

  /** Stops the workers. The tables can be read until then. */
  async close(): Promise<void> {
    await this.host.close();
  }
}

function sourcesOf(dataset: AnyDataset, options: RunOptions): Record<string, SourceSpec> {
  const sources: Record<string, SourceSpec> = {};
  for (const split of ["train", ...EVALUATED] as const) {
    const source = exampleSource(dataset, split, options);
    if (source !== undefined && createSource(source).examples > 0) sources[split] = source;
  }
  if (sources.train === undefined)
    throw new EmptyInputError("the dataset has no training examples", { kind: dataset.kind });
  return sources;
}
