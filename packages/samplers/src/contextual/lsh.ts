import type { Address, KernelMemory, Kernels } from "@logq/kernels";
import { candidateStream } from "../requests.js";
import { AddressedUniforms, CHUNK_PAIRS } from "../uniforms.js";
import { Buckets } from "./lsh-buckets.js";
import { type ClassLaw, firstAbove, storedClasses, storeWeights, uniformClasses } from "./lsh-class-law.js";
import { type RowHash, rowHash } from "./lsh-hash.js";
import { type LshScratch, lshPlan, lshScratch, lshTable, UNIT_CLASSES } from "./lsh-layout.js";
import { type LshInputs, type LshOptions, type ValidLshOptions, validateLshOptions } from "./lsh-options.js";
import { BucketUnion } from "./lsh-slide.js";
import { Generations } from "./midx-generations.js";
import { requireUnigram } from "./midx-options.js";
import {
  type ClassReader,
  type Contexts,
  type ContextualPlan,
  type ContextualRequest,
  type ContextualSampler,
  MAX_CONTEXTS,
} from "./types.js";

/**
 * Bytes that `lshFrom` needs: 12 a class and table (20 where classes weigh their unigram mass), and 12 a bucket and table.
 * @param n classes, in [1, 2^31)
 * @param D width of a class row, at least 1; at least 8 for winner-take-all
 * @throws OptionError
 */
export function planLsh(options: LshOptions, n: number, D: number): ContextualPlan {
  return lshPlan(validateLshOptions(options, n, D), n, D);
}

/**
 * Candidates from hash tables of the class rows. `honest`: one of the context's buckets is drawn in proportion to its weight, then a class of it by its
 * weight (after Spring and Shrivastava, "A new unbiased and efficient class of LSH-based samplers and estimators for partition function computation in
 * log-linear models", 2017, who draw tables alike), mixed with the law g of the weights alone. Given the tables this law is known, O(T) a class:
 *
 *     q(i | h) = g(i)·((1 − λ)·matches(i)/M + λ),   matches(i) = tables in which i is in the bucket of h,   M = Σ_t g(bucket of h in t);
 *
 * q = g where M is 0. Tables drawn alike would favour classes that happen to lie in small buckets: the KL divergence from the softmax is higher. All weights
 * are whole numbers k, and g(i) = k(i)/K with K < 2^32: 1 each, or the unigram masses, which `build` rounds (`storeWeights`). Sums of them are exact, and log
 * Q is of the rounded law, so that rounding biases nothing.
 *
 * `slide`: the classes that most tables found, each once, and draws of g where fewer than S are found. That is no draw from any law; log Q is
 * log(S/max(S, found)) for every class, as if uniform over what was found, so that it cancels in a softmax.
 * @param table planLsh(…).tableBytes bytes on a multiple of 64 that all threads share, zeros before `build`
 * @param scratch planLsh(…).scratchBytes bytes of this thread alone, zeros, on a multiple of 64
 * @throws OptionError
 */
export function lshFrom(
  options: LshOptions,
  n: number,
  D: number,
  kernels: Kernels,
  table: Address,
  scratch: Address,
  inputs: LshInputs,
): ContextualSampler {
  return new LshSampler(validateLshOptions(options, n, D), n, D, kernels, table, scratch, inputs);
}

class LshSampler implements ContextualSampler {
  readonly name = "lsh";
  readonly n: number;
  readonly D: number;
  readonly biased: boolean;
  readonly #options: ValidLshOptions;
  readonly #inputs: LshInputs;
  readonly #memory: KernelMemory;
  readonly #scratch: LshScratch;
  readonly #hash: RowHash;
  readonly #buckets: Buckets;
  readonly #law: ClassLaw;
  /** Where running sums of weighted classes lie. */
  readonly #running: Address;
  readonly #union: BucketUnion;
  readonly #generations: Generations;
  readonly #uniforms = new AddressedUniforms();
  /** (MAX_CONTEXTS, T): the bucket of each row of the block last drawn in each table. */
  readonly #codes: Uint16Array;
  /** (MAX_CONTEXTS): (1 − λ)/(K·M). */
  readonly #shares = new Float64Array(MAX_CONTEXTS);
  /** (MAX_CONTEXTS): the share of the class law alone; slide: the log Q of every class. */
  readonly #mixtures = new Float64Array(MAX_CONTEXTS);
  /** (T): running sums of what the buckets of the row being drawn weigh. */
  readonly #masses: Float64Array;
  #logS = 0;

  constructor(
    options: ValidLshOptions,
    n: number,
    D: number,
    kernels: Kernels,
    table: Address,
    scratch: Address,
    inputs: LshInputs,
  ) {
    const [layout] = lshTable(options, n, D, table);
    const { memory } = kernels;
    const { tables } = options;
    this.n = n;
    this.D = D;
    this.biased = options.candidates === "slide";
    this.#options = options;
    this.#inputs = inputs;
    this.#memory = memory;
    this.#scratch = lshScratch(options, n, D, scratch)[0];
    this.#hash = rowHash(options, D, kernels, layout, this.#scratch);
    const weighted = options.classFactor === "unigram";
    this.#law = weighted ? storedClasses(n, memory, layout.running) : uniformClasses(n);
    this.#running = layout.running;
    this.#buckets = new Buckets(options, n, memory, layout, this.#law);
    this.#union = new BucketUnion(memory, this.#buckets, this.#scratch);
    this.#generations = new Generations(memory, layout.header, n, options.refreshSteps);
    this.#codes = new Uint16Array(MAX_CONTEXTS * tables);
    this.#masses = new Float64Array(tables);
  }

  /** @throws OptionError, ShapeError, NotFiniteError, SamplerError if classes weigh their unigram mass, and it was not given or cannot be that */
  build(reader: ClassReader): void {
    const { unigram, key } = this.#inputs;
    if (this.#options.classFactor === "unigram") {
      storeWeights(requireUnigram(unigram, this.n), this.n, this.#memory, this.#running);
    }
    this.#hash.build(key);
    this.#generations.reset();
    this.#buckets.clear();
    for (let first = 0; first < this.n; first += UNIT_CLASSES) {
      this.#assign(reader, first, Math.min(UNIT_CLASSES, this.n - first), 0);
    }
    this.#buckets.count(0, 0, this.n);
    this.#buckets.open(0);
    for (let t = 0; t < this.#options.tables; t++) this.#buckets.place(0, t, 0, this.n);
  }

  #assign(reader: ClassReader, first: number, count: number, generation: number): void {
    const { rows } = this.#scratch;
    reader.readRows(first, count, rows, this.D);
    this.#hash.encode(rows, this.D, count, this.#buckets.u16, this.#buckets.codesElement(generation, first));
  }

  /** Assign steps have units of 512 classes; place steps have a unit for each table. */
  refreshUnits(step: number): number {
    const generations = this.#generations;
    const phase = generations.phase(step);
    if (phase >= generations.assignSteps) return this.#options.tables;
    const classes = generations.assignFrom(phase + 1) - generations.assignFrom(phase);
    return Math.max(1, Math.ceil(classes / UNIT_CLASSES));
  }

  refresh(unit: number, step: number, reader: ClassReader): void {
    const generations = this.#generations;
    const phase = generations.phase(step);
    if (!generations.runs(phase)) return;
    if (phase >= generations.assignSteps) {
      this.#buckets.place(generations.next, unit, generations.placeFrom(phase), generations.placeFrom(phase + 1));
      return;
    }
    const first = generations.assignFrom(phase) + unit * UNIT_CLASSES;
    const count = Math.min(UNIT_CLASSES, generations.assignFrom(phase + 1) - first);
    if (count > 0) this.#assign(reader, first, count, generations.next);
  }

  settle(step: number): void {
    const generations = this.#generations;
    const phase = generations.phase(step);
    if (!generations.runs(phase)) return;
    const { next } = generations;
    if (phase === 0) this.#buckets.clear();
    if (phase < generations.assignSteps) {
      this.#buckets.count(next, generations.assignFrom(phase), generations.assignFrom(phase + 1));
    }
    if (phase === generations.assignSteps - 1) this.#buckets.open(next);
    if (generations.placeSteps === 0) {
      for (let t = 0; t < this.#options.tables; t++) this.#buckets.place(next, t, 0, this.n);
    }
    generations.finish(phase);
  }

  draw({ key, step, firstRow, S }: ContextualRequest, contexts: Contexts, ids: Address, logQ: Address): void {
    const { R, hidden, ld } = contexts;
    this.#logS = Math.log(S);
    this.#hash.encode(hidden, ld, R, this.#codes, 0);
    for (let r = 0; r < R; r++) {
      const item = firstRow + r + 1;
      this.#uniforms.address(key, candidateStream(item), step, item);
      const at = 4 * r * S;
      if (this.biased) this.#takeUnion(r, S, (ids + at) >>> 2);
      else this.#drawHonest(r, S, (ids + at) >>> 2);
      this.logQ(r, ids + at, S, logQ + at);
    }
  }

  /** Pair j of the address: the first uniform chooses a table or none, the second a class. */
  #drawHonest(row: number, S: number, to: number): void {
    const { i32 } = this.#memory;
    const { pairs } = this.#uniforms;
    const { tables } = this.#options;
    const { active } = this.#generations;
    const mass = this.#prepare(row);
    const mixture = this.#mixtures[row];
    for (let drawn = 0; drawn < S; drawn += CHUNK_PAIRS) {
      const count = this.#uniforms.fill(drawn, S - drawn);
      for (let j = 0; j < count; j++) {
        const u = pairs[2 * j] - mixture;
        if (u < 0) {
          i32[to + drawn + j] = this.#law.draw(pairs[2 * j + 1]);
          continue;
        }
        const t = firstAbove(this.#masses, 0, tables, (u / (1 - mixture)) * mass);
        i32[to + drawn + j] = this.#buckets.draw(active, t, this.#codes[row * tables + t], pairs[2 * j + 1]);
      }
    }
  }

  /** Sums what the row's buckets weigh; answers K·M. */
  #prepare(row: number): number {
    const { tables, mixture } = this.#options;
    const { active } = this.#generations;
    let mass = 0;
    for (let t = 0; t < tables; t++) {
      mass += this.#buckets.mass(active, t, this.#codes[row * tables + t]);
      this.#masses[t] = mass;
    }
    this.#mixtures[row] = mass > 0 ? mixture : 1;
    this.#shares[row] = mass > 0 ? (1 - mixture) / mass : 0;
    return mass;
  }

  /** Pair 0 chooses the table that the union begins with; pairs from 1 on fill up. */
  #takeUnion(row: number, S: number, to: number): void {
    const { i32 } = this.#memory;
    const { tables } = this.#options;
    this.#uniforms.block(0);
    const start = Math.floor(this.#uniforms.first * tables);
    const found = this.#union.collect(this.#generations.active, this.#codes, row * tables, start);
    for (let j = this.#union.take(S, to); j < S; j++) {
      this.#uniforms.block(j + 1);
      i32[to + j] = this.#law.draw(this.#uniforms.first);
    }
    this.#mixtures[row] = Math.log(S / Math.max(S, found));
  }

  logQ(row: number, ids: Address, count: number, out: Address): void {
    const { i32, f32 } = this.#memory;
    const { u16 } = this.#buckets;
    const { tables } = this.#options;
    const { active } = this.#generations;
    if (this.biased) {
      f32.fill(this.#mixtures[row], out >>> 2, (out >>> 2) + count);
      return;
    }
    const mixture = this.#mixtures[row] / this.#law.total();
    const first = row * tables;
    for (let j = 0; j < count; j++) {
      const id = i32[(ids >>> 2) + j];
      const codes = this.#buckets.codesElement(active, id);
      let matches = 0;
      for (let t = 0; t < tables; t++) if (u16[codes + t] === this.#codes[first + t]) matches++;
      const factor = mixture + this.#shares[row] * matches;
      f32[(out >>> 2) + j] = this.#logS + Math.log(factor * this.#law.weight(id));
    }
  }
}
