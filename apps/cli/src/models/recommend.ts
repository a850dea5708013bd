import type { BackendChoice } from "@logq/blas";
import { loadModel, readRun } from "@logq/trainers";
import { requireRun } from "../base/directories.js";
import { type Io, note, printResult } from "../base/io.js";
import { type InputFlags, readInput, requireInputFlags } from "./input.js";
import { scoreTable, withRanks } from "./table.js";

export interface RecommendFlags extends InputFlags {
  readonly k: number;
  readonly backend?: BackendChoice;
  readonly json?: boolean;
}

/** `logq recommend`: the classes with the highest scores for one input. */
export async function recommend(io: Io, directory: string, flags: RecommendFlags): Promise<void> {
  const run = await requireRun(directory);
  const head = await readRun(run);
  const form = requireInputFlags(head, flags);
  const model = await loadModel(run, flags.backend === undefined ? {} : { backend: flags.backend });
  try {
    const { input, exclude, notes } = await readInput(head, model, run, flags);
    for (const line of notes) note(io, line);
    const results = withRanks(model.topK(input, flags.k, { exclude }));
    const answer = { run, [form]: flags[form], k: flags.k, excluded: exclude.length, results };
    printResult(io, flags.json, answer, () => scoreTable(results, "score"));
  } finally {
    await model.close();
  }
}
