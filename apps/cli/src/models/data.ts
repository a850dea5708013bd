import { OptionError } from "@logq/core";
import { openDataset, type PairsDataset } from "@logq/datasets";
import type { RunHead } from "@logq/trainers";
import { requireDataset } from "../base/directories.js";

/** The dataset named on the command line, or the one the run was trained on. */
export function dataDirectory(head: RunHead, run: string, named: string | undefined): string {
  const directory = named ?? head.dataset.directory;
  if (directory === null) {
    throw new OptionError(`${run} was trained on data that were never on disk; name a dataset with --data`, { run });
  }
  return directory;
}

/** Opens the interactions a run was trained on. @throws OptionError if it is another dataset */
export async function openPairs(head: RunHead, run: string, named: string | undefined): Promise<PairsDataset> {
  const directory = await requireDataset(dataDirectory(head, run, named));
  const dataset = await openDataset(directory);
  if (dataset.kind !== "pairs" || dataset.classes.size !== head.shape.classes) {
    const found = `${dataset.kind} data of ${dataset.classes.size} classes`;
    throw new OptionError(
      `${directory} holds ${found}; the run was trained on pairs of ${head.shape.classes} classes`,
      {
        directory,
        kind: dataset.kind,
        classes: dataset.classes.size,
        trained: head.shape.classes,
      },
    );
  }
  return dataset;
}

/** What a user is known to have chosen: the training and validation parts, in their order. The test part is to be found. */
export function knownItems(dataset: PairsDataset, user: number): number[] {
  return (["train", "validation"] as const).flatMap((part) => {
    const split = dataset.splits[part];
    return split === undefined ? [] : [...split.items.subarray(split.offsets[user], split.offsets[user + 1])];
  });
}
