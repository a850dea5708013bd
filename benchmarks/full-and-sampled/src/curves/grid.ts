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
