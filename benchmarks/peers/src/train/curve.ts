import { bestOf, type CurvePoint, measuredSteps, timeToLevel } from "@logq/micro-benchmarks";
import type { Side } from "../measure/contender.js";
import type { Row } from "../report/results.js";
import type { Learner } from "./learner.js";

/** One whose curve is drawn. */
export interface Runner {
  readonly name: string;
  readonly side: Side;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Steps it makes in all. */
  readonly totalSteps: number;
  create(): Promise<Learner>;
}

/** From one measurement to the next, steps grow by this much. */
const GROWTH = 1.2;

/** A runner at work. */
export interface Running {
  readonly runner: Runner;
  readonly learner: Learner;
  readonly curve: CurvePoint[];
}

/**
 * Trains all of them side by side, each in turn up to the next measurement, in turned order every other time, so that a slow hour is everybody's.
 * @param limit test examples that measurements look at
 */
export async function drawCurves(all: readonly Running[], limit: number, tell: (text: string) => void): Promise<void> {
  const longest = Math.max(...all.map(({ runner }) => runner.totalSteps));
  const shortest = Math.min(...all.map(({ runner }) => runner.totalSteps));
  for (const [i, stop] of measuredSteps(longest, shortest, GROWTH).entries()) {
    tell(`  step ${stop} of ${longest}`);
    for (const one of i % 2 === 0 ? all : all.toReversed()) {
      if (stop <= one.runner.totalSteps) await measureAt(one, stop, limit);
    }
  }
}

async function measureAt({ learner, curve }: Running, step: number, limit: number): Promise<void> {
  const before = curve.at(-1) ?? { step: 0, seconds: 0 };
  const seconds = step === 0 ? 0 : await learner.steps(step - before.step);
  curve.push({ step, seconds: before.seconds + seconds, value: await learner.quality(limit) });
}

/** Seconds to the last level, and further columns: to the others, a step, and the best value. */
export function curveRow({ runner, curve }: Running, levels: readonly number[]): Row {
  const { name, side, settings } = runner;
  const last = curve.at(-1)!;
  const value = timeToLevel(curve, levels.at(-1)!);
  return {
    contender: name,
    side,
    settings: { ...settings, curve },
    value,
    rounds: [value],
    repetitions: [1],
    more: {
      ...Object.fromEntries(levels.slice(0, -1).map((level) => [`to ${level}`, timeToLevel(curve, level)])),
      "ms a step": (1000 * last.seconds) / last.step,
      "best nats": bestOf(curve).value,
      steps: last.step,
    },
  };
}
