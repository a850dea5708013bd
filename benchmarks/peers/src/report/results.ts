import type { Machine, ProbeReading } from "@logq/micro-benchmarks";
import type { Side } from "../measure/contender.js";

/** Raised when the meaning of a field changes. */
export const RESULTS_FORMAT = 1;

export const ITEMS = ["full", "sampled", "next-word", "workers", "topk", "word2vec", "train", "curves"] as const;
export type ItemName = (typeof ITEMS)[number];

/** What a run found, with its circumstances. Plain data: printed by `--json`, kept under benchmarks/results. */
export interface Results {
  readonly format: typeof RESULTS_FORMAT;
  /** When the run began, ISO 8601, UTC. */
  readonly date: string;
  readonly machine: Machine;
  readonly settings: Settings;
  /** logq's back-ends that ran: of a BLAS the library, and for which processor. */
  readonly backends: readonly string[];
  /** Versions of what the peers are, by name; what could not be had is among the absent of the comparisons. */
  readonly versions: Readonly<Record<string, string>>;
  readonly comparisons: readonly ComparisonResult[];
}

export interface Settings {
  readonly items: readonly ItemName[];
  readonly quick: boolean;
  readonly rounds: number;
  readonly seconds: number;
  readonly threads: number;
  /** Seeds of trainings: word2vec and train. */
  readonly trainings: number;
}

/** Only numbers of one comparison may be compared. */
export interface ComparisonResult {
  readonly item: ItemName;
  readonly name: string;
  readonly work: string;
  /** Of the values: less is better of times, more of rates. */
  readonly unit: Unit;
  /** The machine just before and just after. */
  readonly probe: { readonly before: ProbeReading; readonly after: ProbeReading };
  readonly rows: readonly Row[];
  readonly absent: readonly Absent[];
}

export const UNITS = { ms: "less", s: "less", "words/s a thread": "more" } as const;
export type Unit = keyof typeof UNITS;

export interface Row {
  readonly contender: string;
  readonly side: Side;
  readonly settings: Readonly<Record<string, unknown>>;
  /** The median of the rounds; null if none came to an end. */
  readonly value: number | null;
  /** One value a round: a median of its repetitions, or a training. */
  readonly rounds: readonly (number | null)[];
  /** How often the work was done in each round. */
  readonly repetitions: readonly number[];
  /** Further columns: quality, steps. */
  readonly more: Readonly<Record<string, number | null>>;
}

export interface Absent {
  readonly contender: string;
  readonly reason: string;
}

/** How many times better logq's row is than the peer's; undefined where one of them has no value. */
export function advantage(ours: Row, peer: Row, unit: Unit): number | undefined {
  if (ours.value === null || peer.value === null) return undefined;
  return UNITS[unit] === "less" ? peer.value / ours.value : ours.value / peer.value;
}
