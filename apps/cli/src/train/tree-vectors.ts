import { OptionError } from "@logq/core";
import type { AnyDataset } from "@logq/datasets";
import { readRun, type TrainOptions, usualTable } from "@logq/trainers";
import { requireRun } from "../base/directories.js";
import { readTable, rowNames } from "../export/tables.js";
import type { TrainFlags } from "./flags.js";

/** The vectors of a dataset's classes that `--tree-vectors` names: a run's class rows, or its word vectors. @throws OptionError if they are of other classes */
export async function readTreeVectors(
  { treeVectors }: TrainFlags,
  { classes }: AnyDataset,
): Promise<Pick<TrainOptions, "treeVectors">> {
  if (treeVectors === undefined) return {};
  const run = await requireRun(treeVectors);
  const head = await readRun(run);
  const which = usualTable(head);
  const { values, shape } = await readTable(run, head, which);
  const rows = shape[0]!;
  const nameOf = await rowNames(run, head, which);
  for (let id = 0; id < Math.max(rows, classes.size); id++) {
    const [found, wanted] = [id < rows ? nameOf(id) : undefined, id < classes.size ? classes.name(id) : undefined];
    if (found === wanted) continue;
    const what = `row ${id} of its ${which} is ${found ?? "missing"}, and class ${id} ${wanted ?? "missing"}`;
    throw new OptionError(`--tree-vectors ${treeVectors} has no vectors of these classes: ${what}`, {
      run,
      id,
      found,
      wanted,
    });
  }
  return { treeVectors: values };
}
