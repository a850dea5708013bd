/** What e^x is made of: `portableExp`, and whoever computes the same bits elsewhere. */
export const EXPONENTIAL = {
  log2E: Math.LOG2E,
  /** ln 2 in two parts: the first has zeros at its end, so that its products with small integers are exact (Cody and Waite 1980). */
  ln2High: 0.6931471803691238,
  ln2Low: 1.9082149292705877e-10,
  /** 1.5·2^52. Adding and subtracting it rounds to the nearest integer, ties to even; added, it leaves that integer in the low bits. */
  rounder: 6755399441055744,
  /** 1/k! from 13 down to 0 */
  coefficients: [
    1 / 6227020800,
    1 / 479001600,
    1 / 39916800,
    1 / 3628800,
    1 / 362880,
    1 / 40320,
    1 / 5040,
    1 / 720,
    1 / 120,
    1 / 24,
    1 / 6,
    0.5,
    1,
    1,
  ],
} as const;

const { log2E, ln2High, ln2Low, rounder, coefficients } = EXPONENTIAL;

/**
 * e^x for x in [0, 21.8], relative error below 1e-15, from additions and multiplications alone: the same bits in every engine and in WebAssembly,
 * which `Math.exp` does not promise. For numbers that decide what is drawn.
 */
export function portableExp(x: number): number {
  const n = x * log2E + rounder - rounder;
  const r = x - n * ln2High - n * ln2Low;
  let p: number = coefficients[0];
  for (let k = 1; k < coefficients.length; k++) p = p * r + coefficients[k]!;
  return p * ((1 << n) >>> 0);
}
