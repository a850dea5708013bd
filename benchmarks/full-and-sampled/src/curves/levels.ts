import { bestOf, type CurvePoint, timeToLevel } from "@logq/micro-benchmarks";
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

export const curveOf = (points: readonly Point[]): CurvePoint[] =>
  points.map(({ step, seconds, metrics }) => ({ step, seconds, value: metrics["cross-entropy"]! }));

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
