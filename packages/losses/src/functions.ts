/** log(1 + e^x), for any x: it neither overflows nor loses small values. softplus(−∞) = 0. */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** σ(x) = 1 / (1 + e^−x), without overflow; relative precision is kept for very negative x. */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

/** Σ 1/i for i = 1 … k; 0 for k = 0. From 32 on by the expansion of Euler and Maclaurin, whose error is below 1e-11 there. */
export function harmonic(k: number): number {
  if (k >= 32) return Math.log(k) + EULER_GAMMA + 1 / (2 * k) - 1 / (12 * k * k) + 1 / (120 * k ** 4);
  let sum = 0;
  for (let i = 1; i <= k; i++) sum += 1 / i;
  return sum;
}

const EULER_GAMMA = 0.5772156649015329;
