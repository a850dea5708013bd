import type { Point } from "./select.js";

/**
 * From which class count a sampled step is cheaper than a full one.
 *
 * - `always`: at every size that was measured, the smallest being `classes`
 * - `between`: dearer at `below`, cheaper at `above` and at every larger size; the curves meet near `classes`
 * - `never`: dearer (or equal) at the largest size, `classes`; `exceptions` are smaller sizes at which it was cheaper all the same
 * - `unknown`: no size has both times
 */
export type Crossover =
  | { readonly kind: "always"; readonly classes: number }
  | { readonly kind: "between"; readonly classes: number; readonly below: number; readonly above: number }
  | { readonly kind: "never"; readonly classes: number; readonly exceptions: readonly number[] }
  | { readonly kind: "unknown" };

/**
 * Finds the crossover of two curves of step times against class counts (both > 0, ascending). Between two sizes the logarithm of the
 * ratio of the times is taken as linear in the logarithm of the class count, as it is where each curve is a power law.
 */
export function findCrossover(full: readonly Point[], sampled: readonly Point[]): Crossover {
  const ratios = logRatios(full, sampled);
  const last = ratios.at(-1);
  if (last === undefined) return { kind: "unknown" };
  if (last.value <= 0) {
    const exceptions = ratios.filter((point) => point.value > 0).map((point) => point.classes);
    return { kind: "never", classes: last.classes, exceptions };
  }
  const lastDear = ratios.findLastIndex((point) => point.value <= 0);
  if (lastDear === -1) return { kind: "always", classes: ratios[0]!.classes };
  const below = ratios[lastDear]!;
  const above = ratios[lastDear + 1]!;
  const share = -below.value / (above.value - below.value);
  const classes = Math.exp(Math.log(below.classes) * (1 - share) + Math.log(above.classes) * share);
  return { kind: "between", classes, below: below.classes, above: above.classes };
}

/** log(full / sampled) at the sizes both have: above 0 where sampling is cheaper. */
function logRatios(full: readonly Point[], sampled: readonly Point[]): Point[] {
  const bySize = new Map(sampled.map((point) => [point.classes, point.value]));
  return full.flatMap(({ classes, value }) => {
    const other = bySize.get(classes);
    return other === undefined ? [] : [{ classes, value: Math.log(value / other) }];
  });
}
