import { zBound } from "./normal.js";

/**
 * Mean and standard error of a vector-valued estimate over independent repetitions (Welford 1962): is the average of a sampled loss or
 * gradient its exact value?
 */
export class Moments {
  readonly size: number;
  readonly mean: Float64Array;
  readonly #squares: Float64Array;
  #count = 0;

  constructor(size: number) {
    this.size = size;
    this.mean = new Float64Array(size);
    this.#squares = new Float64Array(size);
  }

  get count(): number {
    return this.#count;
  }

  /** Adds one repetition: `size` numbers. */
  add(values: ArrayLike<number>): void {
    if (values.length !== this.size) throw new Error(`${values.length} values, but ${this.size} are expected`);
    this.#count++;
    for (let i = 0; i < this.size; i++) {
      const before = values[i]! - this.mean[i]!;
      this.mean[i]! += before / this.#count;
      this.#squares[i]! += before * (values[i]! - this.mean[i]!);
    }
  }

  /** The unbiased variance of one repetition, per element. */
  variance(): Float64Array {
    return this.#squares.map((squares) => squares / (this.#count - 1));
  }

  /** The standard error of `mean`, per element. */
  standardError(): Float64Array {
    return this.variance().map((variance) => Math.sqrt(variance / this.#count));
  }
}

export interface MeanOptions {
  /** Share of honest runs that fail, over all elements together. */
  readonly falseAlarmRate: number;
  /** Allowed besides noise: the rounding of the estimate, or its known bias. Default 0. */
  readonly absolute?: number;
  readonly name?: string;
}

/**
 * Throws unless every mean lies within z standard errors of `expected`, z from the false-alarm rate and the number of elements.
 * Rests on the central limit theorem: repeat often enough (hundreds) for heavy tails to average out.
 */
export function expectMean(
  moments: Moments,
  expected: ArrayLike<number>,
  { falseAlarmRate, absolute = 0, name = "mean" }: MeanOptions,
): void {
  if (expected.length !== moments.size) {
    throw new Error(`${name}: ${moments.size} means, but ${expected.length} are expected`);
  }
  const z = zBound(falseAlarmRate, moments.size);
  const errors = moments.standardError();
  const wrong: string[] = [];
  for (let i = 0; i < moments.size; i++) {
    const difference = Math.abs(moments.mean[i]! - expected[i]!);
    if (difference <= absolute + z * errors[i]!) continue;
    wrong.push(
      `[${i}]: mean ${moments.mean[i]}, expected ${expected[i]}, ${(difference / errors[i]!).toFixed(1)} standard errors`,
    );
  }
  if (wrong.length === 0) return;
  const head = `${name}: ${wrong.length} of ${moments.size} means off by more than ${z.toFixed(2)} standard errors`;
  throw new Error([`${head} over ${moments.count} repetitions`, ...wrong.slice(0, 5)].join("\n  "));
}
