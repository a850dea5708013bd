import { frequencyOrder } from "@logq/samplers";
import type { RunOptions, TrainProgress } from "@logq/trainers";
import { clock, count, counted } from "../base/format.js";

/** From this many classes on, the cost of looking at all of them is worth a word. */
export const MANY_CLASSES = 50_000;

/** What a user should know before the first step. @param counts (n) of the classes, by id */
export function warningsBefore(options: RunOptions, counts: ArrayLike<number>): string[] {
  const warnings: string[] = [];
  if (options.sampler?.name === "log-uniform") {
    const { gamma, verdict } = frequencyOrder(counts);
    if (verdict !== "sorted") {
      warnings.push(
        `log-uniform takes low ids for frequent classes, but these are ${verdict === "roughly" ? "only roughly" : "not"} in ` +
          `that order (gamma ${gamma.toFixed(2)}, 1 is sorted): unigram knows the counts`,
      );
    }
  }
  if (options.sampler !== undefined && options.loss.correction === "none" && options.loss.name === "sampled-softmax") {
    warnings.push(
      "without correction the model learns log p - log Q instead of log p: its rankings depend on the sampler",
    );
  }
  if (options.sampler === undefined && counts.length >= MANY_CLASSES) {
    warnings.push(
      `${options.loss.name} looks at all ${count(counts.length)} classes in every step; an estimate follows`,
    );
  }
  return warnings;
}

/** What an epoch will take, from what the first steps took. */
export function epochEstimate(options: RunOptions, progress: TrainProgress, stepsPerEpoch: number): string {
  const perStep = progress.seconds / Math.max(1, progress.step);
  return (
    `${options.loss.name}: about ${clock(perStep * stepsPerEpoch)} for an epoch of ${counted(stepsPerEpoch, "step")} ` +
    `(${(1000 * perStep).toFixed(1)} ms each), by the first ${counted(progress.step, "step")}`
  );
}
