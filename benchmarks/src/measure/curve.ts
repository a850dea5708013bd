/** A measurement of a training. */
export interface CurvePoint {
  readonly step: number;
  /** Of training; measurements do not count. */
  readonly seconds: number;
  /** What is measured; less is better. */
  readonly value: number;
}

/** The first measurement after the start: every stop of a training costs it a little, and single steps teach next to nothing. */
const FIRST = 5;

/**
 * Steps at which a training is measured: 0, 5, and from there on each at most `growth` times the one before, but at least a step later; the end of
 * every epoch; the last step. Dense where a curve is steep.
 */
export function measuredSteps(totalSteps: number, stepsPerEpoch: number, growth: number): number[] {
  const steps = [0];
  for (let step = FIRST; step < totalSteps; step = Math.max(step + 1, Math.floor(step * growth))) steps.push(step);
  for (let end = stepsPerEpoch; end < totalSteps; end += stepsPerEpoch) steps.push(end);
  steps.push(totalSteps);
  return [...new Set(steps)].sort((a, b) => a - b);
}

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
