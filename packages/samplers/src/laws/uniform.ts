import type { Law } from "../types.js";

/**
 * An integer uniform on [0, count) from a 53-bit uniform in [0, 1), count in [1, 2^31). u ≤ 1 − 2^−53, and count·(1 − 2^−53) rounds to a
 * double below count, so count itself never comes. No value is favoured by more than 2^−22 relative.
 */
export function uniformInteger(u: number, count: number): number {
  return Math.floor(u * count);
}

/** p(id) = 1/n. Needs no table: n up to 2^31 − 1. */
export class UniformLaw implements Law {
  readonly name = "uniform";
  readonly n: number;
  readonly support: number;
  readonly #probability: number;
  readonly #logProbability: number;

  constructor(n: number) {
    this.n = n;
    this.support = n;
    this.#probability = 1 / n;
    this.#logProbability = Math.log(1 / n);
  }

  probability(_id: number): number {
    return this.#probability;
  }

  logProbability(_id: number): number {
    return this.#logProbability;
  }

  draw(u1: number, _u2: number): number {
    return uniformInteger(u1, this.n);
  }
}
