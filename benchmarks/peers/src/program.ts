import { LogqError } from "@logq/core";
import {
  describeMachine,
  MachineProbe,
  RESULTS_FOLDER,
  requireFolder,
  requirePage,
  writeIntoPage,
} from "@logq/micro-benchmarks";
import { type CliOutput, parseCommandLine } from "./cli.js";
import type { ItemContext } from "./items/context.js";
import { runItem } from "./items/items.js";
import { findBackends } from "./logq/backends.js";
import { messageOf } from "./message.js";
import { PythonEnvironment } from "./python/environment.js";
import { mklPreload } from "./python/mkl.js";
import { type ComparisonResult, type ItemName, RESULTS_FORMAT, type Results, type Settings } from "./report/results.js";
import { saveResults } from "./report/save.js";
import { comparisonTable, heading, resultsPage } from "./report/table.js";

/** Of a reading of the machine. */
const PROBE_MS = 40;

/**
 * The whole program: tables on `out` as they are ready, or one JSON object at the end and everything else on `err`. Answers the exit code:
 * 0; 1 if somebody computed something else than logq, or an item failed as a whole; 2 for a command line that makes no sense.
 */
export async function program(args: readonly string[], output: CliOutput): Promise<number> {
  try {
    const options = parseCommandLine(args, output);
    if ("exitCode" in options) return options.exitCode === 0 ? 0 : 2;
    // Before hours of work, not after.
    const folder = await requireFolder(options.out ?? RESULTS_FOLDER);
    if (options.page !== undefined) await requirePage(options.page);
    const tell = (text: string) => output.err(`${text}\n`);
    const show = (text: string) => (options.json ? output.err(text) : output.out(text));
    const results = await run(options.settings, options.python, tell, (one) => show(`\n${comparisonTable(one)}\n`));
    show(`\n${heading(results)}\n`);
    if (options.json) output.out(`${JSON.stringify(results)}\n`);
    for (const file of await saveResults(results, folder)) tell(`kept in ${file}`);
    if (options.page !== undefined) await writeIntoPage(resultsPage(results), options.page);
    return results.comparisons.some(({ absent }) =>
      absent.some(({ reason }) => /^(refused|the comparison failed):/.test(reason)),
    )
      ? 1
      : 0;
  } catch (error) {
    if (!LogqError.isInstance(error)) throw error;
    output.err(`${error.message}\n`);
    return error.code === "LOGQ_OPTION" ? 2 : 1;
  }
}

async function run(
  settings: Settings,
  pythonPath: string | undefined,
  tell: (text: string) => void,
  measured: (result: ComparisonResult) => void,
): Promise<Results> {
  const head = {
    format: RESULTS_FORMAT,
    date: new Date().toISOString(),
    machine: describeMachine(),
    settings,
  } as const;
  const backends = await findBackends();
  const { python, reason } = await pythonOr(pythonPath, tell);
  const context: ItemContext = {
    settings,
    backends: backends.names,
    absentBackends: backends.absent,
    python,
    noPython: reason,
    preload: python === undefined ? undefined : mklPreload(),
    data: process.env.LOGQ_DATA || undefined,
    tell,
  };
  const comparisons: ComparisonResult[] = [];
  const probe = await MachineProbe.start();
  try {
    const keep = (result: ComparisonResult) => {
      measured(result);
      comparisons.push(result);
    };
    for (const item of settings.items) {
      try {
        await runItem(item, context, probe, keep);
      } catch (error) {
        // What was measured before, perhaps for an hour, is worth keeping.
        keep(await failedItem(item, error, probe));
      }
    }
  } finally {
    await probe.close();
  }
  return { ...head, backends: backends.descriptions, versions: python?.versions ?? {}, comparisons };
}

async function failedItem(item: ItemName, error: unknown, probe: MachineProbe): Promise<ComparisonResult> {
  const reading = await probe.read(PROBE_MS);
  const absent = [{ contender: "everybody", reason: `the comparison failed: ${messageOf(error)}` }];
  const head = { item, name: `${item}, unfinished`, work: "It ended before its time.", unit: "ms" } as const;
  return { ...head, probe: { before: reading, after: reading }, rows: [], absent };
}

/** A path that the user gave has to work; that no Python can be found otherwise is one of the results. */
async function pythonOr(
  path: string | undefined,
  tell: (text: string) => void,
): Promise<{ python: PythonEnvironment | undefined; reason: string }> {
  try {
    return { python: await PythonEnvironment.create(path, tell), reason: "" };
  } catch (error) {
    if (path !== undefined) throw error;
    const reason = `no Python: ${messageOf(error)}`;
    tell(reason);
    return { python: undefined, reason };
  }
}
