import type { Outcome } from "../measure/trials.js";

/** A model in training on either side. */
export interface Learner {
  /** Trains so many steps more; seconds of training alone. */
  steps(count: number): Promise<number>;
  /** On the test part, exact; of its first `limit` examples only, if that is given. */
  quality(limit?: number): Promise<number>;
  close(): Promise<void>;
}

/** When a training is done. */
export interface Goal {
  /** The name of the quality in tables. */
  readonly metric: string;
  readonly target: number;
  readonly more: "better" | "worse";
  /** Steps between two checks. */
  readonly every: number;
  /** Steps before the first check. */
  readonly from: number;
  readonly totalSteps: number;
  /** Checks look at so many test examples first, and at all only if these come near; undefined: all at once. */
  readonly glance?: number;
  /** Checks look at so many test examples and no more. */
  readonly limit?: number;
}

/** How near a glance has to come before everything is looked at, as a share of the target. */
const NEAR = 1.05;

/** Trains until a check passes: seconds of training, evaluations not counted; null if none passes. */
export async function timeToQuality(learner: Learner, goal: Goal): Promise<Outcome> {
  const { every, from, totalSteps, metric, limit } = goal;
  let seconds = 0;
  let quality = Number.NaN;
  for (let done = 0; done < totalSteps; ) {
    const count = Math.min(done === 0 ? from : every, totalSteps - done);
    seconds += await learner.steps(count);
    done += count;
    if (goal.glance !== undefined && !passes(await learner.quality(goal.glance), goal, NEAR)) continue;
    quality = await learner.quality(limit);
    if (passes(quality, goal, 1)) return { value: seconds, more: { [metric]: quality, steps: done } };
  }
  return { value: null, more: { [metric]: quality, steps: totalSteps } };
}

function passes(quality: number, { target, more }: Goal, slack: number): boolean {
  return more === "better" ? quality * slack >= target : quality <= target * slack;
}
