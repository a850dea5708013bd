import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openDataset, prepareText } from "../src/index.js";
import { temporaryDirectory } from "./files.js";

const data = process.env.LOGQ_DATA ?? "";
const directory = await temporaryDirectory();

describe.skipIf(!data)("published data (LOGQ_DATA)", () => {
  it("WikiText-2 has 33,278 classes and 2,088,628 / 217,646 / 245,569 tokens", async () => {
    const output = join(directory, "wikitext2");
    const summary = await prepareText({
      output,
      train: join(data, "wikitext2/train.txt.gz"),
      validation: join(data, "wikitext2/valid.txt"),
      test: join(data, "wikitext2/test.txt"),
    });
    expect(summary.classes).toBe(33_278);
    const dataset = await openDataset(output);
    if (dataset.kind !== "text") throw new Error(dataset.kind);
    expect(dataset.splits.train?.tokens.length).toBe(2_088_628);
    expect(dataset.splits.validation?.tokens.length).toBe(217_646);
    expect(dataset.splits.test?.tokens.length).toBe(245_569);
    expect(dataset.classes.name(dataset.unknown)).toBe("<unk>");
    expect(dataset.classes.counts[dataset.eos]).toBe(36_718);
  });

  it("Reddit titles have 160,400 words seen twice or more, and 5,361,356 words in 521,038 lines", async () => {
    const train = join(data, "reddit-titles/titles.tsv.gz");
    const summary = await prepareText({ output: join(directory, "reddit"), train, textColumn: 2, minCount: 2 });
    expect(summary.classes).toBe(160_400 + 2);
    expect(summary.splits.train).toEqual({ lines: 521_038, tokens: 5_361_356 + 521_038 });
  });
});
