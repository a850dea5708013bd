import { join } from "node:path";
import { FileFormatError } from "@logq/core";
import { z } from "zod";
import { ARRAY_TYPES } from "../files/array-file.js";
import { type HeadFormat, hasMagic, readHead } from "../files/head.js";
import { SPLIT_NAMES, type SplitName } from "../types.js";

/** The head file of a dataset directory. */
export const DATASET_FORMAT: HeadFormat = { magic: "LOGQDATA", version: 1 };
export const HEAD_FILE = "dataset.logq";

/** How much a part holds, by what is counted: lines, tokens, interactions, rows, labels, features. */
export type SplitSizes = Readonly<Record<string, number>>;

/** What the head of a dataset says about it. */
export interface DatasetSummary {
  readonly kind: "text" | "pairs" | "labels";
  /** n */
  readonly classes: number;
  readonly users?: number | undefined;
  readonly features?: number | undefined;
  /** Present parts. */
  readonly splits: Readonly<Partial<Record<SplitName, SplitSizes>>>;
  /** How much of the input found no place, by reason. */
  readonly leftOut: Readonly<Record<string, number>>;
  /** The options it was prepared with, defaults filled in. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The input files. */
  readonly sources: readonly { readonly file: string; readonly part: SplitName; readonly bytes: number }[];
}

const size = z.int().min(0);
const sizes = z.record(z.string(), size);

export const headSchema = z.object({
  kind: z.enum(["text", "pairs", "labels"]),
  classes: size,
  users: size.optional(),
  features: size.optional(),
  /** The ids of classes with a meaning of their own. */
  special: z.record(z.string(), z.int().min(-1)),
  splits: z.partialRecord(z.enum(SPLIT_NAMES), sizes),
  leftOut: sizes,
  options: z.record(z.string(), z.unknown()),
  sources: z.array(z.object({ file: z.string(), part: z.enum(SPLIT_NAMES), bytes: size })),
  arrays: z.array(
    z.object({
      name: z.string(),
      type: z.enum(ARRAY_TYPES),
      length: size,
      // A plain name: a head cannot point outside its directory.
      file: z.string().regex(/^[\w.-]+$/),
    }),
  ),
});

export type DatasetHead = z.output<typeof headSchema>;

/**
 * The head of the dataset in `directory`, shape checked.
 * @throws MissingFileError, FileFormatError
 */
export async function readDatasetHead(directory: string): Promise<DatasetHead> {
  const file = join(directory, HEAD_FILE);
  const result = headSchema.safeParse(await readHead(DATASET_FORMAT, file));
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const at = issue.path.join(".");
  throw new FileFormatError(`${file}: ${at || "the body"} is not as it must be (${issue.message})`, { file, at });
}

/** What is known of the dataset in `directory`, without reading its arrays. */
export async function readSummary(directory: string): Promise<DatasetSummary> {
  return summaryOf(await readDatasetHead(directory));
}

export function summaryOf(head: DatasetHead): DatasetSummary {
  const { arrays: _arrays, special: _special, ...summary } = head;
  return summary;
}

/** Whether `directory` holds a dataset, of whatever version. */
export function hasDataset(directory: string): Promise<boolean> {
  return hasMagic(DATASET_FORMAT, join(directory, HEAD_FILE));
}
