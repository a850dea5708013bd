import { expectAllClose } from "./compare.js";

export interface GradientCheck {
  /** Distance of the points. Default 1e-5 with 2 points, 1e-3 with 4: near where rounding and truncation are alike in float64. */
  readonly step?: number;
  /** Points of the difference formula: 2 has error O(step²), 4 has O(step⁴). Default 4. */
  readonly points?: 2 | 4;
  /** Allowed |analytic − numeric| as a share of the largest |numeric|. Default 1e-8. */
  readonly tolerance?: number;
  /** Allowed besides, for gradients that are zero but for rounding. Default 1e-10. */
  readonly absolute?: number;
  /** Which elements of x to check. Default all. */
  readonly indices?: readonly number[];
  readonly name?: string;
}

/**
 * Compares `analytic`, the gradient of f at x, with central differences in float64; throws with a report if they differ.
 * Answers the numeric values, one for each index checked. f gets a copy of x that it may not keep; it must answer a finite number.
 */
export function checkGradient(
  f: (x: Float64Array) => number,
  x: ArrayLike<number>,
  analytic: ArrayLike<number>,
  options: GradientCheck = {},
): Float64Array {
  const { points = 4, tolerance = 1e-8, absolute = 1e-10, name = "gradient" } = options;
  const { step = points === 2 ? 1e-5 : 1e-3 } = options;
  if (analytic.length !== x.length) throw new Error(`${name}: ${analytic.length} values for ${x.length} variables`);
  const indices = options.indices ?? Array.from({ length: x.length }, (_, i) => i);
  if (indices.length === 0) throw new Error(`${name}: nothing to check`);
  const moved = Float64Array.from(x);
  const numeric = Float64Array.from(indices, (i) => centralDifference(f, moved, i, step, points));
  const scale = numeric.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  const checked = indices.map((i) => analytic[i]!);
  expectAllClose(checked, numeric, { absolute: absolute + tolerance * scale, name });
  return numeric;
}

/** ∂f/∂x[i]: (f(+h) − f(−h)) / 2h, or (8(f(+h) − f(−h)) − (f(+2h) − f(−2h))) / 12h. */
function centralDifference(
  f: (x: Float64Array) => number,
  x: Float64Array,
  i: number,
  step: number,
  points: 2 | 4,
): number {
  const center = x[i]!;
  const oddPart = (distance: number): number => {
    x[i] = center + distance;
    const above = f(x);
    x[i] = center - distance;
    const below = f(x);
    x[i] = center;
    return above - below;
  };
  if (points === 2) return oddPart(step) / (2 * step);
  return (8 * oddPart(step) - oddPart(2 * step)) / (12 * step);
}
