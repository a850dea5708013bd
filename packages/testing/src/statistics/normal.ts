import { gammaQ } from "./gamma.js";

/** P(Z > z) of a standard normal Z, precise far into the tail. */
export function normalUpperTail(z: number): number {
  const half = 0.5 * gammaQ(0.5, (z * z) / 2);
  return z >= 0 ? half : 1 - half;
}

/** P(Z <= z) of a standard normal Z: a cdf for `kolmogorovTest`. */
export function normalCdf(z: number): number {
  return normalUpperTail(-z);
}

/**
 * The z that no standard normal of `comparisons` many exceeds in size, except in a share `falseAlarmRate` of honest runs (Bonferroni:
 * P(any |Z| > z) <= falseAlarmRate, whether or not they depend on each other).
 */
export function zBound(falseAlarmRate: number, comparisons = 1): number {
  if (!(falseAlarmRate > 0 && falseAlarmRate < 1)) throw new RangeError(`false-alarm rate ${falseAlarmRate}`);
  const tail = falseAlarmRate / (2 * comparisons);
  let low = 0;
  let high = 38;
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (normalUpperTail(middle) > tail) low = middle;
    else high = middle;
  }
  return high;
}
