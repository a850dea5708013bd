import path from "node:path";
import { openDataset, prepareText, type TextDataset, type TextOptions } from "@logq/datasets";
import { NGRAM_OPTIMIZER, REDDIT_TITLES, redditTitles, requireFiles } from "@logq/micro-benchmarks";
import type { TrainOptions } from "@logq/trainers";
import type { SetName } from "./report/results.js";

/** A published text, and the model that is trained on it. */
export interface FilterSet {
  readonly title: string;
  /** The encoder, in words. */
  readonly encoder: string;
  /** Files below the folder of the data. */
  readonly needs: readonly string[];
  /** Unless the user says how many. */
  readonly steps: number;
  readonly options: ModelOptions;
  /** How `prepareText` reads the files. @param data the folder of the data */
  source(data: string): Omit<TextOptions, "output">;
}

/** The options of a training that a set settles. */
export type ModelOptions = TrainOptions & Required<Pick<TrainOptions, "window" | "batch" | "dim">>;

/** An n-gram model: words side by side, one hidden layer, Adagrad with a tenth of the rate for dense layers. */
const NGRAM = {
  loss: "full-softmax",
  encoder: "window",
  dim: 128,
  batch: 512,
  optimizer: NGRAM_OPTIMIZER,
} as const satisfies TrainOptions;

const WIKITEXT = ["wikitext2/train.txt.gz", "wikitext2/valid.txt"] as const;

/** Steps are chosen so that a run takes about a minute on two fast cores: 2·3·B·n·D operations each. */
export const SETS: Readonly<Record<SetName, FilterSet>> = {
  "wikitext-2": {
    title: "WikiText-2",
    encoder: "6 words before × 128 → 256 ReLU → 128, dropout 0.2",
    needs: WIKITEXT,
    steps: 600,
    options: { ...NGRAM, window: 6, hidden: [256], activation: "relu", dropout: 0.2 },
    source: (data) => ({ train: path.join(data, WIKITEXT[0]), validation: path.join(data, WIKITEXT[1]) }),
  },
  reddit: {
    title: "Reddit titles",
    encoder: "4 words before × 128 → 128 tanh",
    needs: [REDDIT_TITLES],
    steps: 150,
    options: { ...NGRAM, window: 4, hidden: [128], activation: "tanh" },
    source: redditTitles,
  },
};

/** The folder that holds the sets' files. @param data what the user named, if anything. @throws MissingFileError that says what is expected */
export function requireData(data: string | undefined, sets: readonly SetName[]): string {
  return requireFiles(
    data,
    sets.flatMap((name) => SETS[name].needs),
  );
}

/** Reads a set's files into a dataset in `output`, and opens it. */
export async function prepareSet(set: FilterSet, data: string, output: string): Promise<TextDataset> {
  await prepareText({ ...set.source(data), output });
  const dataset = await openDataset(output);
  if (dataset.kind !== "text") throw new TypeError(`the dataset is of kind ${dataset.kind}, not text`);
  return dataset;
}
