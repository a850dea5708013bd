/** Functions of one number, in float64. */

/** Below it e^x is 0: soon after, float32 could only hold it as a denormal. */
const LOWEST_EXPONENT = Math.fround(-87.3);

/** e^x as the interface defines it. */
export function exponential(x: number): number {
  return x < LOWEST_EXPONENT ? 0 : Math.exp(x);
}

/** σ(x) = 1/(1 + e^−x) */
export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** log(1 + e^x), without overflow for large x or cancellation for small ones; 0 at −∞. */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}
