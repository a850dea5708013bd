import type { SamplerOptions } from "@logq/trainers";
import { labelOf } from "../rows.js";
import { mean, median, standardDeviation } from "../statistics.js";
import type { Converged, ConvergeSetting, Training } from "./log.js";
import { NEAR, type Tried } from "./sizes.js";
import { FULL } from "./subjects.js";

/** All seeds of a sampler at a size. */
export interface SizeSummary {
  /** S; null: there is none to choose. */
  readonly negatives: number | null;
  readonly seeds: number;
  /** NaN if a training diverged. */
  readonly mean: number;
  /** Standard deviation over the seeds; undefined of one. */
  readonly spread: number | undefined;
  /** By what share full softmax of the same seeds is better. */
  readonly excess: number;
  /** Time of a step, the median over the seeds, times the steps. */
  readonly trainingSeconds: number;
}

export interface SamplerSummary {
  readonly sampler: string;
  readonly options: SamplerOptions;
  /** Ascending. */
  readonly sizes: readonly SizeSummary[];
  /** The least size that is near full softmax; undefined: none that was tried. */
  readonly least: SizeSummary | undefined;
}

/** What trainings come to: full softmax, and each sampler in the order in which they were first trained. */
export interface ConvergeSummary {
  readonly full: SizeSummary | undefined;
  readonly samplers: readonly SamplerSummary[];
}

export function summarise({ setting, trainings }: Converged): ConvergeSummary {
  const full = trainings.filter(({ sampler }) => sampler === FULL.sampler);
  const others = groups(
    trainings.filter(({ sampler }) => sampler !== FULL.sampler),
    ({ sampler, options }) => labelOf(sampler, options),
  );
  return {
    full: full.length === 0 ? undefined : sizeSummary(setting, full, full),
    samplers: others.map((own) => samplerSummary(setting, own, full)),
  };
}

function samplerSummary(setting: ConvergeSetting, own: readonly Training[], full: readonly Training[]): SamplerSummary {
  const { sampler, options } = own[0]!;
  const sizes = groups(own, ({ negatives }) => String(negatives))
    .map((ofSize) => sizeSummary(setting, ofSize, full))
    .sort((a, b) => (a.negatives ?? 0) - (b.negatives ?? 0));
  return { sampler, options, sizes, least: sizes.find(({ excess }) => excess <= NEAR) };
}

function sizeSummary(setting: ConvergeSetting, own: readonly Training[], full: readonly Training[]): SizeSummary {
  const values = own.map((one) => qualityOf(setting, one));
  const seeds = new Set(own.map(({ seed }) => seed));
  const reached = full.filter(({ seed }) => seeds.has(seed)).map((one) => qualityOf(setting, one));
  const middle = mean(values);
  const milliseconds = median(own.map(({ stepMilliseconds }) => stepMilliseconds));
  return {
    negatives: own[0]!.negatives,
    seeds: own.length,
    mean: middle,
    spread: standardDeviation(values),
    excess: excessOf(setting.metric, middle, mean(reached)),
    trainingSeconds: (milliseconds * setting.steps) / 1000,
  };
}

/** What was tried with one seed; null sizes are none. @param full of the same seed */
export function triedOf(setting: ConvergeSetting, own: readonly Training[], full: Training): Tried[] {
  const reached = qualityOf(setting, full);
  return own.flatMap((one) =>
    one.negatives === null
      ? []
      : [{ negatives: one.negatives, excess: excessOf(setting.metric, qualityOf(setting, one), reached) }],
  );
}

/** What a training is judged by; NaN if it diverged. */
export function qualityOf({ metric }: ConvergeSetting, { metrics }: Training): number {
  return metrics?.[metric] ?? Number.NaN;
}

/** The share of its own value by which full softmax is better. */
function excessOf(metric: string, value: number, full: number): number {
  return metric === "cross-entropy" ? value / full - 1 : 1 - value / full;
}

function groups<T>(values: readonly T[], keyOf: (value: T) => string): T[][] {
  const found = new Map<string, T[]>();
  for (const value of values) {
    const own = found.get(keyOf(value));
    if (own === undefined) found.set(keyOf(value), [value]);
    else own.push(value);
  }
  return [...found.values()];
}
