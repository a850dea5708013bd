import { requireInteger, requireNumber, requireOneOf } from "@logq/core";

export const SCHEDULES = ["constant", "linear", "cosine", "inverse-square-root"] as const;

export type ScheduleName = (typeof SCHEDULES)[number];

/** How the learning rate changes over a run. */
export interface ScheduleSpec {
  readonly name: ScheduleName;
  /** The rate rises linearly from 1/warmup of itself over this many first steps. */
  readonly warmupSteps: number;
  /** linear and cosine: the factor at the end of the run, in [0, 1]. */
  readonly finalFactor: number;
}

/** Fills in defaults and checks ranges. @throws OptionError */
export function scheduleSpec(options: Partial<ScheduleSpec> = {}): ScheduleSpec {
  return {
    name: requireOneOf("schedule", options.name ?? "constant", SCHEDULES),
    warmupSteps: requireInteger("warm-up steps", options.warmupSteps ?? 0, 0),
    finalFactor: requireNumber("final factor", options.finalFactor ?? 0, 0, 1),
  };
}

/**
 * What the learning rate is multiplied by at `step` in [0, totalSteps). inverse-square-root falls as 1/√(step/peak) after its peak, which
 * stands at the end of the warm-up, or at the first step without one.
 */
export function rateFactor(spec: ScheduleSpec, step: number, totalSteps: number): number {
  const { name, warmupSteps, finalFactor } = spec;
  if (step < warmupSteps) return (step + 1) / warmupSteps;
  if (name === "constant") return 1;
  if (name === "inverse-square-root") return Math.sqrt(Math.max(1, warmupSteps) / (step + 1));
  const span = Math.max(1, totalSteps - warmupSteps);
  const progress = Math.min(1, (step - warmupSteps) / span);
  const fall = name === "linear" ? 1 - progress : (1 + Math.cos(Math.PI * progress)) / 2;
  return finalFactor + (1 - finalFactor) * fall;
}
