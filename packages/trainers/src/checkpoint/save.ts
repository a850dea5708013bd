import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type AnyDataset, encodeHead, type Names, writeArrayFile, writeDirectoryAtomically } from "@logq/datasets";
import type { TrainReport } from "../run/report.js";
import type { Trainer } from "../run/trainer.js";
import { type NamedArray, parameterArrays, readInPieces, stateArrays } from "../table/parameters.js";
import { isRun, RUN_FORMAT, RUN_HEAD_FILE, type RunHead, type StoredTable } from "./format.js";
import { writeNames } from "./names.js";
import { writeSamplerState } from "./sampler-state.js";
import { writeTree } from "./tree.js";

/**
 * Writes a trained model to a directory: parameters, optimizer state, names and everything that made it. The directory appears whole or
 * not at all; what is there already is replaced only if it is a saved run.
 * @throws OptionError if something else stands there
 */
export async function saveModel(trainer: Trainer, directory: string, report: TrainReport): Promise<void> {
  const write = async (temporary: string): Promise<void> => {
    const tables = await writeArrays(temporary, parameterArrays(trainer.host));
    const states = await writeArrays(temporary, stateArrays(trainer.host));
    const { dataset } = trainer;
    await writeNames(join(temporary, "classes.names"), dataset.classes);
    const inputs = namesOfInputs(dataset, trainer.options.encoder);
    if (inputs !== undefined) await writeNames(join(temporary, "inputs.names"), inputs);
    const { tree, ...shape } = trainer.shape;
    const head: RunHead = {
      shape: { ...shape, temperature: trainer.temperature },
      options: trainer.options,
      report,
      step: trainer.step,
      dataset: { kind: dataset.kind, directory: "directory" in dataset ? (dataset.directory ?? null) : null },
      eos: dataset.kind === "text" ? dataset.eos : -1,
      unknown: dataset.kind === "text" ? dataset.unknown : -1,
      tables,
      states,
      treeFile: await writeTree(tree, temporary),
      samplerState: await writeSamplerState(trainer.host, temporary),
      classNames: "classes.names",
      inputNames: inputs === undefined ? null : "inputs.names",
    };
    await writeFile(join(temporary, RUN_HEAD_FILE), encodeHead(RUN_FORMAT, head));
  };
  await writeDirectoryAtomically(directory, write, { what: "trained model", isOurs: isRun });
}

/** The names of an encoder's inputs; undefined: inputs are classes, or contexts without names. */
export function namesOfInputs(dataset: AnyDataset, encoder: string): Names | undefined {
  if (dataset.kind === "pairs" && encoder === "user") return dataset.users;
  return dataset.kind === "labels" ? dataset.features : undefined;
}

/** Writes one file an array, a piece of it in memory at a time. */
async function writeArrays(directory: string, arrays: readonly NamedArray[]): Promise<StoredTable[]> {
  const stored: StoredTable[] = [];
  for (const named of arrays) {
    const { name, array, ids } = named;
    const file = `${name}.f32`;
    await writeArrayFile(join(directory, file), readInPieces(named));
    stored.push({ name, file, rows: ids, columns: array.columns });
  }
  return stored;
}
