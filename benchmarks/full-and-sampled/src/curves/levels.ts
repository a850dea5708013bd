import type { Point } from "../shared/results.js";

/** What both curves have to say about one level of cross-entropy. */
export interface LevelTimes {
  /** Nats. */
  readonly level: number;
  /** Seconds of training; null: never reached. */
  readonly full: number | null;
  readonly sampled: number | null;
  /** How many times sooner the sampled training was there. */
  readonly ratio: number | null;
}

/** A point of a curve. */
export interface CurvePoint {
  readonly step: number;
  readonly seconds: number;
  /** Nats. */
  readonly value: number;
}

export const curveOf = (points: readonly Point[]): CurvePoint[] =>
  points.map(({ step, seconds, metrics }) => ({ step, seconds, value: metrics["cross-entropy"]! }));

/** The point of the least value. */
export const bestOf = (curve: readonly CurvePoint[]): CurvePoint =>
  curve.reduce((best, point) => (point.value < best.value ? point : best));

/** When a level is first reached: on the straight line between the last measurement above it and the next; null if none reaches it. */
export function timeToLevel(curve: readonly CurvePoint[], level: number): number | null {
  const at = curve.findIndex(({ value }) => value <= level);
  if (at < 0) return null;
  const [before, after] = [curve[at - 1], curve[at]!];
  if (before === undefined) return after.seconds;
  const share = (before.value - level) / (before.value - after.value);
  return before.seconds + share * (after.seconds - before.seconds);
}

/**
 * All levels that full softmax reaches in its first epoch: multiples of `step` nats below what both start from, and at the end the lowest level that
 * both reach.
 */
export function levelTimes(
  full: readonly CurvePoint[],
  sampled: readonly CurvePoint[],
  stepsPerEpoch: number,
  step: number,
): LevelTimes[] {
  const first = full.filter((point) => point.step <= stepsPerEpoch);
  const [start, end] = [first[0]!.value, bestOf(first).value];
  const levels: number[] = [];
  for (let i = Math.ceil(start / step) - 1; i * step >= end; i--) levels.push(Number((i * step).toPrecision(12)));
  const both = Math.max(end, bestOf(sampled).value);
  if (both < start && !levels.includes(both)) levels.push(both);
  return levels
    .sort((a, b) => b - a)
    .map((level) => {
      const [one, other] = [timeToLevel(first, level), timeToLevel(sampled, level)];
      return { level, full: one, sampled: other, ratio: one === null || other === null ? null : one / other };
    });
}
