import { buildSegments, type EncoderInput, type EncoderSpec, scaleBagWeights, writeMeanWeights } from "@logq/encoders";
import type { Address, KernelMemory, Kernels } from "@logq/kernels";
import type { ExampleOrder } from "../sources/order.js";
import type { Source } from "../sources/source.js";
import { rowOfClass, type TableShape } from "../table/lanes.js";
import { type BatchLayout, HEAD } from "./batch-layout.js";
import { LabelWriter } from "./label-writer.js";
import { type BuilderScratch, type GivenDraw, PanelBuilder } from "./panel-builder.js";
import type { EngineSpec } from "./spec.js";

/** How labels become a training signal: softmax shares one unit of mass among a row's labels, logistic losses give one to each. */
export type MassRule = "shared" | "each";

/**
 * Turns example indices into a batch in kernel memory: inputs and their segments in one unit, labels, candidates and the panel in another.
 * Reads no parameter, so the next batch can be built while this one's tables are updated.
 */
export class BatchBuilder {
  readonly #kernels: Kernels;
  readonly #encoder: EncoderSpec;
  readonly #labels: LabelWriter;
  readonly #tied: boolean;
  readonly #table: TableShape;
  readonly #source: Source;
  readonly #order: ExampleOrder;
  readonly #panel: PanelBuilder;
  readonly #segmentScratch: Address;
  readonly #mass: MassRule;
  readonly #factors: Float32Array | undefined;
  readonly #sum: boolean;
  readonly #rowIds: Int32Array;
  readonly #rowWeights: Float32Array;
  #looked = -1;

  constructor(
    kernels: Kernels,
    spec: EngineSpec,
    source: Source,
    order: ExampleOrder,
    scratch: BuilderScratch,
    mass: MassRule,
    factors?: Float32Array,
  ) {
    this.#kernels = kernels;
    this.#encoder = spec.encoder;
    this.#labels = new LabelWriter(kernels.memory, spec.table, spec.tree, factors);
    this.#tied = spec.tied;
    this.#table = spec.table;
    this.#source = source;
    this.#order = order;
    this.#panel = new PanelBuilder(kernels, spec, source, order, scratch);
    this.#segmentScratch = scratch.segments;
    this.#mass = mass;
    this.#factors = factors;
    this.#sum = spec.training?.reduction === "sum";
    const longest = Math.max(source.maxInputs, source.maxTargets, 1);
    this.#rowIds = new Int32Array(longest);
    this.#rowWeights = new Float32Array(longest);
  }

  /** Unit 1: input ids, weights and segments of batch number `step`. */
  buildInputs(step: number, batch: BatchLayout): void {
    const rows = this.#seek(step);
    if (this.#encoder.input === "external") return;
    this.writeInputs(rows, batch);
    this.#kernels.memory.i32[(batch.head >>> 2) + HEAD.uniqueInputs] = buildSegments(
      this.#kernels,
      this.#encoder,
      batch.input,
      rows,
      batch.segments,
      this.#segmentScratch,
    );
  }

  /** Input ids and weights of the rows of the order's current batch; of tied tables physical rows in the place of ids. */
  writeInputs(rows: number, batch: BatchLayout): void {
    const { memory } = this.#kernels;
    const { i32, f32 } = memory;
    const { offsets, weights } = batch.input;
    const ids = batch.input.ids >>> 2;
    const weighted = this.#source.weighted && weights !== 0;
    const count = weighted ? this.#weightedInputs(rows, batch.input) : this.#plainInputs(rows, batch.input);
    if (this.#tied) for (let i = ids; i < ids + count; i++) i32[i] = rowOfClass(this.#table, i32[i]);
    if (offsets !== 0) i32[(offsets >>> 2) + rows] = count;
    if (weights === 0) return;
    const mean = this.#encoder.reduce === "mean";
    if (weighted && mean) scaleBagWeights(memory, batch.input, rows);
    else if (mean) writeMeanWeights(memory, batch.input, rows);
    else if (!weighted) f32.fill(1, weights >>> 2, (weights >>> 2) + count);
  }

  /** Ids where they belong, row after row. Answers how many. */
  #plainInputs(rows: number, { offsets, ids }: EncoderInput): number {
    const { i32 } = this.#kernels.memory;
    const first = ids >>> 2;
    let count = 0;
    for (let row = 0; row < rows; row++) {
      if (offsets !== 0) i32[(offsets >>> 2) + row] = count;
      count += this.#source.inputs(this.#order.example(row), i32, this.#rowWeights, first + count);
    }
    return count;
  }

  #weightedInputs(rows: number, { offsets, ids, weights }: EncoderInput): number {
    const { i32, f32 } = this.#kernels.memory;
    const [id, weight] = [ids >>> 2, weights >>> 2];
    let count = 0;
    for (let row = 0; row < rows; row++) {
      i32[(offsets >>> 2) + row] = count;
      const length = this.#source.inputs(this.#order.example(row), this.#rowIds, this.#rowWeights, 0);
      for (let i = 0; i < length; i++, count++) {
        i32[id + count] = this.#rowIds[i]!;
        f32[weight + count] = this.#rowWeights[i]!;
      }
    }
    return count;
  }

  /** Unit 2: labels, candidates and the panel of batch number `step`. */
  buildTargets(step: number, batch: BatchLayout): void {
    const rows = this.#seek(step);
    const { i32 } = this.#kernels.memory;
    const head = batch.head >>> 2;
    i32[head + HEAD.rows] = rows;
    this.writeTargets(rows, batch);
    this.weighRows(rows, batch);
    this.#panel.buildCandidates(step, batch, undefined);
    this.#panel.buildLabels(step, rows, batch, false);
  }

  /**
   * Candidates of a batch whose rows, labels, masses and weights the caller has written, or will write, where `drawsAhead`. `given` ones take the place
   * of a draw; their ids and log Q, and the labels' log Q, have been written as well.
   */
  buildCandidates(step: number, batch: BatchLayout, given: GivenDraw | undefined): void {
    this.#panel.buildCandidates(step, batch, given);
  }

  /** Afterwards: what follows from the labels that the caller has written. @param given whether the candidates were */
  buildLabels(step: number, batch: BatchLayout, given: boolean): void {
    const rows = this.#kernels.memory.i32[(batch.head >>> 2) + HEAD.rows];
    this.#panel.buildLabels(step, rows, batch, given);
  }

  /** The panel of candidates that were drawn for each row once its hidden vector was known: int32 ids and float32 log Q, (rows, S). */
  buildDrawn(step: number, batch: BatchLayout, ids: Address, logQ: Address): void {
    this.#order.seek(step);
    this.#panel.buildDrawn(this.#kernels.memory.i32[(batch.head >>> 2) + HEAD.rows], batch, ids, logQ);
  }

  /** Shows the labels of `step`, which stand in `batch`, to a sampler that learns from them. */
  observe(step: number, batch: BatchLayout): void {
    this.#panel.observe(step, batch);
  }

  /** Whether candidates can be drawn before there is a batch. */
  get drawsAhead(): boolean {
    return this.#panel.drawsAhead;
  }

  /** Draws the candidates of `step` ahead, where `drawsAhead`. */
  drawAhead(step: number, batch: BatchLayout): void {
    this.#panel.drawAhead(step, batch);
  }

  /** Whether the batch holds the candidates of `step` already. */
  hasDrawn(step: number, batch: BatchLayout): boolean {
    return this.#panel.hasDrawn(step, batch);
  }

  /** Excluded (class, row) pairs of the order's current batch: in the order in which the tiles of the table are walked, or, of a tree, row by row. */
  writeExcluded(rows: number, batch: BatchLayout): void {
    if (batch.maskOffsets === 0) this.#panel.masksByClass(rows, batch);
    else this.#panel.masksByRow(rows, batch);
  }

  /** Labels and their masses of the rows of the order's current batch; row weights become 1 where there are labels, else 0. */
  writeTargets(rows: number, batch: BatchLayout): void {
    const { i32, f32 } = this.#kernels.memory;
    const offsets = batch.positiveOffsets >>> 2;
    const weights = batch.rowWeight >>> 2;
    let count = 0;
    let labels = 0;
    for (let row = 0; row < rows; row++) {
      i32[offsets + row] = count;
      const length = this.#source.targets(this.#order.example(row), this.#rowIds, 0);
      const share = this.#mass === "shared" ? 1 / length : 1;
      for (let i = 0; i < length; i++) count = this.#labels.write(batch, count, this.#rowIds[i], share);
      f32[weights + row] = length > 0 ? 1 : 0;
      labels += length;
    }
    i32[offsets + rows] = count;
    i32[(batch.head >>> 2) + HEAD.positives] = count;
    i32[(batch.head >>> 2) + HEAD.labels] = labels;
  }

  /** Of the last look ahead: kept, so that no compiler leaves it out. */
  looks = 0;

  /** Moves the order to the batch of `step`, whose rows are looked at once, whichever half is built first; answers how many there are. */
  #seek(step: number): number {
    const rows = this.#order.seek(step);
    if (step !== this.#looked) this.looks = this.#source.lookAhead?.(this.#order, rows) ?? 0;
    this.#looked = step;
    return rows;
  }

  /** The mean over rows that have labels, or their sum, each as heavy as its source says, and in a mean as its labels' class weights say. */
  weighRows(rows: number, batch: BatchLayout): void {
    const { i32, f32 } = this.#kernels.memory;
    const weights = batch.rowWeight >>> 2;
    let valid = 0;
    let sum = 0;
    for (let row = 0; row < rows; row++) {
      const labelled = f32[weights + row] > 0;
      const weight = labelled ? this.#weightOf(row) : 0;
      f32[weights + row] = weight;
      sum += weight * this.#massOf(row, batch);
      if (labelled) valid++;
    }
    if (sum > 0 && !this.#sum) for (let row = 0; row < rows; row++) f32[weights + row] /= sum;
    i32[(batch.head >>> 2) + HEAD.validRows] = valid;
  }

  /** Class weights make a row heavier in the mean as well; other masses do not. */
  #massOf(row: number, batch: BatchLayout): number {
    if (this.#factors === undefined || this.#mass === "each") return 1;
    return sumOfMasses(this.#kernels.memory, batch, row);
  }

  /** Rows whose labels count one by one need no weight for that. */
  #weightOf(row: number): number {
    if (this.#mass === "each" || this.#source.weight === undefined) return 1;
    return this.#source.weight(this.#order.example(row));
  }
}

/** Σ of the masses of a row's labels. */
function sumOfMasses({ i32, f32 }: KernelMemory, batch: BatchLayout, row: number): number {
  const offsets = (batch.positiveOffsets >>> 2) + row;
  const mass = batch.positiveMass >>> 2;
  let sum = 0;
  for (let l = i32[offsets]; l < i32[offsets + 1]; l++) sum += f32[mass + l];
  return sum;
}
