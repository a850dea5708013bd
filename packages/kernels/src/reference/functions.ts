/** Functions of one number, in float64. */

const SMALLEST_NORMAL_FLOAT = 2 ** -126;

/** e^x as a float32 kernel answers it: what float32 could only hold as a denormal is 0. */
export function exponential(x: number): number {
  const value = Math.exp(x);
  return value < SMALLEST_NORMAL_FLOAT ? 0 : value;
}

/** σ(x) = 1/(1 + e^−x) */
export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** log(1 + e^x), without overflow for large x or cancellation for small ones; 0 at −∞. */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}
