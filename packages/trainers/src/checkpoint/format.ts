import { join } from "node:path";
import { FileFormatError, MissingFileError } from "@logq/core";
import { type HeadFormat, hasMagic, readHead } from "@logq/datasets";
import type { ModelShape } from "../model/engine-spec.js";
import type { RunOptions } from "../model/options.js";
import type { TrainReport } from "../run/report.js";
import { readTree } from "./tree.js";

/** The head of a run's directory; its arrays stand beside it, raw little-endian. */
export const RUN_FORMAT: HeadFormat = { magic: "LOGQMODL", version: 1 };
export const RUN_HEAD_FILE = "model.logq";

/** One table on disk: (rows, columns) float32, row-major, no padding; class rows in id order. */
export interface StoredTable {
  readonly name: string;
  readonly file: string;
  readonly rows: number;
  readonly columns: number;
}

/** Everything about a run but its numbers. */
export interface RunHead {
  readonly shape: ModelShape;
  readonly options: RunOptions;
  readonly report: TrainReport;
  readonly step: number;
  /** Where the data were: the absolute path, or null for data that were never on disk. */
  readonly dataset: { readonly kind: "text" | "pairs" | "labels" | "synthetic"; readonly directory: string | null };
  /** The class that ends a line of text; −1: none. */
  readonly eos: number;
  /** The class of unknown words; −1: none. */
  readonly unknown: number;
  readonly tables: readonly StoredTable[];
  /** Optimizer state, by the same names with the suffixes .state and .second-state. */
  readonly states: readonly StoredTable[];
  /** The file of what the sampler has learned; null, or absent in runs saved before there were such samplers: it does not learn. */
  readonly samplerState?: string | null;
  /** The file of the tree; null, or absent in runs saved before there were trees: the model has none. */
  readonly treeFile?: string | null;
  /** Files of names; null: the inputs are the classes. */
  readonly classNames: string;
  readonly inputNames: string | null;
}

/** Whether a directory holds a saved run. */
export async function isRun(directory: string): Promise<boolean> {
  return hasMagic(RUN_FORMAT, join(directory, RUN_HEAD_FILE));
}

/** @throws MissingFileError, FileFormatError */
export async function readRun(directory: string): Promise<RunHead> {
  const file = join(directory, RUN_HEAD_FILE);
  if (!(await isRun(directory))) {
    throw new MissingFileError(`${directory} holds no trained model: there is no ${RUN_HEAD_FILE} in it`, {
      directory,
      file,
    });
  }
  const head = (await readHead(RUN_FORMAT, file)) as RunHead;
  if (typeof head?.shape?.classes !== "number" || !Array.isArray(head.tables)) {
    throw new FileFormatError(`${file} lacks the description of a model`, { file });
  }
  if ((head.treeFile ?? null) === null) return head;
  return { ...head, shape: { ...head.shape, tree: await readTree(directory, head.treeFile!, head.shape.classes) } };
}
