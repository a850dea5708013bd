/** More steps than a safe integer counts are never elapsed. */
const BITS = 53;

/**
 * (1 − α)^k for whole k ≥ 0 by repeated squaring: multiplications in a fixed order, so that every engine gets the same bits. Short for the small k of
 * frequent classes.
 */
export class Decay {
  /** (1 − α)^(2^bit) */
  readonly #powers = new Float64Array(BITS);

  constructor(rate: number) {
    this.#powers[0] = 1 - rate;
    for (let bit = 1; bit < BITS; bit++) this.#powers[bit] = this.#powers[bit - 1] ** 2;
  }

  after(steps: number): number {
    let product = 1;
    for (let bit = 0, left = steps; left > 0; bit++, left = Math.floor(left / 2)) {
      if (left % 2 === 1) product *= this.#powers[bit];
    }
    return product;
  }
}
