import { chmod, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { MachineProbe, ProbeReading } from "@logq/micro-benchmarks";
import type { Check, Entry, Side } from "../src/measure/contender.js";
import type { ComparisonResult, Results, Row } from "../src/report/results.js";

const RATES = { gigaflops: 50, peakGigaflops: 60, gigabytes: 10 };
export const READING: ProbeReading = { oneThread: RATES, twoThreads: RATES };

/** A probe that measures nothing. */
export const NO_PROBE = { read: async () => READING, close: async () => {} } as unknown as MachineProbe;

/** A contender that takes `ms` each time, by its own account, and records what happens to it. */
export function entryOf(name: string, side: Side, ms: number, check: Check, log: string[] = []): Entry {
  return {
    name,
    side,
    settings: {},
    bytes: 0,
    async start() {
      return {
        check: async () => check,
        async round(_seconds, least) {
          log.push(name);
          return Array.from({ length: least }, () => ms);
        },
        async close() {
          log.push(`${name} closed`);
        },
      };
    },
  };
}

export function rowOf(contender: string, side: Side, value: number | null, rounds: (number | null)[] = [value]): Row {
  return { contender, side, settings: {}, value, rounds, repetitions: rounds.map(() => 1), more: {} };
}

export function resultOf(rows: readonly Row[], change: Partial<ComparisonResult> = {}): ComparisonResult {
  const probe = { before: READING, after: READING };
  return { item: "full", name: "a step", work: "What is done.", unit: "ms", probe, rows, absent: [], ...change };
}

export function resultsOf(comparisons: readonly ComparisonResult[]): Results {
  return {
    format: 1,
    date: "2001-02-03T04:05:06.000Z",
    machine: {
      cpu: "a processor",
      cores: 2,
      memoryBytes: 8 * 2 ** 30,
      os: "linux x64 6.1",
      node: "20.0.0",
      v8: "11",
      nodeOptions: [],
      load: 0.25,
      revision: "abc",
    },
    settings: { items: ["full"], quick: false, rounds: 5, seconds: 1, threads: 2, trainings: 3 },
    backends: ["wasm"],
    versions: { torch: "2.0" },
    comparisons,
  };
}

export async function temporaryFolder(): Promise<string> {
  return mkdtemp(path.join(tmpdir(), "logq-peers-test-"));
}

/** A program made of JavaScript, for want of Python. Answers its path. */
export async function scriptOf(folder: string, name: string, code: string): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(file, `#!${process.execPath}\n${code}`);
  await chmod(file, 0o755);
  return file;
}

/** Has numpy 9.9 and nothing else. */
export const FAKE_PYTHON = `
const args = process.argv.slice(2);
if (args[1]?.includes("platform")) console.log("3.99");
else if (args[2] === "numpy") console.log("9.9");
else { console.error("PackageNotFoundError"); process.exit(1); }
`;
