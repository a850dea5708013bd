import type { Machine } from "../machine/describe.js";
import type { ProbeReading } from "../machine/probe.js";
import type { Timing } from "../measure/statistics.js";

/** Raised when the meaning of a field changes. */
export const RESULTS_FORMAT = 1;

export const SUBJECTS = ["kernels", "samplers", "losses", "step"] as const;
export type SubjectName = (typeof SUBJECTS)[number];

/** What a run found, with its circumstances. Plain data: printed by `--json`, kept by `--save`. */
export interface Results {
  readonly format: typeof RESULTS_FORMAT;
  /** When the run began, ISO 8601, UTC. */
  readonly date: string;
  readonly machine: Machine;
  readonly settings: Settings;
  readonly subjects: readonly SubjectResults[];
}

export interface Settings {
  /** Timed seconds a variant. */
  readonly seconds: number;
  readonly rounds: number;
  readonly filter: string | null;
}

export interface SubjectResults {
  readonly subject: SubjectName;
  readonly groups: readonly GroupResults[];
}

/** Variants whose rounds were interleaved: only their times may be compared. */
export interface GroupResults {
  readonly name: string;
  /** The machine just before and just after the rounds. */
  readonly probe: { readonly before: ProbeReading; readonly after: ProbeReading };
  readonly rows: readonly ResultRow[];
}

export type ResultRow = TimedRow | RefusedRow;

export interface TimedRow extends Timing, Rates {
  readonly variant: string;
}

/** A variant that was not timed because its result was wrong, or because it failed. */
export interface RefusedRow {
  readonly variant: string;
  readonly refused: string;
}

/** Derived from the median and the work; null where the work has none. */
export interface Rates {
  /** 1e9 floating-point operations a second. */
  readonly gigaflops: number | null;
  /** 1e9 bytes a second, each operand counted once. */
  readonly gigabytes: number | null;
  readonly itemNanoseconds: number | null;
  /** What an item is: draw, row, logit. */
  readonly item: string | null;
}

export function isRefused(row: ResultRow): row is RefusedRow {
  return "refused" in row;
}

/** Every row that was not timed. */
export function refusedRows(results: Results): { subject: SubjectName; group: string; row: RefusedRow }[] {
  return results.subjects.flatMap(({ subject, groups }) =>
    groups.flatMap(({ name: group, rows }) => rows.filter(isRefused).map((row) => ({ subject, group, row }))),
  );
}
