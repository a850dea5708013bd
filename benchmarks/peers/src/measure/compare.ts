import { freemem } from "node:os";
import { type MachineProbe, quantile } from "@logq/micro-benchmarks";
import { messageOf } from "../message.js";
import type { Absent, ComparisonResult, ItemName, Row } from "../report/results.js";
import { type Agreements, requireAgreement } from "./agree.js";
import type { Check, Contender, Entry } from "./contender.js";

/** The same work by several, their rounds interleaved. */
export interface Comparison {
  readonly item: ItemName;
  readonly name: string;
  /** What all of them do, in a sentence. */
  readonly work: string;
  readonly agreements: Agreements;
  /** Writes the inputs; answers who takes part. */
  prepare(): Promise<{ readonly entries: readonly Entry[]; close(): Promise<void> }>;
  /** Known beforehand not to take part. */
  readonly absent: readonly Absent[];
}

export interface Effort {
  readonly rounds: number;
  /** Timed seconds of one contender in one round. */
  readonly seconds: number;
  /** The least repetitions of a round. */
  readonly least: number;
}

interface Running {
  readonly entry: Entry;
  readonly contender: Contender;
  readonly rounds: number[][];
}

/** Untimed part of the first round. */
const WARM_UP_SHARE = 0.5;
const PROBE_MS = 40;

/**
 * Starts everybody, holds the first step of each to that of the first who could start, then times those who agree: in each round every one
 * has its turn, in turned order every other round.
 */
export async function runComparison(
  comparison: Comparison,
  effort: Effort,
  probe: MachineProbe,
  tell: (text: string) => void,
): Promise<ComparisonResult> {
  const { entries, close } = await comparison.prepare();
  const absent: Absent[] = [...comparison.absent];
  const running: Running[] = [];
  try {
    let expected: { readonly by: string; readonly check: Check } | undefined;
    for (const entry of entries) {
      tell(`  ${entry.name}: starting`);
      const contender = await startOr(entry, absent);
      if (contender === undefined) continue;
      try {
        const check = await contender.check();
        if (expected !== undefined) requireAgreement(check, expected.check, entry.agreements ?? comparison.agreements);
        expected ??= { by: entry.name, check };
        await contender.round(WARM_UP_SHARE * effort.seconds, 1);
        running.push({ entry, contender, rounds: [] });
      } catch (error) {
        await contender.close();
        const against = expected === undefined ? "" : ` (compared with ${expected.by})`;
        absent.push({ contender: entry.name, reason: `refused: ${messageOf(error)}${against}` });
      }
    }
    const before = await probe.read(PROBE_MS);
    await interleave(running, effort, absent, tell);
    const after = await probe.read(PROBE_MS);
    return {
      item: comparison.item,
      name: comparison.name,
      work: comparison.work,
      unit: "ms",
      probe: { before, after },
      rows: running.map(rowOf),
      absent,
    };
  } finally {
    for (const { contender } of running) await contender.close();
    await close();
  }
}

async function startOr(entry: Entry, absent: Absent[]): Promise<Contender | undefined> {
  const free = freemem();
  if (entry.bytes > free) {
    absent.push({ contender: entry.name, reason: `needs ${gibibytes(entry.bytes)}, and ${gibibytes(free)} are free` });
    return undefined;
  }
  try {
    return await entry.start();
  } catch (error) {
    absent.push({ contender: entry.name, reason: messageOf(error) });
    return undefined;
  }
}

/** One that fails in a round is closed and goes from `running` to `absent`. */
async function interleave(
  running: Running[],
  { rounds, seconds, least }: Effort,
  absent: Absent[],
  tell: (text: string) => void,
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    tell(`  round ${round + 1} of ${rounds}`);
    for (const one of round % 2 === 0 ? [...running] : [...running].reverse()) {
      try {
        one.rounds.push([...(await one.contender.round(seconds, least))]);
      } catch (error) {
        absent.push({ contender: one.entry.name, reason: `failed in round ${round + 1}: ${messageOf(error)}` });
        running.splice(running.indexOf(one), 1);
        await one.contender.close();
      }
    }
  }
}

function rowOf({ entry, rounds }: Running): Row {
  const medians = rounds.map((times) => medianOf(times));
  return {
    contender: entry.name,
    side: entry.side,
    settings: entry.settings,
    value: medianOf(medians),
    rounds: medians,
    repetitions: rounds.map((times) => times.length),
    more: {},
  };
}

const gibibytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

/** NaN without values. */
export function medianOf(values: readonly number[]): number {
  return quantile(Float64Array.from(values).sort(), 0.5);
}
