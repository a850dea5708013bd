import { OptionError } from "@logq/core";
import { loadModel, type TableChoice, usualTable } from "@logq/trainers";
import { requireRun } from "../base/directories.js";
import { count } from "../base/format.js";
import { type Io, printResult } from "../base/io.js";
import { scoreTable, withRanks } from "./table.js";

export interface NeighboursFlags {
  readonly class?: string;
  readonly classId?: number;
  readonly table?: TableChoice;
  readonly k: number;
  readonly json?: boolean;
}

/** `logq neighbours`: the classes, or the inputs, whose rows point the same way. */
export async function neighbours(io: Io, directory: string, flags: NeighboursFlags): Promise<void> {
  if ((flags.class === undefined) === (flags.classId === undefined)) {
    throw new OptionError("give one of --class NAME and --class-id ID", { class: flags.class, classId: flags.classId });
  }
  const run = await requireRun(directory);
  const model = await loadModel(run);
  try {
    const table = flags.table ?? usualTable(model.head);
    const names = table === "classes" ? model.classes : model.inputs;
    const id = flags.classId ?? names.id(flags.class!);
    if (id === undefined) {
      const what = table === "classes" ? "class" : "input";
      throw new OptionError(`there is no ${what} "${flags.class}" among the ${count(names.size)} of this model`, {
        name: flags.class,
      });
    }
    const results = withRanks(model.neighbours(id, flags.k, table));
    const answer = { run, table, class: names.name(id), id, k: flags.k, results };
    printResult(io, flags.json, answer, () => scoreTable(results, "cosine"));
  } finally {
    await model.close();
  }
}
