import { LogqError } from "@logq/core";
import { type CliOutput, parseCommandLine } from "./cli.js";
import { requireFolder } from "./report/folder.js";
import { refusedRows } from "./report/results.js";
import { RESULTS_FOLDER, saveResults } from "./report/save.js";
import { groupTable, heading } from "./report/table.js";
import { run } from "./run.js";
import { SUBJECT_GROUPS } from "./subjects.js";

/**
 * The whole program: tables on `out` as they are ready, or one JSON object at the end and everything else on `err`.
 * Answers the exit code: 0, 1 if a result was wrong, 2 for a command line that makes no sense.
 */
export async function program(args: readonly string[], output: CliOutput): Promise<number> {
  try {
    const options = parseCommandLine(args, output);
    if ("exitCode" in options) return options.exitCode === 0 ? 0 : 2;
    // Before minutes of work, not after.
    if (options.save) await requireFolder(options.out ?? RESULTS_FOLDER);
    const tell = (text: string) => (options.json ? output.err(text) : output.out(text));
    const plan = options.subjects.map((subject) => ({ subject, groups: SUBJECT_GROUPS[subject]() }));
    const results = await run(plan, options.settings, {
      started: (head) => tell(`${heading(head)}\n`),
      group: (subject, group) => output.err(`${subject}: ${group.name} ...\n`),
      measured: (group) => tell(`\n${groupTable(group)}\n`),
    });
    if (options.json) output.out(`${JSON.stringify(results)}\n`);
    if (options.save) {
      for (const file of await saveResults(results, options.out ?? RESULTS_FOLDER)) output.err(`kept in ${file}\n`);
    }
    const refused = refusedRows(results);
    for (const { subject, group, row } of refused) {
      output.err(`${subject}: ${group}: ${row.variant} was not timed: ${row.refused}\n`);
    }
    return refused.length === 0 ? 0 : 1;
  } catch (error) {
    if (!LogqError.isInstance(error)) throw error;
    output.err(`${error.message}\n`);
    return error.code === "LOGQ_OPTION" ? 2 : 1;
  }
}
