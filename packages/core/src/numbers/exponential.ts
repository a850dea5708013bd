const LOG2_E = Math.LOG2E;

/** ln 2 in two parts: the first has zeros at its end, so that its products with small integers are exact (Cody and Waite 1980). */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

/** Adding and subtracting it rounds to the nearest integer, ties to even. */
const ROUNDER = 6755399441055744;

/** 1/k! from 13 down to 2. */
const COEFFICIENTS = [
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
] as const;

/**
 * e^x for x in [0, 21.8], relative error below 1e-15, from additions and multiplications alone: the same bits in every engine and in WebAssembly,
 * which `Math.exp` does not promise. For numbers that decide what is drawn.
 */
export function portableExp(x: number): number {
  const n = x * LOG2_E + ROUNDER - ROUNDER;
  const r = x - n * LN2_HIGH - n * LN2_LOW;
  let p: number = COEFFICIENTS[0];
  for (let k = 1; k < COEFFICIENTS.length; k++) p = p * r + COEFFICIENTS[k]!;
  p = p * r + 1;
  p = p * r + 1;
  return p * ((1 << n) >>> 0);
}
