import path from "node:path";
import { LogqError } from "@logq/core";
import { describeMachine, withTemporaryFolder } from "@logq/micro-benchmarks";
import { type CliOutput, parseCommandLine } from "./cli.js";
import { measureSet } from "./measure/measure-set.js";
import { RESULTS_FORMAT, type Results, type SetName, type SetResult, type Settings } from "./report/results.js";
import { heading, setTable } from "./report/table.js";
import { prepareSet, requireData, SETS } from "./sets.js";

/**
 * The whole program: tables on `out` as they are ready, or one JSON object at the end, and progress on `err`. Answers the exit code: 0; 1 if the
 * data are missing or something failed; 2 for a command line that makes no sense.
 */
export async function program(args: readonly string[], output: CliOutput): Promise<number> {
  try {
    const options = parseCommandLine(args, output);
    if ("exitCode" in options) return options.exitCode === 0 ? 0 : 2;
    const { settings, json } = options;
    const data = requireData(options.data ?? process.env.LOGQ_DATA, settings.sets);
    const tell = (text: string) => output.err(`${text}\n`);
    const show = (text: string) => (json ? output.err(`${text}\n\n`) : output.out(`${text}\n\n`));
    const head = {
      format: RESULTS_FORMAT,
      date: new Date().toISOString(),
      machine: describeMachine(),
      settings,
    } as const;
    show(heading(head));
    const sets: SetResult[] = [];
    for (const name of settings.sets) {
      const result = await withTemporaryFolder((folder) => runSet(name, data, settings, folder, tell));
      show(setTable(result));
      sets.push(result);
    }
    const results: Results = { ...head, sets };
    if (json) output.out(`${JSON.stringify(results)}\n`);
    return 0;
  } catch (error) {
    if (!LogqError.isInstance(error)) throw error;
    output.err(`${error.message}\n`);
    return error.code === "LOGQ_OPTION" ? 2 : 1;
  }
}

async function runSet(
  name: SetName,
  data: string,
  settings: Settings,
  folder: string,
  tell: (text: string) => void,
): Promise<SetResult> {
  tell(`${name}: reading`);
  const dataset = await prepareSet(SETS[name], data, path.join(folder, "data"));
  return measureSet(name, dataset, settings, folder, tell);
}
