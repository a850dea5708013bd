import type { MachineProbe } from "@logq/micro-benchmarks";
import { messageOf } from "../message.js";
import type { Absent, ComparisonResult, Row } from "../report/results.js";
import { medianOf } from "./compare.js";
import type { Side } from "./contender.js";

/** What one training came to. */
export interface Outcome {
  /** What is compared; null if it did not get there. */
  readonly value: number | null;
  /** Further columns. */
  readonly more: Readonly<Record<string, number | null>>;
}

/** One that trains, once for each seed. */
export interface Trial {
  readonly name: string;
  readonly side: Side;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Rejects with the reason if it cannot be had here. */
  prepare(): Promise<void>;
  train(seed: number): Promise<Outcome>;
}

const PROBE_MS = 40;

/** Trains everybody with one seed after the other, in turned order every other seed. One that fails is left out from then on. */
export async function runTrials(
  head: Pick<ComparisonResult, "item" | "name" | "work" | "unit">,
  trials: readonly Trial[],
  absent: readonly Absent[],
  seeds: number,
  probe: MachineProbe,
  tell: (text: string) => void,
): Promise<ComparisonResult> {
  const missing: Absent[] = [...absent];
  const outcomes = new Map<Trial, Outcome[]>(trials.map((trial) => [trial, []]));
  const attempt = async (trial: Trial, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      missing.push({ contender: trial.name, reason: messageOf(error) });
      outcomes.delete(trial);
    }
  };
  for (const trial of trials) await attempt(trial, () => trial.prepare());
  const before = await probe.read(PROBE_MS);
  for (let seed = 1; seed <= seeds; seed++) {
    const order = [...outcomes.keys()];
    for (const trial of seed % 2 === 1 ? order : order.reverse()) {
      tell(`  seed ${seed}: ${trial.name}`);
      await attempt(trial, async () => {
        const outcome = await trial.train(seed);
        outcomes.get(trial)!.push(outcome);
      });
    }
  }
  const after = await probe.read(PROBE_MS);
  return { ...head, probe: { before, after }, rows: [...outcomes].map(rowOf), absent: missing };
}

function rowOf([trial, outcomes]: readonly [Trial, readonly Outcome[]]): Row {
  const columns = [...new Set(outcomes.flatMap(({ more }) => Object.keys(more)))];
  return {
    contender: trial.name,
    side: trial.side,
    settings: trial.settings,
    // A training that did not get there counts as slower than any other: a median is that of those that did only if most did.
    value: medianOrNull(outcomes.map(({ value }) => value)),
    rounds: outcomes.map(({ value }) => value),
    repetitions: outcomes.map(() => 1),
    more: Object.fromEntries(
      columns.map((column) => [column, meanOrNull(outcomes.map(({ more }) => more[column] ?? null))]),
    ),
  };
}

/** Null counts as infinitely much. */
export function medianOrNull(values: readonly (number | null)[]): number | null {
  const median = medianOf(values.map((value) => value ?? Number.POSITIVE_INFINITY));
  return Number.isFinite(median) ? median : null;
}

function meanOrNull(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}
