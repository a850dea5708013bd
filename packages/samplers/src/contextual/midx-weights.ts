import type { KernelMemory } from "@logq/kernels";
import type { MidxTable } from "./midx-layout.js";

/** Of exponents 0, 0.25, 0.35, 0.5, 0.7, 0.75 and 1 the best on trained models of words and of places, within noise. */
const EXPONENT = 0.7;

/** Masses below e^−30 of the greatest count as that: no code is fitted to nothing. */
const LEAST_LOG = -30;

/**
 * What a class weighs when codebooks are fitted: its unigram mass where that is known, else its factor, to the 0.7. An error in the logit of a class costs
 * in proportion to its probability, and codes are few: on words the KL divergence from the softmax nearly halves. The exponent keeps something for classes
 * that are rare on the whole and likely in a context.
 */
export class FitWeights {
  readonly #f32: Float32Array;
  readonly #f64: Float64Array;
  readonly #logs: number;
  readonly #state: number;

  constructor({ f32, f64 }: KernelMemory, table: MidxTable) {
    this.#f32 = f32;
    this.#f64 = f64;
    this.#logs = table.logWeights >>> 2;
    this.#state = table.weightState >>> 3;
  }

  /** Whether refreshes are to bring weights up to date, since they are those of the biases. */
  get followBiases(): boolean {
    return this.#f64[this.#state + 1] === 1;
  }

  set followBiases(follow: boolean) {
    this.#f64[this.#state + 1] = Number(follow);
  }

  /** Sets the log of the mass of a class. */
  set(id: number, log: number): void {
    this.#f32[this.#logs + id] = log;
  }

  /** log of the mass of a class, relative to anything. */
  log(id: number): number {
    return this.#f32[this.#logs + id];
  }

  /** From now on weights are relative to this. Any change of all of them alike changes nothing. */
  setGreatest(log: number): void {
    this.#f64[this.#state] = log;
  }

  /** The greatest log of classes 0 … n − 1. */
  findGreatest(n: number): number {
    let greatest = -Infinity;
    for (let id = 0; id < n; id++) if (this.log(id) > greatest) greatest = this.log(id);
    return greatest;
  }

  weight(id: number): number {
    return Math.exp(Math.max(this.log(id) - this.#f64[this.#state], LEAST_LOG) * EXPONENT);
  }

  /** out[i] = the weight of class first + i. */
  read(first: number, count: number, out: Float64Array): void {
    for (let i = 0; i < count; i++) out[i] = this.weight(first + i);
  }
}
