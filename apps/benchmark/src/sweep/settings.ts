import type { BackendName, LossName, PresetName, SamplerName } from "../names.js";

/** What a sweep was asked to do, as it stands in results.json. */
export interface Settings {
  /** Version of the meaning of results.json and of how cells are measured. */
  readonly format: number;
  readonly preset: PresetName;
  /** Class counts, ascending. */
  readonly classes: readonly number[];
  readonly losses: readonly LossName[];
  /** The samplers every candidate loss is crossed with; null: its default at every size, and all of them at `samplersAt`. */
  readonly samplers: readonly SamplerName[] | null;
  /** The class count at which all samplers are compared; null when `samplers` is given or no size is singled out. */
  readonly samplersAt: number | null;
  readonly negatives: readonly number[];
  readonly workers: readonly number[];
  /** D, the width of a class row. */
  readonly dim: number;
  /** B, examples of a step. */
  readonly batch: number;
  readonly seed: number;
  readonly backend: BackendName;
  /** Folder of a prepared data set, absolute; null for synthetic data. */
  readonly data: string | null;
  /** Training time of each cell, seconds. */
  readonly seconds: number;
}

/** Raised whenever cells measured before would no longer be comparable. */
export const FORMAT = 1;

/** The settings that change what a cell measures. The shape of the sweep is not among them: a longer sweep keeps the cells of a shorter one. */
const CELL_SETTINGS = ["format", "dim", "batch", "seed", "backend", "data", "seconds"] as const;

/** The differences that make cells of `before` useless for `now`, one phrase each ("batch 128 -> 256"); empty if there are none. */
export function settingsChanges(before: Settings, now: Settings): string[] {
  return CELL_SETTINGS.filter((name) => before[name] !== now[name]).map(
    (name) => `${name} ${before[name] ?? "none"} -> ${now[name] ?? "none"}`,
  );
}
