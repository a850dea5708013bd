import { DivergenceError } from "@logq/core";
import { Encoder } from "@logq/encoders";
import type { Address, Kernels } from "@logq/kernels";
import { sharesMass } from "@logq/losses";
import type { Program } from "../parallel/crew.js";
import type { Activity } from "../parallel/profile.js";
import type { Team } from "../parallel/team.js";
import { createSource } from "../sources/create.js";
import { EpochOrder, SequentialOrder } from "../sources/order.js";
import type { Source } from "../sources/source.js";
import { accountStep } from "./account.js";
import { AdaptiveEvaluation } from "./adaptive/adaptive-evaluation.js";
import { AdaptiveStep } from "./adaptive/adaptive-step.js";
import { BatchBuilder, type MassRule } from "./batch-builder.js";
import { type BatchLayout, HEAD } from "./batch-layout.js";
import { CandidateStep } from "./candidate-step.js";
import type { EngineCommand, EvaluateCommand, StepCommand, TrainCommand } from "./commands.js";
import { ContextualDraws } from "./contextual-candidates.js";
import { type EngineInput, openKernels } from "./engine-input.js";
import { Evaluation } from "./evaluation.js";
import { scratchAt, type TileShape, tileShape } from "./full-space.js";
import { FullStep } from "./full-step.js";
import { FullWalk } from "./full-walk.js";
import { initialiseAll } from "./initialise.js";
import { type ClipSpace, type EngineLayout, FLAG, SPARSE_BLOCK } from "./layout.js";
import { PathEvaluation } from "./path-evaluation.js";
import { trainingKernels } from "./products.js";
import { blocksOf, type EngineSpec, UPDATE_BLOCK } from "./spec.js";
import { openTables } from "./tables.js";
import { Temperature } from "./temperature.js";
import { TiedInputs } from "./tied-inputs.js";
import { Updates } from "./updates.js";

const NONE = new Int32Array(0);
const NO_SOURCE = createSource({ kind: "pair", inputs: NONE, targets: NONE });
const NO_ORDER = new SequentialOrder(0, 0, 0, 1);

const ACTIVITY_OF: Readonly<Record<EngineCommand["type"], Activity>> = {
  initialise: "start",
  train: "training",
  step: "training",
  evaluate: "evaluation",
};

/** What is made ready of the batch of `step`, in units of the table phase before it. */
interface Ahead {
  readonly units: number;
  run(unit: number, step: number): void;
}

/**
 * The program that every member of a crew runs. Between two barriers a member claims units; what a unit computes depends on the spec and
 * the step alone, so a run has the same bits for any number of members.
 */
export class Engine implements Program<EngineCommand> {
  readonly kernels: Kernels;
  readonly spec: EngineSpec;
  readonly layout: EngineLayout;
  readonly #team: Team;
  /** Over every bank, in order. */
  readonly #banks: readonly Kernels[];
  readonly #encoder: Encoder;
  readonly #evaluation: Evaluation | AdaptiveEvaluation;
  readonly #adaptive: AdaptiveStep | undefined;
  readonly #updates: Updates | undefined;
  readonly #candidate: CandidateStep | undefined;
  readonly #draws: ContextualDraws | undefined;
  readonly #full: FullStep | undefined;
  readonly #temperature: Temperature;
  readonly #tied: TiedInputs | undefined;
  readonly #scratch: number;
  readonly #sources = new Map<string, Source>();
  /** Of steps whose batch the caller writes. */
  #givenBuilder: BatchBuilder | undefined;

  constructor(input: EngineInput, team: Team) {
    const { spec, layout } = input;
    const { kernels, banks } = openKernels(input, team.profile);
    this.kernels = kernels;
    this.spec = spec;
    this.layout = layout;
    this.#team = team;
    this.#scratch = layout.scratch + team.index * layout.scratchBytes;
    const tables = openTables(kernels, banks, spec, layout, team.index);
    this.#banks = banks;
    this.#encoder = new Encoder(spec.encoder, layout.encoder, kernels, tables.embeddingApart);
    const { classes } = tables;
    const temperature = new Temperature(kernels, spec, layout);
    this.#temperature = temperature;
    const walk = (of: Kernels, shape: TileShape) =>
      new FullWalk(of, spec, layout, this.#encoder, classes, this.#scratch, shape, temperature);
    const own = layout.adaptive?.scratch;
    // Behind what other units write to.
    const clusters = own && scratchAt(own, this.#scratch + layout.scratchBytes - own.end);
    const evaluated = walk(kernels, tileShape(spec.evaluationRows));
    if (clusters !== undefined)
      this.#evaluation = new AdaptiveEvaluation(kernels, spec, layout, this.#encoder, clusters);
    else if (spec.tree !== undefined)
      this.#evaluation = new PathEvaluation(kernels, spec, layout, evaluated, classes, spec.tree);
    else this.#evaluation = new Evaluation(kernels, spec, layout, evaluated);
    if (spec.training === undefined) return;
    this.#updates = new Updates(kernels, spec, layout, this.#encoder, tables);
    this.#tied = layout.tied === undefined ? undefined : new TiedInputs(kernels.memory, layout.tied);
    const training = trainingKernels(kernels, spec);
    if (clusters !== undefined) {
      this.#adaptive = new AdaptiveStep(training, spec, layout, this.#encoder, this.#updates, clusters);
    } else if (spec.training.candidates === undefined) {
      const full = walk(training, layout.full.training!.tile);
      this.#full = new FullStep(training, spec, layout, this.#encoder, full, this.#updates, classes);
    } else {
      this.#candidate = new CandidateStep(training, spec, layout, this.#encoder, classes, this.#scratch, temperature);
      if (spec.training.candidates.contextual !== undefined)
        this.#draws = new ContextualDraws(kernels, spec, layout, classes, team.index);
    }
  }

  execute(command: EngineCommand, stopRequested: () => boolean): void {
    this.#team.profile.enter(ACTIVITY_OF[command.type]);
    switch (command.type) {
      case "initialise":
        initialiseAll(this.#team, [this.kernels, ...this.#banks], this.spec, this.layout, command.scale);
        return;
      case "train":
        this.#train(command, stopRequested);
        return;
      case "step":
        this.#givenStep(command, stopRequested);
        return;
      case "evaluate":
        this.#evaluate(command);
    }
  }

  #source(name: string): Source {
    let source = this.#sources.get(name);
    if (source === undefined) {
      source = createSource(this.spec.sources[name]!);
      this.#sources.set(name, source);
    }
    return source;
  }

  #flag(word: number): number {
    return Atomics.load(this.kernels.memory.i32, (this.layout.flags >>> 2) + word);
  }

  #train({ first, count }: TrainCommand, stopRequested: () => boolean): void {
    const { spec } = this;
    const source = this.#source("train");
    const { B } = spec.training!;
    const scratch = { kernels: this.kernels, address: this.#scratch };
    const epochs = () => ({ source, order: new EpochOrder(source.examples, B, spec.key, scratch) });
    const rows = source.training?.(B, spec.key) ?? epochs();
    const mass: MassRule = sharesMass(spec.training!.loss.name) ? "shared" : "each";
    const { labelFactors } = spec.training!;
    const builder = new BatchBuilder(
      this.kernels,
      spec,
      rows.source,
      rows.order,
      this.layout.builder,
      mass,
      labelFactors,
    );
    const ahead: Ahead = { units: 2, run: (unit, step) => this.#build(unit, step, builder) };
    // A sampler that learns has seen the targets of all steps that were done when a command ends, and of no other.
    const learns = spec.training!.candidates?.stateful !== undefined;
    const last: Ahead | undefined = learns
      ? { units: 1, run: (_, step) => builder.observe(step - 1, this.layout.batches[(step - 1) & 1]) }
      : undefined;
    this.#team.phase("build", ahead.units, (unit) => ahead.run(unit, first));
    this.#builder = builder;
    this.#buildStructure();
    for (let step = first; step < first + count; step++) {
      this.#trainStep(step, step & 1, step + 1 < first + count ? ahead : last, stopRequested);
      if (this.#flag(FLAG.stop) !== 0) return;
    }
  }

  #givenStep({ step, given }: StepCommand, stopRequested: () => boolean): void {
    const { layout } = this;
    const parity = step & 1;
    const batch = layout.batches[parity];
    this.#givenBuilder ??= new BatchBuilder(this.kernels, this.spec, NO_SOURCE, NO_ORDER, layout.builder, "each");
    const builder = this.#givenBuilder;
    const draw = given === 0 ? undefined : { ids: layout.givenIds, logQ: layout.givenLogQ, S: given };
    const labels = () => this.#team.profile.within("build", () => builder.buildLabels(step, batch, given > 0));
    // Shared candidates come first, and may have been drawn in the last step already: labels join them while they are gathered.
    const shared = this.spec.training!.candidates?.per === "batch";
    if (draw !== undefined || !builder.hasDrawn(step, batch)) {
      this.#team.phase("build", 1, () => {
        if (step > 0) builder.observe(step - 1, layout.batches[(step - 1) & 1]);
        builder.buildCandidates(step, batch, draw);
        if (!shared) builder.buildLabels(step, batch, false);
      });
      if (this.#flag(FLAG.refused) !== 0) return;
    }
    const ahead = draw === undefined && builder.drawsAhead ? this.#drawAhead : undefined;
    this.#builder = builder;
    this.#buildStructure();
    this.#trainStep(step, parity, ahead, stopRequested, shared ? labels : undefined);
  }

  /** A caller who lets the layer draw will do so again. */
  readonly #drawAhead: Ahead = {
    units: 1,
    run: (_, step) => {
      const batch = this.layout.batches[step & 1];
      this.#team.profile.within("build", () => this.#givenBuilder!.drawAhead(step, batch));
    },
  };

  /** The two units that build the batch of `step`. */
  #build(unit: number, step: number, builder: BatchBuilder): void {
    const batch = this.layout.batches[step & 1];
    this.#team.profile.within("build", () => {
      if (unit === 0 && step > 0) builder.observe(step - 1, this.layout.batches[(step - 1) & 1]);
      if (unit === 0) builder.buildTargets(step, batch);
      else builder.buildInputs(step, batch);
    });
  }

  /**
   * @param ahead what is made ready of the next batch in this step's table phase
   * @param labels brings the labels into the batch, which holds its candidates alone; undefined: they are there
   */
  #trainStep(
    step: number,
    parity: number,
    ahead: Ahead | undefined,
    stopRequested: () => boolean,
    labels?: () => void,
  ): void {
    const batch = this.layout.batches[parity];
    const rows = this.#batchRows(parity);
    if (rows === 0) {
      // Nothing is left of this stretch of text: no table is touched.
      this.#team.phase("table", this.#housekeepingUnits(ahead), (unit) =>
        this.#housekeeping(unit, step, parity, ahead, () => 0, stopRequested),
      );
      return;
    }
    this.#encoder.setBatchRows(rows);
    this.#encoder.setInput(batch.input);
    this.#encoder.setSegments(this.#tied?.segments ?? batch.segments);
    this.#updates!.setStep(step);
    this.#temperature.refresh();
    if (this.#candidate !== undefined) this.#candidateStep(this.#candidate, step, parity, ahead, stopRequested, labels);
    else if (this.#adaptive !== undefined) this.#adaptiveStep(this.#adaptive, step, parity, ahead, stopRequested);
    else this.#fullStep(this.#full!, step, parity, ahead, stopRequested);
  }

  #candidateStep(
    candidate: CandidateStep,
    step: number,
    parity: number,
    ahead: Ahead | undefined,
    stopRequested: () => boolean,
    labels: (() => void) | undefined,
  ): void {
    const team = this.#team;
    const batch = this.layout.batches[parity];
    if (this.#draws !== undefined) this.#drawByHidden(candidate, this.#draws, step, batch);
    this.#gather(candidate, batch, parity, labels);
    if (labels !== undefined && this.#flag(FLAG.refused) !== 0) return;
    team.phase("rows", candidate.rowUnits(batch), (unit) => candidate.row(unit, step, batch, parity));
    this.#requireFinite(step);
    const clip = this.layout.clip;
    if (clip !== undefined) this.#clippedCandidateUpdate(candidate, clip, parity);
    const classes = candidate.classUnits(batch);
    const before = this.#housekeepingUnits(ahead);
    const encoder = this.#encoderUnits(parity);
    team.phase("table", before + classes + encoder, (unit) => {
      if (unit < before) this.#housekeeping(unit, step, parity, ahead, () => candidate.batchLoss(batch), stopRequested);
      else if (unit < before + classes) this.#classUpdate(candidate, unit - before, parity);
      else this.#encoderUpdate(unit - before - classes, parity);
    });
    this.#temperatureUpdate(parity, classes);
  }

  /** A learned temperature, once every part of its gradient is in: one unit. @param parts of the biases */
  #temperatureUpdate(parity: number, parts: number): void {
    if (!this.#temperature.learns) return;
    const rows = this.#batchRows(parity);
    this.#team.phase("update", 1, () => {
      this.#temperature.writeGradient(rows, parts);
      this.#updates!.temperature();
    });
  }

  #batchRows(parity: number): number {
    return this.kernels.memory.i32[(this.layout.batches[parity].head >>> 2) + HEAD.rows];
  }

  /** Of the step under way. */
  #builder: BatchBuilder | undefined;

  /** A sampler that looks at hidden vectors needs its structure before the first step: one unit, which finds it built from the second command on. */
  #buildStructure(): void {
    const draws = this.#draws;
    if (draws !== undefined) this.#team.phase("draw", 1, () => draws.build());
  }

  /**
   * Candidates by hidden vectors: a share of the structure is brought up to date with the class table, which nobody writes now; then rows draw; then their
   * panel is made.
   */
  #drawByHidden(candidate: CandidateStep, draws: ContextualDraws, step: number, batch: BatchLayout): void {
    const team = this.#team;
    const prepared = this.#encoder.prepareUnits;
    const { ids, logQ } = this.layout.contextual!;
    team.phase("gather", prepared + draws.refreshUnits(step), (unit) => {
      if (unit < prepared) this.#encoder.prepare(unit);
      else draws.refresh(unit - prepared, step);
    });
    team.phase("draw", 1, () => draws.settle(step));
    team.phase("draw", candidate.rowUnits(batch), (unit) => candidate.draw(unit, step, batch, draws));
    team.phase("build", 1, () => this.#builder!.buildDrawn(step, batch, ids, logQ));
  }

  /**
   * Rows of the panel; with `labels`, their rows are known in the first unit only, which gathers them. Of tied tables one unit finds which of them are inputs
   * as well: both are known now, and the table phase asks.
   */
  #gather(candidate: CandidateStep, batch: BatchLayout, parity: number, labels: (() => void) | undefined): void {
    const prepared = this.#draws === undefined ? this.#encoder.prepareUnits : 0;
    const known = candidate.candidateUnits(batch);
    const tied = this.#tied;
    const joins = tied === undefined ? 0 : 1;
    const first = joins + (labels === undefined ? 0 : 1);
    const units = labels === undefined ? candidate.gatherUnits(batch) : known;
    this.#team.phase("gather", first + prepared + units, (unit) => {
      if (unit < joins) tied!.join(batch);
      else if (unit < first) {
        labels!();
        for (let rest = known; rest < candidate.gatherUnits(batch); rest++) candidate.gather(rest, batch, parity);
      } else if (unit < first + prepared) this.#encoder.prepare(unit - first);
      else candidate.gather(unit - first - prepared, batch, parity);
    });
  }

  #classUpdate(candidate: CandidateStep, unit: number, parity: number): void {
    const batch = this.layout.batches[parity];
    const { rows, bias } = this.#classGradientPlace(candidate, unit);
    if (this.layout.clip === undefined) candidate.classGradient(unit, batch, rows, bias);
    const count = candidate.classCount(unit, batch);
    const indices = batch.panelRows + 4 * UPDATE_BLOCK * unit;
    this.#updates!.classRows(indices, 0, count, rows);
    this.#updates!.classBias(indices, 0, count, bias);
  }

  /** Where a unit's class gradients go: the worker's scratch, or, when clipping, a place of their own. */
  #classGradientPlace(candidate: CandidateStep, unit: number): { rows: Address; bias: Address } {
    if (this.layout.clip === undefined) return { rows: candidate.scratchGradient, bias: candidate.scratchBiasGradient };
    const { gradient, biasGradient } = this.layout.candidate!;
    const first = UPDATE_BLOCK * unit;
    return { rows: gradient + 4 * this.spec.table.ld * first, bias: biasGradient + 4 * first };
  }

  /** All gradients first, then their norm, then the factor that every update is scaled by. */
  #clippedCandidateUpdate(candidate: CandidateStep, clip: ClipSpace, parity: number): void {
    const batch = this.layout.batches[parity];
    const { f64 } = this.kernels.memory;
    const squares = clip.squares >>> 3;
    const { ld, D } = this.spec.table;
    const classes = candidate.classUnits(batch);
    const encoder = this.#encoderUnits(parity);
    this.#team.phase("clip", classes + encoder, (unit) => {
      if (unit >= classes) {
        f64[squares + unit] = this.#encoderSquares(unit - classes, parity);
        return;
      }
      const { rows, bias } = this.#classGradientPlace(candidate, unit);
      candidate.classGradient(unit, batch, rows, bias);
      const count = candidate.classCount(unit, batch);
      const ofBias = this.spec.bias ? this.kernels.rows.sumOfSquares(bias, 1, count, 1) : 0;
      f64[squares + unit] = this.kernels.rows.sumOfSquares(rows, ld, count, D) + ofBias;
    });
    this.#scaleByNorm(squares, classes + encoder, this.#temperature.gradient(this.#batchRows(parity), classes));
  }

  /** Every member sums the same squares in the same order. @param ofTemperature its gradient */
  #scaleByNorm(squares: number, units: number, ofTemperature: number): void {
    const { f64 } = this.kernels.memory;
    let sum = ofTemperature ** 2;
    for (let unit = 0; unit < units; unit++) sum += f64[squares + unit];
    const norm = Math.sqrt(sum);
    const limit = this.spec.training!.optimizer.clipNorm;
    this.#updates!.scaleGradients(norm > limit ? limit / norm : 1);
    this.#norm = norm;
  }

  #norm = 0;

  #fullStep(
    full: FullStep,
    step: number,
    parity: number,
    ahead: Ahead | undefined,
    stopRequested: () => boolean,
  ): void {
    const team = this.#team;
    const batch = this.layout.batches[parity];
    const { lanes } = this.spec.table;
    team.phase("gather", this.#encoder.prepareUnits, (unit) => this.#encoder.prepare(unit));
    team.phase("rows", full.rowUnits(batch), (unit) => full.row(unit, step, batch));
    team.phase("classes", lanes, (unit) => full.classes(unit, batch));
    team.phase("fold", full.foldUnits(batch), (unit) => full.fold(unit, step, batch));
    this.#requireFinite(step);
    // The next batch is built while the longest phase runs.
    const builds = ahead?.units ?? 0;
    const encoder = this.#encoderUnits(parity);
    const clip = this.layout.clip;
    const account = () => this.#account(step, parity, full.batchLoss(batch), stopRequested);
    // Clipped gradients wait for their norm, and the encoder waits for a dH that is filtered with the class gradients.
    const waits = clip !== undefined || full.filter !== undefined;
    const lane = full.filter ?? full.gradient;
    team.phase("table", builds + lanes + (waits ? 0 : 1 + encoder), (unit) => {
      if (unit < builds) ahead!.run(unit, step + 1);
      else if (unit < builds + lanes) lane.lane(unit - builds, batch);
      else if (unit === builds + lanes) account();
      else this.#encoderUpdate(unit - builds - lanes - 1, parity);
    });
    if (!waits) {
      this.#temperatureUpdate(parity, lanes);
      return;
    }
    if (full.filter !== undefined) team.phase("hidden", full.rowUnits(batch), (unit) => full.hidden(unit, step, batch));
    const classes = clip === undefined ? 0 : full.gradient.clippedUnits;
    if (clip !== undefined) {
      const squares = clip.squares >>> 3;
      team.phase("clip", classes + encoder, (unit) => {
        const value = unit < classes ? full.gradient.squares(unit) : this.#encoderSquares(unit - classes, parity);
        this.kernels.memory.f64[squares + unit] = value;
      });
      this.#scaleByNorm(squares, classes + encoder, this.#temperature.gradient(this.#batchRows(parity), lanes));
    }
    team.phase("update", 1 + classes + encoder, (unit) => {
      if (unit === 0) account();
      else if (unit <= classes) full.gradient.updateBlock(unit - 1);
      else this.#encoderUpdate(unit - 1 - classes, parity);
    });
    this.#temperatureUpdate(parity, lanes);
  }

  #adaptiveStep(
    adaptive: AdaptiveStep,
    step: number,
    parity: number,
    ahead: Ahead | undefined,
    stopRequested: () => boolean,
  ): void {
    const team = this.#team;
    const batch = this.layout.batches[parity];
    team.phase("gather", 1 + this.#encoder.prepareUnits, (unit) => {
      if (unit === 0) adaptive.route(batch);
      else this.#encoder.prepare(unit - 1);
    });
    team.phase("rows", adaptive.rowUnits(batch), (unit) => adaptive.row(unit, step, batch));
    team.phase("classes", adaptive.clusterUnits, (unit) => adaptive.cluster(unit));
    team.phase("fold", adaptive.rowUnits(batch), (unit) => adaptive.fold(unit, step, batch));
    this.#requireFinite(step);
    const classes = adaptive.gradientUnits;
    const encoder = this.#encoderUnits(parity);
    const clip = this.layout.clip;
    if (clip !== undefined) {
      const squares = clip.squares >>> 3;
      team.phase("clip", classes + encoder, (unit) => {
        const value = unit < classes ? adaptive.gradient(unit, step) : this.#encoderSquares(unit - classes, parity);
        this.kernels.memory.f64[squares + unit] = value;
      });
      this.#scaleByNorm(squares, classes + encoder, 0);
    }
    const before = this.#housekeepingUnits(ahead);
    team.phase("table", before + classes + encoder, (unit) => {
      if (unit < before) this.#housekeeping(unit, step, parity, ahead, () => adaptive.batchLoss(), stopRequested);
      else if (unit >= before + classes) this.#encoderUpdate(unit - before - classes, parity);
      else if (clip === undefined) adaptive.gradient(unit - before, step);
      else adaptive.update(unit - before, step);
    });
  }

  /** Units that are no arithmetic: bookkeeping, and the next batch. They come first, because they are long. */
  #housekeepingUnits(ahead: Ahead | undefined): number {
    return 1 + (ahead?.units ?? 0);
  }

  #housekeeping(
    unit: number,
    step: number,
    parity: number,
    ahead: Ahead | undefined,
    loss: () => number,
    stopRequested: () => boolean,
  ): void {
    if (ahead !== undefined && unit < ahead.units) ahead.run(unit, step + 1);
    else this.#account(step, parity, loss(), stopRequested);
  }

  /** One unit a step: what the main thread reads, and what all members agree on. */
  #account(step: number, parity: number, loss: number, stopRequested: () => boolean): void {
    const { memory } = this.kernels;
    const examples = memory.i32[(this.layout.batches[parity].head >>> 2) + HEAD.validRows];
    const mean = this.spec.training!.reduction === "mean" ? loss : loss / Math.max(1, examples);
    accountStep(memory, this.layout.stats, step, { examples, loss: mean, norm: this.#norm });
    Atomics.store(memory.i32, (this.layout.flags >>> 2) + FLAG.stop, stopRequested() ? 1 : 0);
  }

  /** Units of the encoder's update: runs of embedding rows, then blocks of dense parameters. */
  #encoderUnits(parity: number): number {
    return this.#sparseUnits(parity) + this.#encoder.denseUnits.length;
  }

  /** Rows of the embedding table that are updated as such. Of tied tables those that the step does not update as classes. */
  #inputRows(parity: number): number {
    if (this.spec.encoder.input === "external") return 0;
    if (this.spec.tied) return this.#tied?.others ?? 0;
    return this.kernels.memory.i32[(this.layout.batches[parity].head >>> 2) + HEAD.uniqueInputs];
  }

  #sparseUnits(parity: number): number {
    return blocksOf(this.#inputRows(parity), SPARSE_BLOCK);
  }

  #encoderUpdate(unit: number, parity: number): void {
    const sparse = this.#sparseUnits(parity);
    const updates = this.#updates!;
    const computed = this.layout.clip !== undefined;
    if (unit >= sparse) {
      if (!computed) this.#encoder.denseGradient(unit - sparse, this.#scratch);
      updates.denseBlock(unit - sparse);
      return;
    }
    const first = unit * SPARSE_BLOCK;
    const count = Math.min(SPARSE_BLOCK, this.#inputRows(parity) - first);
    const gradient = this.#sparseGradientPlace(first);
    if (!computed) this.#sparseGradient(first, count, gradient, parity);
    const { unique } = this.#tied?.segments ?? this.layout.batches[parity].segments;
    updates.embeddingRows(unique + 4 * first, count, gradient);
  }

  /** Of `count` of the rows that are updated as inputs: behind those of the panel, where tables are tied. */
  #sparseGradient(first: number, count: number, gradient: Address, parity: number): void {
    const before = this.#tied === undefined ? 0 : this.#tied.before(this.layout.batches[parity]);
    this.#encoder.sparseGradient(before + first, count, gradient, this.#embeddingStride);
  }

  get #embeddingStride(): number {
    return this.layout.encoder.tables[0].ld;
  }

  #sparseGradientPlace(first: number): number {
    const { clip } = this.layout;
    return clip === undefined ? this.#scratch : clip.sparseGradient + 4 * this.#embeddingStride * first;
  }

  /** Clipping: computes the gradients of a unit of the encoder and answers Σ of their squares. */
  #encoderSquares(unit: number, parity: number): number {
    const sparse = this.#sparseUnits(parity);
    const { rows } = this.kernels;
    if (unit >= sparse) {
      this.#encoder.denseGradient(unit - sparse, this.#scratch);
      const block = this.#encoder.denseUnits[unit - sparse];
      return rows.sumOfSquares(block.gradient, block.ldGradient, block.rows, block.columns);
    }
    const first = unit * SPARSE_BLOCK;
    const count = Math.min(SPARSE_BLOCK, this.#inputRows(parity) - first);
    const gradient = this.#sparseGradientPlace(first);
    this.#sparseGradient(first, count, gradient, parity);
    return rows.sumOfSquares(gradient, this.#embeddingStride, count, this.spec.encoder.embedding);
  }

  /** Every member sees the same flag after the barrier, so all leave together, before any table has changed. */
  #requireFinite(step: number): void {
    if (this.#flag(FLAG.diverged) === 0) return;
    // Alone, one may go on with other numbers; a larger team leaves.
    if (this.#team.size === 1) Atomics.store(this.kernels.memory.i32, (this.layout.flags >>> 2) + FLAG.diverged, 0);
    throw new DivergenceError(
      `step ${step} has a loss or gradient that is not finite; the tables are as they were before it. A smaller learning rate usually helps`,
      { step, learningRate: this.spec.training!.optimizer.learningRate },
    );
  }

  #evaluate(command: EvaluateCommand): void {
    const { goals } = command;
    const team = this.#team;
    const source = command.list === undefined ? this.#source(command.source) : createSource(command.list);
    const { evaluationRows } = this.spec;
    const order = new SequentialOrder(source.examples, command.first, command.count, evaluationRows, command.key);
    const builder = new BatchBuilder(this.kernels, this.spec, source, order, this.layout.builder, "each");
    this.#encoder.setInput(this.layout.evaluationBatch.input);
    this.#temperature.refresh();
    const evaluation = this.#evaluation;
    for (let batch = command.batch; batch < command.batch + command.batches; batch++) {
      team.phase("build", 1 + this.#encoder.evaluationPrepareUnits, (unit) => {
        if (unit === 0) evaluation.build(batch, builder, order, goals);
        else this.#encoder.prepare(unit - 1);
      });
      this.#encoder.setBatchRows(evaluation.rowsOfBatch);
      team.phase("rows", evaluation.rowUnits(), (unit) => evaluation.row(unit, goals));
      team.phase("classes", evaluation.classUnits(goals), (unit) => evaluation.classes(unit, goals));
      team.phase("rank", evaluation.foldUnits(), (unit) => evaluation.fold(unit, goals));
      if (goals.loss) team.phase("fold", 1, () => evaluation.account());
    }
  }
}
