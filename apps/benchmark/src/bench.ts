import { LogqError, OptionError } from "@logq/core";
import { conclude } from "./analysis/conclusion.js";
import { parseCommandLine } from "./cli.js";
import { count, significant } from "./format.js";
import { describeMachine } from "./machine.js";
import type { DataDescription, DescribeData, Measurer, OpenMeasurer } from "./measure/types.js";
import { type BenchOptions, checkOptions, fitClasses } from "./options.js";
import { makeProgress, type Output } from "./progress.js";
import { tableLegend, terminalTable } from "./report/terminal.js";
import { writeReport } from "./report/write.js";
import { describeCell } from "./sweep/cells.js";
import { planCells } from "./sweep/plan.js";
import { runSweep, type SweepOutcome } from "./sweep/run.js";
import type { Settings } from "./sweep/settings.js";
import { ResultsStore, resultsText } from "./sweep/store.js";

/** What the command meets: streams, an interruption, and who knows the data and measures. */
export interface Environment {
  readonly stdout: Output;
  readonly stderr: Output;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly describeData: DescribeData;
  readonly openMeasurer: OpenMeasurer;
}

/** Exit codes: 0 done, 1 a cell or the run failed, 2 the command line is wrong, 130 interrupted (as shells have it). */
export const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** The `bench` command: reads the command line, runs the sweep, writes the report. Returns the exit code; errors become one line on stderr. */
export async function bench(args: readonly string[], environment: Environment): Promise<number> {
  const { stdout, stderr } = environment;
  try {
    const output = { out: (text: string) => void stdout.write(text), err: (text: string) => void stderr.write(text) };
    const parsed = parseCommandLine(args, output);
    if ("exitCode" in parsed) return parsed.exitCode === 0 ? EXIT.done : EXIT.usage;
    return await sweepAndReport(checkOptions(parsed.options), environment);
  } catch (error) {
    if (!LogqError.isInstance(error)) throw error;
    stderr.write(`error: ${error.message}\n`);
    return error instanceof OptionError ? EXIT.usage : EXIT.failed;
  }
}

async function sweepAndReport(options: BenchOptions, environment: Environment): Promise<number> {
  const say = (text: string) => void environment.stderr.write(`${text}\n`);
  const data = await environment.describeData(options.settings);
  const settings = fitClasses(options, data);
  const store = await ResultsStore.open(options.out, describeMachine(), settings, options.fresh);
  for (const note of store.notes) say(note);
  say(`data: ${data.name}${sizeOf(data)}`);
  const outcome = await sweep(settings, store, environment, say);
  const missing = planCells(settings).filter((cell) => store.finished(cell) === undefined).length;
  const html = await writeReport(options.out, store.results, missing);
  tell(options, store, html, environment);
  for (const cell of outcome.failed) say(`not measured: ${describeCell(cell)}: ${cell.reason}`);
  if (outcome.interrupted)
    say(`interrupted: ${count(missing)} cells are missing; run the same command again to measure them`);
  return outcome.interrupted ? EXIT.interrupted : outcome.failed.length > 0 ? EXIT.failed : EXIT.done;
}

async function sweep(
  settings: Settings,
  store: ResultsStore,
  environment: Environment,
  say: (text: string) => void,
): Promise<SweepOutcome> {
  const plan = planCells(settings);
  const { signal, stderr } = environment;
  const nothing = { measured: 0, reused: plan.length, failed: [], interrupted: false };
  if (plan.every((cell) => store.finished(cell) !== undefined)) {
    say(`all ${plan.length} cells were measured earlier; pass --fresh to measure them again`);
    await store.save();
    return nothing;
  }
  const measurer = await openUnlessAborted(settings, environment);
  if (measurer === undefined) return { ...nothing, interrupted: true };
  try {
    say(`GEMM rate of this machine: ${rates(measurer)}`);
    store.setProbe(measurer);
    await store.save();
    return await runSweep({ plan, store, measurer, progress: makeProgress(stderr), seconds: settings.seconds, signal });
  } finally {
    await measurer.close();
  }
}

/** Undefined if an interruption came first. */
async function openUnlessAborted(
  settings: Settings,
  { openMeasurer, signal }: Environment,
): Promise<Measurer | undefined> {
  try {
    return await openMeasurer(settings, signal);
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

function sizeOf({ classes, examples }: DataDescription): string {
  const parts = [
    ...(classes === null ? [] : [`${count(classes)} classes`]),
    ...(examples === null ? [] : [`${count(examples)} examples`]),
  ];
  return parts.length === 0 ? "" : ` (${parts.join(", ")})`;
}

function rates({ gemmGigaflops }: Measurer): string {
  const parts = Object.entries(gemmGigaflops).map(
    ([threads, rate]) => `${significant(rate)} GF/s with ${threads} thread${threads === "1" ? "" : "s"}`,
  );
  return parts.join(", ");
}

/** The table, the conclusion and the path of the report: on stdout, or on stderr beside the JSON object. */
function tell(options: BenchOptions, store: ResultsStore, html: string, { stdout, stderr }: Environment): void {
  const { results } = store;
  const stream = options.json ? stderr : stdout;
  const { time, baseline, accuracy } = conclude(results);
  const table = terminalTable(results, stream.isTTY === true);
  const text = [table, "", tableLegend(results), "", time, baseline, accuracy, "", `report: ${html}`];
  stream.write(`${text.join("\n")}\n`);
  if (options.json) stdout.write(resultsText(results));
}
