import path from "node:path";
import type { TextOptions } from "@logq/datasets";

/** Below the folder of the data sets: a title in the third column of a line. */
export const REDDIT_TITLES = "reddit-titles/titles.tsv.gz";

/** How `prepareText` reads titles of posts: words that occur twice or more in the training part, one title in a hundred for each other part. @param data the folder of the data sets */
export function redditTitles(data: string): Omit<TextOptions, "output"> {
  return {
    train: path.join(data, REDDIT_TITLES),
    textColumn: 2,
    minCount: 2,
    validationRatio: 0.01,
    testRatio: 0.01,
  };
}

/** Adagrad for n-gram models on published text: a tenth of the rate for dense layers. */
export const NGRAM_OPTIMIZER = {
  name: "adagrad",
  learningRate: 0.1,
  initialAccumulator: 1e-7,
  denseFactor: 0.1,
} as const;
