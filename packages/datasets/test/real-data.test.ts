import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { openDataset, prepareLabels, preparePairs, prepareText } from "../src/index.js";
import { temporaryDirectory } from "./files.js";

// Whole data sets on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

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

  it("Reddit titles have 45,906 domains, 13,538 seen twice or more", async () => {
    const train = join(data, "reddit-titles/titles.tsv.gz");
    const options = { format: "tsv", train, textColumn: 2, labelColumn: 1 } as const;
    const all = await prepareLabels({ ...options, output: join(directory, "domains") });
    expect([all.classes, all.features, all.leftOut.rows]).toEqual([45_906, 471_006, 0]);
    const frequent = await prepareLabels({ ...options, output: join(directory, "frequent"), minCount: 2 });
    expect(frequent.classes).toBe(13_538);
    expect(frequent.leftOut.rows).toBe(45_906 - 13_538);
    expect(frequent.splits.train?.rows).toBe(521_038 - (45_906 - 13_538));
  });

  it("Gowalla has 29,858 users, 40,981 items and 810,128 / 217,242 check-ins", async () => {
    const summary = await preparePairs({
      output: join(directory, "gowalla"),
      format: "adjacency",
      train: join(data, "gowalla/train.txt"),
      test: join(data, "gowalla/test.txt"),
    });
    expect([summary.users, summary.classes]).toEqual([29_858, 40_981]);
    expect([summary.splits.train?.interactions, summary.splits.test?.interactions]).toEqual([810_128, 217_242]);
  });

  it("Amazon Beauty leaves one of 40,226 users' 353,962 interactions with 54,542 items out for each part", async () => {
    const summary = await preparePairs({
      output: join(directory, "beauty"),
      format: "pairs",
      train: join(data, "beauty-54k/beauty.txt"),
      leaveOneOut: true,
    });
    expect([summary.users, summary.classes]).toEqual([40_226, 54_542]);
    expect(summary.splits).toEqual({
      train: { interactions: 353_962 - 2 * 40_226, users: 40_226 },
      validation: { interactions: 40_226, users: 40_226 },
      test: { interactions: 40_226, users: 40_226 },
    });
  });
});
