import { type Backend, type BackendChoice, compileBackend, describeBackend } from "@logq/blas";
import { MemoryLimitError } from "@logq/core";
import { bytes, count } from "../base/format.js";
import { checkInterrupted, interruptible } from "../base/interrupt.js";
import { type Io, printResult } from "../base/io.js";
import { createProgress } from "../base/progress.js";
import { LossStep } from "./loss-step.js";
import { type Machine, machineNow } from "./machine.js";
import { labelOf, measuredRows, type RowSpec } from "./rows.js";
import { CONTEXTS, DRAWS, type SpeedSubject, speedSubject, syntheticTable } from "./speed-subjects.js";
import { median } from "./statistics.js";
import { textTable } from "./tables.js";

export interface SpeedFlags {
  readonly classes?: readonly number[];
  readonly dim?: number;
  readonly sampler?: readonly string[];
  readonly backend?: BackendChoice;
  readonly json?: boolean;
}

const CLASSES: readonly number[] = [10_000, 100_000, 1_000_000];
/** Of a class row. */
export const SPEED_WIDTH = 128;
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
  /** What all draws take, over what the loss step takes that they are for; null: there is no such step. */
  readonly ofStep: number | null;
  /** Of a refresh of all classes, for each class; or of a target that is learned from. */
  readonly update: { readonly of: "class" | "target"; readonly nanoseconds: number } | null;
}

/** Sampled softmax with as many candidates for each row, at a class count; drawing them is taken off. */
export interface StepTime {
  readonly classes: number;
  readonly milliseconds: number;
  readonly bestMilliseconds: number;
}

/** `logq samplers --speed`: what drawing costs, and keeping up. */
export async function timeSamplers(io: Io, flags: SpeedFlags): Promise<void> {
  await interruptible(io, "stopping", async (signal) => {
    const backend = await compileBackend(flags.backend ?? "auto", false);
    const progress = createProgress(io.stderr, "timing");
    const rows: SpeedRow[] = [];
    const steps: StepTime[] = [];
    const left: string[] = [];
    const sizes = flags.classes ?? CLASSES;
    const dim = flags.dim ?? SPEED_WIDTH;
    try {
      for (const [i, n] of sizes.entries()) {
        const onPart = (done: number, text: string) => {
          checkInterrupted(signal);
          progress.update((i + done) / sizes.length, text);
        };
        const timed = await timeAt(n, dim, flags.sampler, backend, left, onPart);
        rows.push(...timed.rows);
        if (timed.step !== undefined) steps.push(timed.step);
      }
    } finally {
      progress.end();
    }
    const machine = machineNow();
    const about = { dim, contexts: CONTEXTS, draws: DRAWS, rounds: ROUNDS };
    const answer = { ...about, backend: describeBackend(backend), machine, samplers: rows, steps, left };
    printResult(io, flags.json, answer, () => speedText(dim, rows, steps, left, describeBackend(backend), machine));
  });
}

interface Built {
  readonly subject: SpeedSubject;
  readonly seconds: number;
}

async function timeAt(
  n: number,
  dim: number,
  sampler: readonly string[] | undefined,
  backend: Backend,
  left: string[],
  onPart: (done: number, text: string) => void,
): Promise<{ rows: SpeedRow[]; step: StepTime | undefined }> {
  const table = syntheticTable(n, dim);
  const specs = measuredRows(dim, sampler).filter((spec) => isTimed(spec, dim));
  const built: Built[] = [];
  for (const [i, spec] of specs.entries()) {
    const { name, ...options } = spec;
    const label = labelOf(name, options);
    onPart((0.5 * i) / specs.length, `${count(n)} classes: building ${label}`);
    await turn();
    const begin = performance.now();
    const subject = await unlessTooLarge(`${label} at ${count(n)} classes`, left, () =>
      speedSubject(spec, table, backend),
    );
    subject?.check();
    if (subject !== undefined) built.push({ subject, seconds: (performance.now() - begin) / 1000 });
  }
  const step = await unlessTooLarge(`the step at ${count(n)} classes`, left, () =>
    LossStep.create(n, dim, CONTEXTS, DRAWS, backend.name),
  );
  try {
    return await timeRounds(n, built, step, (done) => onPart(0.5 + 0.5 * done, `${count(n)} classes: drawing`));
  } finally {
    await step?.close();
  }
}

/** What `create` makes; undefined, and a line more in `left`, if there is no memory for it. */
async function unlessTooLarge<T>(what: string, left: string[], create: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await create();
  } catch (error) {
    if (!(error instanceof MemoryLimitError) && !(error instanceof RangeError)) throw error;
    left.push(`${what}: ${error.message}`);
    return undefined;
  }
}

async function timeRounds(
  n: number,
  built: readonly Built[],
  step: LossStep | undefined,
  onPart: (done: number) => void,
): Promise<{ rows: SpeedRow[]; step: StepTime | undefined }> {
  const draws = built.map((): number[] => []);
  const updates = built.map((): number[] => []);
  const steps: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    // Odd rounds go the other way, so that a machine that slows down slows all of them.
    const order = built.map((_, i) => (round % 2 === 0 ? i : built.length - 1 - i));
    for (const i of order) {
      onPart(round / ROUNDS);
      await turn();
      const { subject } = built[i]!;
      draws[i]!.push(nanoseconds(() => subject.draw(round)) / (CONTEXTS * subject.draws));
      // Targets are quickly learned; a pass over all classes is made once, after the draws.
      const { update } = subject;
      if (update !== null && (update.of === "target" || round === ROUNDS - 1)) {
        updates[i]!.push(nanoseconds(() => update.run(round + 1)) / update.count);
      }
    }
    if (step !== undefined) steps.push((nanoseconds(() => step.run()) - nanoseconds(() => step.draw())) / 1e6);
  }
  const rows = built.map(({ subject, seconds }, i) => {
    const { sampler, options, bytes, update } = subject;
    const nanosecondsPerDraw = median(draws[i]!);
    return {
      classes: n,
      sampler,
      options,
      bytes,
      buildSeconds: seconds,
      nanosecondsPerDraw,
      bestNanosecondsPerDraw: Math.min(...draws[i]!),
      ofStep: step === undefined ? null : (CONTEXTS * DRAWS * nanosecondsPerDraw) / (1e6 * median(steps)),
      update: update === null ? null : { of: update.of, nanoseconds: median(updates[i]!) },
    };
  });
  if (step === undefined) return { rows, step };
  return { rows, step: { classes: n, milliseconds: median(steps), bestMilliseconds: Math.min(...steps) } };
}

/** The exact softmax is no sampler. The published kernel without a projection has D² / 2 numbers a node: nobody takes it where time counts. */
function isTimed(spec: RowSpec, dim: number): boolean {
  return spec.name !== "exact softmax" && !(spec.name === "quadratic-kernel" && spec.projection === dim);
}

function nanoseconds(work: () => void): number {
  const begin = performance.now();
  work();
  return 1e6 * (performance.now() - begin);
}

/** Lets signals through. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function speedText(
  dim: number,
  rows: readonly SpeedRow[],
  steps: readonly StepTime[],
  left: readonly string[],
  backend: string,
  { cpu, cores, load }: Machine,
): string {
  const head = ["classes", "sampler", "ns a draw", "best", "of a step", "keeping up", "build", "memory"];
  const lines = rows.map((row) => [
    count(row.classes),
    labelOf(row.sampler, row.options),
    row.nanosecondsPerDraw.toFixed(1),
    row.bestNanosecondsPerDraw.toFixed(1),
    row.ofStep === null ? "–" : row.ofStep.toFixed(2),
    row.update === null ? "–" : `${row.update.nanoseconds.toFixed(0)} ns a ${row.update.of}`,
    `${row.buildSeconds.toFixed(2)} s`,
    bytes(row.bytes),
  ]);
  const stepLines = steps.map(
    ({ classes, milliseconds, bestMilliseconds }) =>
      `the step at ${count(classes)} classes: ${milliseconds.toFixed(2)} ms, at best ${bestMilliseconds.toFixed(2)}\n`,
  );
  return (
    `${textTable(head, lines)}\n${stepLines.join("")}${left.map((line) => `left out: ${line}\n`).join("")}` +
    `${CONTEXTS} contexts x ${DRAWS} draws of width ${dim}, one thread, medians of ${ROUNDS} rounds in turn; a refresh is of all classes, made once.\n` +
    `A step is sampled softmax with ${DRAWS} candidates for each of ${CONTEXTS} rows, and the update of their class rows, drawing apart.\n` +
    `${cpu}, ${cores} cores, load ${load.toFixed(1)}; back-end ${backend}\n`
  );
}
