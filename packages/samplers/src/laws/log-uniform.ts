import { portableExp } from "@logq/core";
import type { Law } from "../types.js";

/**
 * The log-uniform (Zipf-like) law of TensorFlow (range_sampler.cc, LogUniformSampler):
 * p(c) = log((c + 2)/(c + 1)) / log(n + 1), drawn by c = (⌊exp(U·log(n + 1))⌋ − 1) mod n, in doubles.
 * It fits only classes whose ids are sorted by frequency, the most frequent first; see `frequencyOrder`.
 * Needs no table: n up to 2^31 − 1.
 */
export class LogUniformLaw implements Law {
  readonly name = "log-uniform";
  readonly n: number;
  readonly support: number;
  /** log(n + 1) and its log */
  readonly logRange: number;
  readonly logLogRange: number;

  constructor(n: number) {
    this.n = n;
    this.support = n;
    this.logRange = Math.log(n + 1);
    this.logLogRange = Math.log(this.logRange);
  }

  /** log1p(1/(c + 1)) is log((c + 2)/(c + 1)) without its cancellation: 8 digits more at c = 10^8. */
  probability(id: number): number {
    return Math.log1p(1 / (id + 1)) / this.logRange;
  }

  logProbability(id: number): number {
    return Math.log(Math.log1p(1 / (id + 1))) - this.logLogRange;
  }

  /** The modulo is a guard: the exponential may round up to n + 1. */
  draw(u1: number, _u2: number): number {
    return (Math.floor(portableExp(u1 * this.logRange)) - 1) % this.n;
  }
}
