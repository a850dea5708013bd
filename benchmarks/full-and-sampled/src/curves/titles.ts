import path from "node:path";
import { allocateShared, openDataset, prepareText, type TextDataset } from "@logq/datasets";
import { redditTitles } from "@logq/micro-benchmarks";

/**
 * Reddit titles: all of their words are classes, with the counts of all of the training part, but only titles of at least `rows` words in all, spread
 * evenly over the file, are trained on.
 * @param folder for the prepared text, temporary
 */
export async function titlesDataset(data: string, folder: string, rows: number): Promise<TextDataset> {
  const output = path.join(folder, "titles");
  await prepareText({ ...redditTitles(data), output });
  const dataset = (await openDataset(output)) as TextDataset;
  const { train, test } = dataset.splits;
  return { ...dataset, splits: { train: { tokens: someTitles(train!.tokens, dataset.eos, rows) }, test: test! } };
}

/** Whole titles, evenly spread, with at least `rows` tokens in all, their ends included, if there are as many. */
export function someTitles(tokens: Int32Array, eos: number, rows: number): Int32Array {
  if (rows >= tokens.length) return tokens;
  const share = rows / tokens.length;
  const kept = new Int32Array(tokens.length);
  let count = 0;
  let begin = 0;
  for (let at = 0; at < tokens.length; at++) {
    if (tokens[at] !== eos) continue;
    // What is kept follows what was passed, so that long titles and short ones have their share.
    if (count < share * (at + 1)) {
      kept.set(tokens.subarray(begin, at + 1), count);
      count += at + 1 - begin;
    }
    begin = at + 1;
  }
  const shared = allocateShared("int32", count);
  shared.set(kept.subarray(0, count));
  return shared;
}
