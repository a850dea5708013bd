import { EmptyInputError, OptionError, requireAllFinite, requireInteger, requireLength } from "@logq/core";
import type { BackendName, Kernels } from "@logq/kernels";
import { labelsNeedLogQ, sharesMass } from "@logq/losses";
import { type Law, requireMass } from "@logq/samplers";
import { HEAD } from "../engine/batch-layout.js";
import { STEP } from "../engine/commands.js";
import { Evaluation } from "../engine/evaluation.js";
import { EngineHost } from "../engine/host.js";
import { LabelWriter } from "../engine/label-writer.js";
import { FLAG, NEXT_STEP, STAT } from "../engine/layout.js";
import { classCount } from "../engine/spec.js";
import { temperatureNow } from "../engine/temperature.js";
import type { RunOptions } from "../model/options.js";
import { runWarnings } from "../model/warnings.js";
import type { ListSourceSpec } from "../sources/source.js";
import { readClassTable, readScalars, startBiases, writeClassTable, writeScalars } from "../table/export.js";
import {
  type Candidates,
  type GivenCandidates,
  type Labels,
  type LayerLimits,
  requireCandidates,
  requireHidden,
  requireLabels,
  rowMasses,
  sharesOf,
  type Targets,
} from "./layer-batch.js";
import { type LayerPlan, type OutputLayerOptions, planLayer } from "./layer-spec.js";

export interface StepOptions {
  /** (rows), finite and >= 0; the loss is the mean weighted by these. Default 1 each. */
  readonly exampleWeights?: ArrayLike<number>;
  /** The caller's own candidates, shared by the batch, instead of a draw: at most `negatives` of them, with their log Q if the loss corrects. */
  readonly candidates?: GivenCandidates;
}

/** What a step answers. */
export interface StepResult {
  /** The batch's loss in nats, before the update. 0 if every row is ignored. */
  readonly loss: number;
  /** dL/dH (rows, D), of the loss before the update. The layer's own memory, or a copy that it keeps: valid until the next step. */
  readonly hiddenGradient: Float32Array;
}

/**
 * The output layer alone, for people who have an encoder of their own: hidden vectors and labels go in, the loss and its gradient with
 * respect to the hidden vectors come out, and the class table has been updated. The class table never leaves the layer's memory.
 */
export class OutputLayer {
  readonly options: RunOptions;
  /** n */
  readonly classes: number;
  /** D */
  readonly dim: number;
  /** What will probably disappoint about these options: plain sentences with the numbers, for a user's eyes. */
  readonly warnings: readonly string[];
  /** Steps done. */
  steps = 0;
  readonly #host: EngineHost;
  readonly #kernels: Kernels;
  readonly #limits: LayerLimits;
  readonly #labels: LabelWriter;
  /** Set if labels need a log Q and some classes are never drawn: those can be no labels. */
  readonly #lawWithGaps: Law | undefined;
  /** (B, D): dH, where the engine's rows have gaps. */
  #gradient: Float32Array | undefined;
  #busy = false;

  private constructor(
    { options, spec, law, maxTargets }: LayerPlan,
    host: EngineHost,
    counts: ArrayLike<number> | undefined,
  ) {
    const n = classCount(spec);
    const { D } = spec.table;
    this.options = options;
    this.classes = n;
    this.dim = D;
    this.warnings = runWarnings(options, { classes: n, counts, law });
    this.#host = host;
    this.#kernels = host.kernels();
    const needed = labelsNeedLogQ(options.loss) ? law : undefined;
    this.#lawWithGaps = needed !== undefined && hasGaps(needed) ? needed : undefined;
    this.#limits = { classes: n, dim: D, batch: options.batch, maxTargets };
    this.#labels = new LabelWriter(host.memory, spec.table, spec.tree, spec.training!.labelFactors);
  }

  /** @throws OptionError, SamplerError, ShapeError, NotFiniteError, MemoryLimitError, BackendError */
  static async create(options: OutputLayerOptions): Promise<OutputLayer> {
    const plan = planLayer(options);
    const { workers, callerWorks, backend, counts, bankBytes } = options;
    const host = await EngineHost.create(plan.spec, {
      workers: workers ?? 0,
      callerWorks: callerWorks ?? true,
      backend: backend ?? "auto",
      ...(bankBytes === undefined ? {} : { bankBytes }),
    });
    try {
      await host.run({ type: "initialise", scale: plan.options.classScale });
      if (plan.options.classBias === "log-frequency") startBiases(host, counts!);
      return new OutputLayer(plan, host, counts);
    } catch (error) {
      await host.close();
      throw error;
    }
  }

  get backend(): BackendName {
    return this.#host.backend.name;
  }

  /** τ as it is now. It changes only where it is learned. */
  get temperature(): number {
    return temperatureNow(this.#host.memory, this.#host.layout) ?? this.options.loss.temperature;
  }

  /**
   * One training step. @param hidden (rows, D), rows <= batch, finite; it is copied
   * @throws ShapeError, EmptyInputError, NotFiniteError, ClassIdError, MissingLogQError, OptionError, and SamplerError for a label that is never drawn and
   * so has no log Q, before anything has changed;
   * DivergenceError if the step is not finite: the tables are then as they were, and with workers the layer takes no more steps
   */
  async step(hidden: Float32Array, targets: Targets, options: StepOptions = {}): Promise<StepResult> {
    this.#requireIdle();
    const { rows, meanwhile } = this.#write(hidden, targets, options);
    await this.#alone(() => this.#host.run(STEP, meanwhile));
    return this.#answer(hidden, rows);
  }

  /** The same at once, without a promise. @throws OptionError also if the caller's thread is not one of the workers */
  stepSync(hidden: Float32Array, targets: Targets, options: StepOptions = {}): StepResult {
    const { sync, crew } = this.#host;
    if (sync === undefined)
      throw new OptionError("stepSync needs a layer whose caller works (callerWorks)", { workers: crew.workers });
    this.#requireIdle();
    const { rows, meanwhile } = this.#write(hidden, targets, options);
    sync.runSync(STEP, meanwhile);
    return this.#answer(hidden, rows);
  }

  /**
   * The exact cross-entropy by full softmax, or by the law of the tree, in nats a label, whatever the training loss. Any number of rows.
   * @throws ShapeError, NotFiniteError, ClassIdError, OptionError; EmptyInputError if there is no label
   */
  async crossEntropy(hidden: Float32Array, targets: Targets): Promise<number> {
    this.#requireIdle();
    const rows = requireHidden(hidden, this.#limits, Number.POSITIVE_INFINITY);
    requireAllFinite("hidden", hidden);
    const labels = requireLabels(targets, rows, this.#limits);
    if (labels.ids.length === 0) throw new EmptyInputError("no row has a label: there is no mean to answer", { rows });
    const stats = this.#host.layout.stats >>> 3;
    const { f64 } = this.#host.memory;
    Evaluation.clear(this.#host.memory, this.#host.layout);
    await this.#evaluate(hidden, labels, 0, () => {});
    return f64[stats + STAT.evaluationLoss]! / f64[stats + STAT.evaluationLabels]!;
  }

  /**
   * The k best classes of every row: ids and logits (of a tree: log-probabilities), (rows, k), best first, ties to the lower id. New arrays. Any number of rows.
   * @throws ShapeError, NotFiniteError; OptionError if k is above the classes or the layer's maxK
   */
  async topK(hidden: Float32Array, k: number): Promise<{ ids: Int32Array; logits: Float32Array }> {
    this.#requireIdle();
    requireInteger("k", k, 1, this.#host.spec.maxK);
    const rows = requireHidden(hidden, this.#limits, Number.POSITIVE_INFINITY);
    requireAllFinite("hidden", hidden);
    const labels = requireLabels(new Int32Array(rows).fill(-1), rows, this.#limits);
    const ids = new Int32Array(rows * k);
    const logits = new Float32Array(rows * k);
    const { memory, layout } = this.#host;
    await this.#evaluate(hidden, labels, k, (first, count) => {
      ids.set(memory.ints(layout.rankedIds, count * k), first * k);
      logits.set(memory.floats(layout.rankedValues, count * k), first * k);
    });
    return { ids, logits };
  }

  /** The class table (n, D) in id order, or the table of a tree's nodes, (n − 1, D) (of n = 1 a row that nobody uses): a copy. */
  table(): Float32Array {
    return readClassTable(this.#host);
  }

  /** The biases of the same rows: a copy; undefined without biases. */
  biases(): Float32Array | undefined {
    const { bias } = this.#host.layout.table;
    return bias === 0 ? undefined : readScalars(this.#host, bias);
  }

  /**
   * Replaces the table that `table` answers, and the biases if given; both in id order and finite. They are copied. What the optimizer remembers
   * of the rows stays.
   * @throws ShapeError, NotFiniteError, OptionError, before anything has changed
   */
  setTable(table: Float32Array, biases?: Float32Array): void {
    this.#requireIdle();
    const { n } = this.#host.spec.table;
    requireLength("table", table.length, n * this.dim, "(n, D)");
    requireAllFinite("table", table);
    const { table: layout } = this.#host.layout;
    if (biases !== undefined) {
      if (layout.bias === 0) throw new OptionError("the layer has no biases", { classBias: this.options.classBias });
      requireLength("biases", biases.length, n, "(n)");
      requireAllFinite("biases", biases);
      writeScalars(this.#host, layout.bias, biases);
    }
    writeClassTable(this.#host, table);
    const { contextual } = this.#host.layout;
    // A sampler's structure is built anew from the new rows.
    if (contextual !== undefined) this.#host.memory.i32[contextual.built >>> 2] = 0;
  }

  async close(): Promise<void> {
    await this.#host.close();
  }

  #requireIdle(): void {
    if (this.#busy) throw new OptionError("the layer is busy: await the call under way first", { steps: this.steps });
  }

  /** Nobody writes to the layer's memory while this runs. */
  async #alone(work: () => Promise<void>): Promise<void> {
    this.#busy = true;
    try {
      await work();
    } finally {
      this.#busy = false;
    }
  }

  /**
   * Checks all but the values of the hidden vectors and copies what the first phase needs into the engine's memory, where only a step looks for it;
   * what is needed later is brought `meanwhile`. Candidates that were given are sorted in a phase before labels are looked at; without such a phase
   * labels must be there at once.
   */
  #write(hidden: Float32Array, targets: Targets, options: StepOptions): { rows: number; meanwhile: () => void } {
    const rows = requireHidden(hidden, this.#limits);
    const labels = requireLabels(targets, rows, this.#limits);
    if (options.candidates === undefined && this.#lawWithGaps !== undefined) requireMass(this.#lawWithGaps, labels.ids);
    const shares = sharesOf(options.exampleWeights, rows, labels.offsets, this.#rowMasses(labels));
    const candidates =
      options.candidates === undefined ? undefined : this.#requireCandidates(options.candidates, labels);
    const { memory, layout } = this.#host;
    const next = layout.nextStep >>> 3;
    memory.f64[next + NEXT_STEP.step] = this.steps;
    memory.f64[next + NEXT_STEP.given] = candidates?.ids.length ?? 0;
    if (candidates === undefined) this.#writeLabels(labels, rows, shares);
    else this.#writeCandidates(candidates);
    const meanwhile = () => {
      if (candidates !== undefined) this.#writeLabels(labels, rows, shares);
      this.#bringHidden(hidden, rows);
    };
    return { rows, meanwhile };
  }

  /** Class weights make a row heavier in the mean as well; other masses do not. */
  #rowMasses(labels: Labels): Float64Array | undefined {
    const { labelFactors } = this.#host.spec.training!;
    return labelFactors === undefined || this.options.classWeights === null
      ? undefined
      : rowMasses(labels, labelFactors);
  }

  #requireCandidates(candidates: GivenCandidates, labels: Labels): Candidates {
    const { loss, candidates: drawn } = this.#host.spec.training!;
    if (drawn?.per !== "batch") {
      throw new OptionError("this layer takes no candidates shared by the batch", {
        loss: loss.name,
        candidates: drawn?.per,
      });
    }
    return requireCandidates(candidates, loss, labels, this.#limits, drawn.S);
  }

  #writeHidden(hidden: Float32Array, first: number, rows: number): void {
    const { address, ld } = this.#host.layout.encoder.hidden;
    const { vector } = this.#kernels;
    const D = this.dim;
    const some = hidden.length === rows * D ? hidden : hidden.subarray(first * D, (first + rows) * D);
    if (ld === D) vector.copyIn(address, some);
    else for (let i = 0; i < rows; i++) vector.copyIn(address + 4 * i * ld, some.subarray(i * D, (i + 1) * D));
  }

  /**
   * Copies the hidden vectors into the engine's memory while the other members begin the step, which needs them late. Kernels look whether they are
   * finite faster than JavaScript, which only has to find the place, in `#answer`.
   */
  #bringHidden(hidden: Float32Array, rows: number): void {
    const { memory, layout } = this.#host;
    const { address, ld } = layout.encoder.hidden;
    this.#writeHidden(hidden, 0, rows);
    const finite = this.#kernels.rows.allFinite(address, ld, rows, this.dim);
    Atomics.store(memory.i32, (layout.flags >>> 2) + FLAG.refused, finite ? 0 : 1);
  }

  #writeLabels({ offsets, ids }: Labels, rows: number, shares: Float64Array): void {
    const { memory, layout } = this.#host;
    const { i32, f32 } = memory;
    const batch = layout.batches[this.steps & 1]!;
    const shared = sharesMass(this.options.loss.name);
    const at = batch.positiveOffsets >>> 2;
    f32.set(shares, batch.rowWeight >>> 2);
    let valid = 0;
    let count = 0;
    for (let row = 0; row < rows; row++) {
      const [from, to] = [offsets[row]!, offsets[row + 1]!];
      i32[at + row] = count;
      for (let j = from; j < to; j++) count = this.#labels.write(batch, count, ids[j]!, shared ? 1 / (to - from) : 1);
      if (shares[row]! > 0) valid++;
    }
    i32[at + rows] = count;
    const head = batch.head >>> 2;
    i32[head + HEAD.rows] = rows;
    i32[head + HEAD.positives] = count;
    i32[head + HEAD.labels] = ids.length;
    i32[head + HEAD.validRows] = valid;
  }

  #writeCandidates({ ids, logQ, targetLogQ }: Candidates): void {
    const { memory, layout } = this.#host;
    memory.i32.set(ids, layout.givenIds >>> 2);
    if (logQ === undefined) memory.f64.fill(0, layout.givenLogQ >>> 3, (layout.givenLogQ >>> 3) + ids.length);
    else memory.f64.set(logQ, layout.givenLogQ >>> 3);
    if (targetLogQ !== undefined) memory.f32.set(targetLogQ, layout.batches[this.steps & 1]!.positiveLogQ >>> 2);
  }

  /** @throws NotFiniteError if the step did not take place */
  #answer(hidden: Float32Array, rows: number): StepResult {
    const { memory, layout } = this.#host;
    if (Atomics.load(memory.i32, (layout.flags >>> 2) + FLAG.refused) !== 0) requireAllFinite("hidden", hidden);
    this.steps++;
    const loss = memory.f64[(layout.stats >>> 3) + STAT.lastLoss]!;
    return { loss, hiddenGradient: this.#readGradient(rows) };
  }

  /** Rows that lie without gaps need no copy. */
  #readGradient(rows: number): Float32Array {
    const { memory, layout } = this.#host;
    const { address, ld } = layout.encoder.hiddenGradient;
    const D = this.dim;
    if (ld === D) return memory.floats(address, rows * D);
    this.#gradient ??= new Float32Array(this.options.batch * D);
    const at = address >>> 2;
    for (let i = 0; i < rows; i++) this.#gradient.set(memory.f32.subarray(at + i * ld, at + i * ld + D), i * D);
    return this.#gradient.subarray(0, rows * D);
  }

  /** Evaluates rows in turns: their cross-entropy is added up, or, with k above 0, `after` finds them ranked. */
  #evaluate(
    hidden: Float32Array,
    { offsets, ids }: Labels,
    k: number,
    after: (first: number, count: number) => void,
  ): Promise<void> {
    const rows = offsets.length - 1;
    const { evaluationRows } = this.#host.spec;
    const goals = { loss: k === 0, k, maskExcluded: false };
    return this.#alone(async () => {
      for (let first = 0; first < rows; first += evaluationRows) {
        const count = Math.min(evaluationRows, rows - first);
        const list = labelList(offsets.subarray(first, first + count + 1), ids);
        this.#writeHidden(hidden, first, count);
        await this.#host.run({
          type: "evaluate",
          source: "",
          first: 0,
          count,
          key: undefined,
          list,
          batch: 0,
          batches: 1,
          goals,
        });
        after(first, count);
      }
    });
  }
}

/** Whether some class is never drawn. */
function hasGaps(law: Law): boolean {
  for (let id = 0; id < law.n; id++) if (law.probability(id) === 0) return true;
  return false;
}

/** Rows that have labels only. @param offsets into ids, of these rows */
function labelList(offsets: Int32Array, ids: Int32Array): ListSourceSpec {
  const start = offsets[0]!;
  const none = new Int32Array(offsets.length);
  return {
    kind: "list",
    inputOffsets: none,
    inputs: new Int32Array(0),
    weights: new Float32Array(0),
    targetOffsets: offsets.map((offset) => offset - start),
    targets: ids.slice(start, offsets.at(-1)),
    excludedOffsets: none,
    excluded: new Int32Array(0),
  };
}
