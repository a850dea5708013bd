import { availableParallelism, cpus, loadavg } from "node:os";
import { type Backend, type BackendChoice, compileBackend, describeBackend } from "@logq/blas";
import { MemoryLimitError } from "@logq/core";
import { bytes, count } from "../base/format.js";
import { checkInterrupted, interruptible } from "../base/interrupt.js";
import { type Io, printResult } from "../base/io.js";
import { createProgress } from "../base/progress.js";
import { labelOf, measuredRows, type RowSpec } from "./rows.js";
import { CONTEXTS, DRAWS, type SpeedSubject, speedSubject, syntheticTable } from "./speed-subjects.js";
import { textTable } from "./tables.js";

export interface SpeedFlags {
  readonly classes?: readonly number[];
  readonly dim: number;
  readonly sampler?: readonly string[];
  readonly backend?: BackendChoice;
  readonly json?: boolean;
}

const CLASSES: readonly number[] = [10_000, 100_000, 1_000_000];
/** Rounds in which each sampler has its turn. */
const ROUNDS = 7;

/** What was found of a sampler at a class count. Times are of one thread, medians over rounds that take turns. */
export interface SpeedRow {
  readonly classes: number;
  readonly sampler: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly bytes: number;
  readonly buildSeconds: number;
  readonly nanosecondsPerDraw: number;
  /** Of the quickest round: on a busy machine it says more than the median. */
  readonly bestNanosecondsPerDraw: number;
  /** Of a refresh of all classes, for each class; or of a target that is learned from. */
  readonly update: { readonly of: "class" | "target"; readonly nanoseconds: number } | null;
}

/** `logq samplers --speed`: what drawing costs, and keeping up. */
export async function timeSamplers(io: Io, flags: SpeedFlags): Promise<void> {
  await interruptible(io, "stopping", async (signal) => {
    const backend = await compileBackend(flags.backend ?? "auto", false);
    const progress = createProgress(io.stderr, "timing");
    const rows: SpeedRow[] = [];
    const left: string[] = [];
    const sizes = flags.classes ?? CLASSES;
    try {
      for (const [i, n] of sizes.entries()) {
        const onPart = (done: number, text: string) => {
          checkInterrupted(signal);
          progress.update((i + done) / sizes.length, text);
        };
        rows.push(...(await timeAt(n, flags, backend, left, onPart)));
      }
    } finally {
      progress.end();
    }
    const machine = machineNow();
    const about = { dim: flags.dim, contexts: CONTEXTS, draws: DRAWS, rounds: ROUNDS };
    const answer = { ...about, backend: describeBackend(backend), machine, samplers: rows, left };
    printResult(io, flags.json, answer, () => speedText(flags.dim, rows, left, describeBackend(backend), machine));
  });
}

/** What numbers of speed mean nothing without. */
function machineNow() {
  return { cpu: cpus()[0]?.model.trim() ?? "unknown", cores: availableParallelism(), load: loadavg()[0] ?? 0 };
}

async function timeAt(
  n: number,
  { dim, sampler }: SpeedFlags,
  backend: Backend,
  left: string[],
  onPart: (done: number, text: string) => void,
): Promise<SpeedRow[]> {
  const table = syntheticTable(n, dim);
  const specs = measuredRows(dim, sampler).filter(isTimed);
  const built: { subject: SpeedSubject; seconds: number }[] = [];
  for (const [i, spec] of specs.entries()) {
    onPart((0.5 * i) / specs.length, `${count(n)} classes: building ${spec.name}`);
    await turn();
    const begin = performance.now();
    try {
      const subject = speedSubject(spec, table, backend);
      subject.check();
      built.push({ subject, seconds: (performance.now() - begin) / 1000 });
    } catch (error) {
      if (!(error instanceof MemoryLimitError) && !(error instanceof RangeError)) throw error;
      left.push(`${spec.name} at ${count(n)} classes: ${error.message}`);
    }
  }
  const draws = built.map((): number[] => []);
  const updates = built.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    // Odd rounds go the other way, so that a machine that slows down slows all of them.
    const order = built.map((_, i) => (round % 2 === 0 ? i : built.length - 1 - i));
    for (const i of order) {
      onPart(0.5 + (0.5 * round) / ROUNDS, `${count(n)} classes: drawing`);
      await turn();
      const { subject } = built[i]!;
      draws[i]!.push(nanoseconds(() => subject.draw(round)) / (CONTEXTS * DRAWS));
      // Targets are quickly learned; a pass over all classes is made once, after the draws.
      const { update } = subject;
      if (update !== null && (update.of === "target" || round === ROUNDS - 1)) {
        updates[i]!.push(nanoseconds(() => update.run(round + 1)) / update.count);
      }
    }
  }
  return built.map(({ subject, seconds }, i) => ({
    classes: n,
    sampler: subject.sampler,
    options: subject.options,
    bytes: subject.bytes,
    buildSeconds: seconds,
    nanosecondsPerDraw: median(draws[i]!),
    bestNanosecondsPerDraw: Math.min(...draws[i]!),
    update: subject.update === null ? null : { of: subject.update.of, nanoseconds: median(updates[i]!) },
  }));
}

/** Pools draw by their first sampler and the logits of a model; the exact softmax is no sampler; a ring of batches draws as in-batch does. */
function isTimed({ name }: RowSpec): boolean {
  return !["exact softmax", "hard", "two-pass", "cross-batch"].includes(name);
}

function nanoseconds(work: () => void): number {
  const begin = performance.now();
  work();
  return 1e6 * (performance.now() - begin);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Lets signals through. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function speedText(
  dim: number,
  rows: readonly SpeedRow[],
  left: readonly string[],
  backend: string,
  { cpu, cores, load }: ReturnType<typeof machineNow>,
): string {
  const head = ["classes", "sampler", "ns a draw", "best", "keeping up", "build", "memory"];
  const lines = rows.map((row) => [
    count(row.classes),
    labelOf(row.sampler, row.options),
    row.nanosecondsPerDraw.toFixed(1),
    row.bestNanosecondsPerDraw.toFixed(1),
    row.update === null ? "–" : `${row.update.nanoseconds.toFixed(0)} ns a ${row.update.of}`,
    `${row.buildSeconds.toFixed(2)} s`,
    bytes(row.bytes),
  ]);
  return (
    `${textTable(head, lines)}\n${left.map((line) => `left out: ${line}\n`).join("")}` +
    `${CONTEXTS} contexts x ${DRAWS} draws of width ${dim}, one thread, medians of ${ROUNDS} rounds in turn; a refresh is of all classes, made once.\n` +
    `${cpu}, ${cores} cores, load ${load.toFixed(1)}; back-end ${backend}\n`
  );
}
