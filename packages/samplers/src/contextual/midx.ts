import { requirePositive } from "@logq/core";
import type { Address, KernelMemory, Kernels } from "@logq/kernels";
import { candidateStream } from "../requests.js";
import { CHUNK_PAIRS, KernelUniforms } from "../uniforms.js";
import type { ClassFactor } from "./kernel-tree-options.js";
import { Cells } from "./midx-cells.js";
import { Codebooks } from "./midx-codebooks.js";
import { Generations } from "./midx-generations.js";
import { type MidxScratch, midxPlan, midxScratch, midxTable, STATISTICS_UNITS, UNIT_CLASSES } from "./midx-layout.js";
import {
  type MidxInputs,
  type MidxOptions,
  requireUnigram,
  type ValidMidxOptions,
  validateMidxOptions,
} from "./midx-options.js";
import { CellProposal } from "./midx-proposal.js";
import { sampledPoints } from "./midx-sample.js";
import { FitWeights } from "./midx-weights.js";
import {
  type ClassReader,
  type Contexts,
  type ContextualPlan,
  type ContextualRequest,
  type ContextualSampler,
  MAX_CONTEXTS,
} from "./types.js";

/** Points that codebooks are built from: at most so many, or so many for each code. */
const SAMPLE_POINTS = 2 ** 14;
const SAMPLE_POINTS_PER_CODE = 128;

/**
 * Bytes that `midxFrom` needs: about 53 a class, 96·K·D for codebooks and their sums, and 44·K² for the cells.
 * @param n classes, in [1, 2^31)
 * @param D width of a class row, at least 1; at least 2 for product codes
 * @throws OptionError
 */
export function planMidx(options: MidxOptions, n: number, D: number): ContextualPlan {
  return midxPlan(validateMidxOptions(options, n, D), n, D);
}

/**
 * The inverted multi-index sampler (Chen et al. 2022, "Fast variational autoencoder with inverted multi-index for collaborative filtering"): a class row
 * is approximated by a sum of two codes, so that the exact softmax over the approximations is drawn from in O(K²) a context whatever n is. Candidates
 * are drawn with replacement; log Q is exactly that of the stored law.
 * @param table planMidx(…).tableBytes bytes on a multiple of 64 that all threads share, zeros before `build`
 * @param scratch planMidx(…).scratchBytes bytes of this thread alone, on a multiple of 64
 * @throws OptionError
 */
export function midxFrom(
  options: MidxOptions,
  n: number,
  D: number,
  kernels: Kernels,
  table: Address,
  scratch: Address,
  inputs: MidxInputs,
): ContextualSampler {
  requirePositive("scale", inputs.scale);
  return new MidxSampler(validateMidxOptions(options, n, D), n, D, kernels, table, scratch, inputs);
}

class MidxSampler implements ContextualSampler {
  readonly name = "midx";
  readonly n: number;
  readonly D: number;
  readonly biased = false;
  readonly #options: ValidMidxOptions;
  readonly #factor: ClassFactor;
  readonly #scale: number;
  readonly #unigram: ArrayLike<number> | undefined;
  readonly #memory: KernelMemory;
  readonly #scratch: MidxScratch;
  readonly #codebooks: Codebooks;
  readonly #cells: Cells;
  readonly #weights: FitWeights;
  readonly #unitWeights = new Float64Array(UNIT_CLASSES);
  readonly #generations: Generations;
  readonly #proposal: CellProposal;
  readonly #uniforms: KernelUniforms;
  /** log S − log Z of each row of the block last drawn. */
  readonly #offsets = new Float64Array(MAX_CONTEXTS);

  constructor(
    options: ValidMidxOptions,
    n: number,
    D: number,
    kernels: Kernels,
    table: Address,
    scratch: Address,
    inputs: MidxInputs,
  ) {
    const [layout] = midxTable(options, n, D, table);
    this.n = n;
    this.D = D;
    this.#options = options;
    this.#factor = options.classFactor ?? (inputs.hasBiases ? "bias" : "none");
    this.#scale = inputs.scale;
    this.#unigram = inputs.unigram;
    this.#memory = kernels.memory;
    this.#scratch = midxScratch(options, D, scratch)[0];
    this.#uniforms = new KernelUniforms(kernels, this.#scratch.uniforms);
    this.#codebooks = new Codebooks(options, D, kernels, layout, this.#scratch);
    this.#cells = new Cells(kernels.memory, options.K, n, layout);
    this.#weights = new FitWeights(kernels.memory, layout);
    this.#generations = new Generations(kernels.memory, layout.header, n, options.refreshSteps);
    this.#proposal = new CellProposal(kernels.memory, options.K, inputs.scale);
  }

  /** @throws OptionError, ShapeError, NotFiniteError, SamplerError if the unigram law is needed and was not given, or cannot be one */
  build(reader: ClassReader): void {
    if (this.#factor === "unigram" || this.#unigram !== undefined) {
      const unigram = requireUnigram(this.#unigram, this.n);
      if (this.#factor === "unigram") this.#writeUnigram(unigram);
    }
    this.#generations.reset();
    this.#writeWeights(reader);
    const most = Math.max(SAMPLE_POINTS, SAMPLE_POINTS_PER_CODE * this.#options.K);
    this.#codebooks.build(sampledPoints(reader, most, (id) => this.#weights.weight(id)));
    this.#cells.clear(0);
    for (let first = 0; first < this.n; first += UNIT_CLASSES) {
      this.#assign(reader, first, Math.min(UNIT_CLASSES, this.n - first), 0);
    }
    this.#cells.count(0, 0, this.n);
    this.#cells.open(0);
    this.#cells.place(0, 0, this.n);
    this.#cells.close(0);
  }

  /** Log factors that a refresh copies from generation to generation. */
  #writeUnigram(unigram: ArrayLike<number>): void {
    const { f32 } = this.#memory;
    for (let id = 0; id < this.n; id++) f32[this.#cells.cellElement(0, id) - 1] = Math.log(unigram[id]);
  }

  /** What classes weigh when codebooks are fitted; of biases a refresh brings it up to date. */
  #writeWeights(reader: ClassReader): void {
    const { f32 } = this.#memory;
    const { biases } = this.#scratch;
    this.#weights.followBiases = this.#factor === "bias" && this.#unigram === undefined;
    for (let first = 0; first < this.n; first += UNIT_CLASSES) {
      const count = Math.min(UNIT_CLASSES, this.n - first);
      if (this.#weights.followBiases) reader.readBiases(first, count, biases);
      for (let i = 0; i < count; i++) {
        const logFactor = this.#weights.followBiases ? this.#scale * f32[(biases >>> 2) + i] : 0;
        this.#weights.set(first + i, this.#unigram === undefined ? logFactor : Math.log(this.#unigram[first + i]));
      }
    }
    this.#weights.setGreatest(this.#weights.findGreatest(this.n));
  }

  /** Reads `count` classes into the scratch and writes their records. */
  #assign(reader: ClassReader, first: number, count: number, generation: number): void {
    reader.readRows(first, count, this.#scratch.rows, this.D);
    const at = this.#cells.cellElement(generation, first);
    this.#codebooks.encode(count, this.#memory.i32, at, 2);
    this.#writeFactors(reader, first, count, generation);
  }

  #writeFactors(reader: ClassReader, first: number, count: number, generation: number): void {
    const { f32 } = this.#memory;
    const to = this.#cells.cellElement(generation, first) - 1;
    if (this.#factor === "bias") {
      reader.readBiases(first, count, this.#scratch.biases);
      const biases = this.#scratch.biases >>> 2;
      for (let i = 0; i < count; i++) f32[to + 2 * i] = this.#scale * f32[biases + i];
      if (this.#weights.followBiases) for (let i = 0; i < count; i++) this.#weights.set(first + i, f32[to + 2 * i]);
    } else if (this.#factor === "unigram") {
      const from = this.#cells.cellElement(this.#generations.active, first) - 1;
      for (let i = 0; i < count; i++) f32[to + 2 * i] = f32[from + 2 * i];
    } else {
      for (let i = 0; i < count; i++) f32[to + 2 * i] = 0;
    }
  }

  /** Assign steps have units of 512 classes; place steps have one, since a cell's classes are put in order one after the other. */
  refreshUnits(step: number): number {
    const phase = this.#generations.phase(step);
    const { assignFrom, assignTo } = this.#assigned(phase);
    return Math.max(1, Math.ceil((assignTo - assignFrom) / UNIT_CLASSES));
  }

  #assigned(phase: number): { assignFrom: number; assignTo: number } {
    return {
      assignFrom: this.#generations.assignFrom(phase),
      assignTo: this.#generations.assignFrom(phase + 1),
    };
  }

  refresh(unit: number, step: number, reader: ClassReader): void {
    const generations = this.#generations;
    const phase = generations.phase(step);
    if (!generations.runs(phase)) return;
    const { assignFrom, assignTo } = this.#assigned(phase);
    const first = assignFrom + unit * UNIT_CLASSES;
    const count = Math.min(UNIT_CLASSES, assignTo - first);
    if (phase >= generations.assignSteps) {
      this.#cells.place(generations.next, generations.placeFrom(phase), generations.placeFrom(phase + 1));
    } else if (count > 0) {
      this.#assign(reader, first, count, generations.next);
      const at = this.#cells.cellElement(generations.next, first);
      if (unit >= STATISTICS_UNITS) return;
      this.#weights.read(first, count, this.#unitWeights);
      this.#codebooks.addPartial(unit, count, this.#memory.i32, at, 2, this.#unitWeights);
    }
  }

  /**
   * Counts the classes of an assign step; gives cells their places after the last; after the last place step moves the codebooks to where the classes
   * seen in the pass want them (one Lloyd iteration a pass) and lets draws see the new generation. O(classes of the step), and O(K²·D) once a pass.
   */
  settle(step: number): void {
    const generations = this.#generations;
    const phase = generations.phase(step);
    if (!generations.runs(phase)) return;
    if (phase < generations.assignSteps) this.#settleAssigned(phase);
    if (phase === generations.steps - 1) this.#settlePass();
    generations.finish(phase);
  }

  #settleAssigned(phase: number): void {
    const generations = this.#generations;
    const { i32 } = this.#memory;
    const { sums, weights } = this.#codebooks.passStatistics;
    const { assignFrom, assignTo } = this.#assigned(phase);
    if (phase === 0) {
      this.#cells.clear(generations.next);
      sums.fill(0);
      weights.fill(0);
    }
    this.#cells.count(generations.next, assignFrom, assignTo);
    const seen = Math.min(assignTo, assignFrom + STATISTICS_UNITS * UNIT_CLASSES);
    for (let id = assignFrom; id < seen; id++) {
      weights[i32[this.#cells.cellElement(generations.next, id)]] += this.#weights.weight(id);
    }
    this.#codebooks.gatherPartials(Math.ceil((seen - assignFrom) / UNIT_CLASSES), sums);
    if (phase === generations.assignSteps - 1) this.#cells.open(generations.next);
  }

  #settlePass(): void {
    const { next, placeSteps } = this.#generations;
    if (placeSteps === 0) this.#cells.place(next, 0, this.n);
    this.#cells.close(next);
    this.#codebooks.refit(this.#codebooks.passStatistics);
    this.#codebooks.derive();
    if (this.#weights.followBiases) this.#weights.setGreatest(this.#memory.f64[this.#cells.layout(next).shift >>> 3]);
  }

  draw({ key, step, firstRow, S }: ContextualRequest, contexts: Contexts, ids: Address, logQ: Address): void {
    const { R, hidden, ld } = contexts;
    const layout = this.#cells.layout(this.#generations.active);
    const logS = Math.log(S);
    this.#codebooks.products(this.#scratch.scores, hidden, ld, R);
    for (let r = 0; r < R; r++) {
      const item = firstRow + r + 1;
      this.#offsets[r] = logS - this.#proposal.prepare(this.#scoresOf(r), layout);
      this.#uniforms.address(key, candidateStream(item), step, item);
      for (let drawn = 0; drawn < S; drawn += CHUNK_PAIRS) {
        const count = this.#uniforms.fill(drawn, S - drawn);
        const at = 4 * (r * S + drawn);
        this.#proposal.draw(this.#uniforms, count, ids + at, logQ + at, this.#offsets[r]);
      }
    }
  }

  logQ(row: number, ids: Address, count: number, out: Address): void {
    const { i32, f32 } = this.#memory;
    const scores = this.#scoresOf(row) >>> 2;
    for (let j = 0; j < count; j++) {
      const at = this.#cells.cellElement(this.#generations.active, i32[(ids >>> 2) + j]);
      f32[(out >>> 2) + j] = this.#proposal.logQ(scores, i32[at], f32[at - 1], this.#offsets[row]);
    }
  }

  #scoresOf(row: number): Address {
    return this.#scratch.scores + 8 * this.#options.K * row;
  }
}
