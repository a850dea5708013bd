import { lossNameOf, type RunOptions, type TrainProgress } from "@logq/trainers";
import { clock, counted } from "../base/format.js";

/** What an epoch will take, from what the first steps took. */
export function epochEstimate(options: RunOptions, progress: TrainProgress, stepsPerEpoch: number): string {
  const perStep = progress.seconds / Math.max(1, progress.step);
  return (
    `${lossNameOf(options)}: about ${clock(perStep * stepsPerEpoch)} for an epoch of ${counted(stepsPerEpoch, "step")} ` +
    `(${(1000 * perStep).toFixed(1)} ms each), by the first ${counted(progress.step, "step")}`
  );
}
