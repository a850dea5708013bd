import { ClassIdError, keyFromSeed, MissingLogQError, OptionError, requireAllFinite, requireInteger, requireLength, ShapeError } from "@logq/core";
import type { BackendChoice } from "@logq/kernels";
import { labelsNeedLogQ, needsLogQ } from "@logq/losses";
import { createSamplerState, samplerFrom } from "@logq/samplers";
import { HEAD } from "../engine/batch-layout.js";
import { EngineHost } from "../engine/host.js";
import { STAT } from "../engine/layout.js";
import type { EngineSpec } from "../engine/spec.js";
import { type RunOptions, runOptions, type TrainOptions } from "../model/options.js";
import type { ListSourceSpec } from "../sources/source.js";
import { readClassTable, readScalars, startBiases, writeRows, writeScalars } from "../table/export.js";
import { rowOfClass, tableShape } from "../table/lanes.js";

/** What an output layer is made with: the options of training that concern the layer. */
export interface OutputLayerOptions
  extends Pick<
    TrainOptions,
    | "loss" | "like" | "correction" | "accidentalHits" | "temperature" | "labelSmoothing" | "normalize" | "sampler" | "distortion" | "replacement"
    | "negatives" | "candidates" | "optimizer" | "schedule" | "classBias" | "classScale" | "lanes" | "logitBytes" | "workers" | "backend" | "seed"
  > {
  /** n */
  readonly classes: number;
  /** D */
  readonly dim: number;
  /** The most rows of a step: B. */
  readonly batch: number;
  /** The most labels of a row: T. Default 1. */
  readonly maxTargets?: number;
  /** (n) how often each class occurs: for the sampler unigram and for biases that start at the log frequency. */
  readonly counts?: ArrayLike<number>;
  /** Steps of the whole run, for schedules that end. */
  readonly totalSteps?: number;
  /** The largest k of `topK`. Default 100. */
  readonly maxK?: number;
}

/** Labels: one class a row (−1: the row is ignored), or ragged. */
export type Targets = ArrayLike<number> | { readonly offsets: ArrayLike<number>; readonly ids: ArrayLike<number> };

export interface StepOptions {
  /** (rows), >= 0; the loss is the mean weighted by these. Default 1 each. */
  readonly exampleWeights?: ArrayLike<number>;
  /** The caller's own candidates, shared by the batch, instead of a draw: at most `negatives` of them, with their log Q if the loss corrects. */
  readonly candidates?: { readonly ids: ArrayLike<number>; readonly logQ?: ArrayLike<number>; readonly targetLogQ?: ArrayLike<number> };
}

/** What a step answers. */
export interface StepResult {
  /** The batch's loss in nats, before the update. */
  readonly loss: number;
  /** dL/dH (rows, D), of the loss before the update. The layer's buffer: valid until the next call. */
  readonly hiddenGradient: Float32Array;
}

/**
 * The output layer alone, for people who have an encoder of their own: hidden vectors and labels go in, the loss and its gradient with
 * respect to the hidden vectors come out, and the class table has been updated. The class table never leaves the layer's memory.
 */
export class OutputLayer {
  readonly options: RunOptions;
  readonly classes: number;
  readonly dim: number;
  /** Steps done. */
  steps = 0;
  readonly #host: EngineHost;
  readonly #gradient: Float32Array;
  readonly #B: number;
  #busy = false;

  private constructor(options: RunOptions, host: EngineHost, B: number) {
    this.options = options;
    this.classes = host.spec.table.n;
    this.dim = host.spec.table.D;
    this.#host = host;
    this.#B = B;
    this.#gradient = new Float32Array(B * this.dim);
  }

  /** @throws OptionError, SamplerError, MemoryLimitError, BackendError */
  static async create(options: OutputLayerOptions): Promise<OutputLayer> {
    const { classes, dim, batch, maxTargets, counts, totalSteps, maxK, workers, backend, ...rest } = options;
    const defaults: TrainOptions = { sampler: rest.loss === "full-softmax" || rest.loss === "one-vs-all" ? undefined : "log-uniform" } as TrainOptions;
    const run = runOptions("synthetic", { ...defaults, classBias: "none", ...rest, dim, batch });
    const spec = layerSpec(run, requireInteger("classes", classes, 1, 2 ** 31 - 1), maxTargets ?? 1, counts, totalSteps, maxK ?? 100);
    const host = await EngineHost.create(spec, { workers: workers ?? 0, backend: (backend ?? "auto") as BackendChoice });
    await host.run({ type: "initialise", scale: run.classScale });
    if (run.classBias === "log-frequency") startBiases(host, requireCounts(counts, classes));
    return new OutputLayer(run, host, run.batch);
  }

  /**
   * One training step. @param hidden (rows, D), rows <= batch, finite; it is copied
   * @throws ShapeError, NotFiniteError, ClassIdError, MissingLogQError before anything has changed; DivergenceError if the step is not finite
   */
  async step(hidden: Float32Array, targets: Targets, options: StepOptions = {}): Promise<StepResult> {
    const { rows, given } = this.#enter(hidden, targets, options);
    try {
      await this.#host.run({ type: "step", step: this.steps, given });
    } finally {
      this.#busy = false;
    }
    return this.#answer(rows);
  }

  /** The same in the caller's thread, at once. @throws OptionError also if the layer has workers */
  stepSync(hidden: Float32Array, targets: Targets, options: StepOptions = {}): StepResult {
    const inline = this.#host.inline;
    if (inline === undefined) throw new OptionError("stepSync needs a layer with workers: 0", { workers: this.#host.crew.workers });
    const { rows, given } = this.#enter(hidden, targets, options);
    try {
      inline.runSync({ type: "step", step: this.steps, given });
    } finally {
      this.#busy = false;
    }
    return this.#answer(rows);
  }

  /** The exact cross-entropy by full softmax, in nats a label, whatever the training loss. Rows beyond the batch are done in turns. */
  async crossEntropy(hidden: Float32Array, targets: Targets): Promise<number> {
    const stats = this.#host.layout.stats >>> 3;
    const { f64 } = this.#host.memory;
    f64.fill(0, stats + STAT.evaluationLoss, stats + STAT.evaluationRows + 1);
    await this.#evaluate(hidden, targets, { loss: true, k: 0 }, () => {});
    return f64[stats + STAT.evaluationLoss]! / f64[stats + STAT.evaluationLabels]!;
  }

  /** The k best classes of every row: ids and logits, (rows, k), best first, ties to the lower id. New arrays. */
  async topK(hidden: Float32Array, k: number): Promise<{ ids: Int32Array; logits: Float32Array }> {
    requireInteger("k", k, 1, this.#host.spec.maxK);
    const rows = this.#rowsOf(hidden);
    const ids = new Int32Array(rows * k);
    const logits = new Float32Array(rows * k);
    const { memory, layout } = this.#host;
    await this.#evaluate(hidden, new Int32Array(rows).fill(-1), { loss: false, k }, (first, count) => {
      ids.set(memory.ints(layout.rankedIds, count * k), first * k);
      logits.set(memory.floats(layout.rankedValues, count * k), first * k);
    });
    return { ids, logits };
  }

  /** The class table (n, D) in id order: a copy. */
  table(): Float32Array {
    return readClassTable(this.#host);
  }

  /** The class biases (n) in id order: a copy; undefined without biases. */
  biases(): Float32Array | undefined {
    const { bias } = this.#host.layout.table;
    return bias === 0 ? undefined : readScalars(this.#host, bias);
  }

  /** Replaces the class table (n, D), and the biases (n) if given; both in id order and finite. They are copied. */
  setTable(table: Float32Array, biases?: Float32Array): void {
    requireLength("table", table.length, this.classes * this.dim, "(n, D)");
    requireAllFinite("table", table);
    const { table: layout } = this.#host.layout;
    if (biases !== undefined) {
      if (layout.bias === 0) throw new OptionError("the layer has no biases", { classBias: this.options.classBias });
      requireLength("biases", biases.length, this.classes, "(n)");
      requireAllFinite("biases", biases);
      writeScalars(this.#host, layout.bias, biases);
    }
    writeRows(this.#host, layout.address, table);
  }

  async close(): Promise<void> {
    await this.#host.close();
  }

  /** Checks everything, then copies the batch into the engine's memory; answers what the command needs. */
  #enter(hidden: Float32Array, targets: Targets, options: StepOptions): { rows: number; given: number } {
    if (this.#busy) throw new OptionError("a step is still running; await it first", { steps: this.steps });
    const rows = this.#rowsOf(hidden, this.#B);
    const { offsets, ids } = this.#ragged(targets, rows, this.#host.spec.training!.capacity.maxTargets);
    const weights = this.#weights(options.exampleWeights, rows, offsets);
    const given = this.#given(options.candidates, ids);
    requireAllFinite("hidden", hidden);
    const { memory, layout, spec } = this.#host;
    const batch = layout.batches[0]!;
    const each = this.options.loss.name !== "full-softmax" && this.options.loss.name !== "sampled-softmax";
    this.#writeHidden(hidden, 0, rows);
    memory.i32.set(offsets, batch.positiveOffsets >>> 2);
    memory.f32.set(weights, batch.rowWeight >>> 2);
    for (let row = 0; row < rows; row++) {
      for (let j = offsets[row]!; j < offsets[row + 1]!; j++) {
        memory.i32[(batch.positiveIds >>> 2) + j] = ids[j]!;
        memory.i32[(batch.positivePlace >>> 2) + j] = rowOfClass(spec.table, ids[j]!);
        memory.f32[(batch.positiveMass >>> 2) + j] = each ? 1 : 1 / (offsets[row + 1]! - offsets[row]!);
      }
    }
    const head = batch.head >>> 2;
    memory.i32[head + HEAD.rows] = rows;
    memory.i32[head + HEAD.positives] = ids.length;
    memory.i32[head + HEAD.validRows] = weights.reduce((count, weight) => count + (weight > 0 ? 1 : 0), 0);
    this.#busy = true;
    return { rows, given };
  }

  #rowsOf(hidden: Float32Array, most = Number.POSITIVE_INFINITY): number {
    const rows = hidden.length / this.dim;
    if (Number.isInteger(rows) && rows >= 1 && rows <= most) return rows;
    throw new ShapeError(`hidden must be (rows, ${this.dim}) with 1 to ${most} rows, but has ${hidden.length} elements`, {
      length: hidden.length,
      dim: this.dim,
      most,
    });
  }

  #ragged(targets: Targets, rows: number, most: number): { offsets: Int32Array; ids: Int32Array } {
    const ragged = "offsets" in targets ? targets : oneEach(targets);
    const offsets = Int32Array.from(ragged.offsets);
    const ids = Int32Array.from(ragged.ids);
    requireLength("target offsets", offsets.length, rows + 1, "(rows + 1)");
    requireLength("target ids", ids.length, offsets[rows]!, "(last offset)");
    for (let row = 0; row < rows; row++) {
      const count = offsets[row + 1]! - offsets[row]!;
      if (offsets[0] !== 0 || count < 0 || count > most) {
        throw new ShapeError(`row ${row} has ${count} labels; rows have 0 to ${most} (maxTargets)`, { row, count, most });
      }
    }
    ids.forEach((id, index) => {
      if (id < 0 || id >= this.classes) {
        throw new ClassIdError(`target ${index} is ${id}; class ids lie in [0, ${this.classes})`, { index, id, n: this.classes });
      }
    });
    return { offsets, ids };
  }

  #weights(given: ArrayLike<number> | undefined, rows: number, offsets: Int32Array): Float32Array {
    if (given !== undefined) requireLength("exampleWeights", given.length, rows, "(rows)");
    const weights = Float32Array.from({ length: rows }, (_, row) => (offsets[row + 1]! > offsets[row]! ? (given?.[row] ?? 1) : 0));
    requireAllFinite("exampleWeights", weights);
    const negative = weights.findIndex((weight) => weight < 0);
    if (negative >= 0) throw new OptionError(`exampleWeights[${negative}] is ${weights[negative]}; weights are >= 0`, { index: negative });
    const sum = weights.reduce((a, b) => a + b, 0);
    return sum > 0 ? weights.map((weight) => weight / sum) : weights;
  }

  /** Writes the caller's candidates; answers how many, 0 for none. */
  #given(candidates: StepOptions["candidates"], targets: Int32Array): number {
    if (candidates === undefined) return 0;
    const { training } = this.#host.spec;
    if (training?.candidates?.per !== "batch") throw new OptionError("this layer takes no candidates shared by the batch", { loss: training?.loss.name });
    const { ids, logQ, targetLogQ } = candidates;
    requireInteger("candidates", ids.length, 1, training.candidates.S);
    if (needsLogQ(training.loss) && logQ === undefined) {
      throw new MissingLogQError(`${training.loss.name} corrects by log Q, so candidates need it`, { loss: training.loss.name });
    }
    if (labelsNeedLogQ(training.loss) && targetLogQ === undefined) {
      throw new MissingLogQError(`${training.loss.name} corrects labels by log Q, so targetLogQ is needed`, { loss: training.loss.name });
    }
    if (logQ !== undefined) requireLength("logQ", logQ.length, ids.length, "(S)");
    if (targetLogQ !== undefined) requireLength("targetLogQ", targetLogQ.length, targets.length, "as the targets");
    const { memory, layout } = this.#host;
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!;
      if (!Number.isInteger(id) || id < 0 || id >= this.classes) {
        throw new ClassIdError(`candidate ${i} is ${id}; class ids lie in [0, ${this.classes})`, { index: i, id, n: this.classes });
      }
      memory.i32[(layout.givenIds >>> 2) + i] = id;
      memory.f64[(layout.givenLogQ >>> 3) + i] = logQ?.[i] ?? 0;
    }
    if (logQ !== undefined) requireAllFinite("logQ", logQ);
    if (targetLogQ !== undefined) {
      requireAllFinite("targetLogQ", targetLogQ);
      memory.f32.set(Float32Array.from(targetLogQ), layout.batches[0]!.positiveLogQ >>> 2);
    }
    return ids.length;
  }

  #writeHidden(hidden: Float32Array, first: number, rows: number): void {
    const { address, ld } = this.#host.layout.encoder.hidden;
    for (let row = 0; row < rows; row++) {
      const from = (first + row) * this.dim;
      this.#host.memory.f32.set(hidden.subarray(from, from + this.dim), (address >>> 2) + row * ld);
    }
  }

  #answer(rows: number): StepResult {
    const { memory, layout } = this.#host;
    const { address, ld } = layout.encoder.hiddenGradient;
    for (let row = 0; row < rows; row++) {
      const at = (address >>> 2) + row * ld;
      this.#gradient.set(memory.f32.subarray(at, at + this.dim), row * this.dim);
    }
    this.steps++;
    return { loss: memory.f64[(layout.stats >>> 3) + STAT.lastLoss]!, hiddenGradient: this.#gradient.subarray(0, rows * this.dim) };
  }

  async #evaluate(
    hidden: Float32Array,
    targets: Targets,
    goals: { loss: boolean; k: number },
    after: (first: number, count: number) => void,
  ): Promise<void> {
    if (this.#busy) throw new OptionError("a step is still running; await it first", { steps: this.steps });
    requireAllFinite("hidden", hidden);
    const rows = this.#rowsOf(hidden);
    const { offsets, ids } = this.#ragged(targets, rows, this.#host.spec.capacity.maxTargets);
    const { evaluationRows } = this.#host.spec;
    for (let first = 0; first < rows; first += evaluationRows) {
      const count = Math.min(evaluationRows, rows - first);
      this.#writeHidden(hidden, first, count);
      const start = offsets[first]!;
      const none = new Int32Array(count + 1);
      const list: ListSourceSpec = {
        kind: "list",
        inputOffsets: none,
        inputs: new Int32Array(0),
        weights: new Float32Array(0),
        targetOffsets: offsets.subarray(first, first + count + 1).map((offset) => offset - start),
        targets: ids.slice(start, offsets[first + count]),
        excludedOffsets: none,
        excluded: new Int32Array(0),
      };
      const request = { ...goals, maskExcluded: false };
      await this.#host.run({ type: "evaluate", source: "", first: 0, count, key: undefined, list, batch: 0, batches: 1, goals: request });
      after(first, count);
    }
  }
}

/** One class a row, −1: none. */
function oneEach(targets: ArrayLike<number>): { offsets: Int32Array; ids: Int32Array } {
  const all = Array.from(targets);
  const offsets = new Int32Array(all.length + 1);
  all.forEach((id, row) => {
    offsets[row + 1] = offsets[row]! + (id === -1 ? 0 : 1);
  });
  return { offsets, ids: Int32Array.from(all.filter((id) => id !== -1)) };
}

function requireCounts(counts: ArrayLike<number> | undefined, classes: number): ArrayLike<number> {
  if (counts === undefined) throw new OptionError("counts are needed: how often each class occurs", { counts });
  requireLength("counts", counts.length, classes, "(n)");
  return counts;
}

function layerSpec(
  run: RunOptions,
  classes: number,
  maxTargets: number,
  counts: ArrayLike<number> | undefined,
  totalSteps = Number.MAX_SAFE_INTEGER,
  maxK: number,
): EngineSpec {
  const capacity = { maxInputs: 0, maxTargets: requireInteger("maxTargets", maxTargets, 1), maxExcluded: 0 };
  if (run.loss.exclude === "seen") throw new OptionError("an output layer does not know what rows have seen", { exclude: "seen" });
  const inputs = run.sampler?.name === "unigram" ? { counts: requireCounts(counts, classes) } : {};
  const state = run.sampler === undefined ? undefined : createSamplerState(run.sampler, classes, inputs);
  if (state !== undefined) samplerFrom(state).requireDrawable(run.negatives);
  return {
    key: keyFromSeed(run.seed),
    table: tableShape(classes, run.dim, run.lanes),
    bias: run.classBias !== "none",
    normalize: run.loss.normalize,
    scale: 1 / run.loss.temperature,
    encoder: {
      input: "external",
      vocabulary: 0,
      reduce: "sum",
      window: 0,
      embedding: 0,
      hidden: [],
      activation: "tanh",
      dropout: 0,
      D: run.dim,
    },
    sources: {},
    training: {
      B: run.batch,
      capacity,
      loss: run.loss,
      candidates: state === undefined ? undefined : { state, S: run.negatives, per: run.candidates },
      optimizer: run.optimizer,
      schedule: run.schedule,
      totalSteps,
      logitBytes: run.logitBytes,
    },
    evaluationRows: Math.min(256, run.batch),
    capacity,
    maxK: Math.min(maxK, classes),
  };
}
