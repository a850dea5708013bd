import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDataset, preparePairs, prepareText } from "@logq/datasets";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Trainer, train } from "../dist/index.js";

const data = process.env.LOGQ_DATA;

describe.skipIf(data === undefined)("published data (LOGQ_DATA)", { timeout: 120_000 }, () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "logq real "));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("Gowalla: three epochs of matrix factorisation rank twice as well as popularity (recall@20 .0416)", async () => {
    const output = join(folder, "gowalla");
    const [trainFile, testFile] = [join(data!, "gowalla/train.txt"), join(data!, "gowalla/test.txt")];
    await preparePairs({ train: trainFile, test: testFile, format: "adjacency", output });
    const trainer = await Trainer.create(await openDataset(output), {
      loss: "sampled-softmax",
      correction: "partition",
      negatives: 512,
      dim: 32,
      batch: 2048,
      epochs: 3,
      classScale: 0.17,
      embeddingScale: 0.17,
      optimizer: { name: "adam", learningRate: 0.01, weightDecay: 1e-4 },
      workers: 2,
    });
    try {
      await train(trainer);
      const { metrics } = await trainer.evaluate("test", "recall@20");
      expect(metrics["recall@20"]).toBeGreaterThan(2 * 0.0416);
    } finally {
      await trainer.close();
    }
  });

  it("WikiText-2: 300 steps of a bag of five words are below the unigram's cross-entropy (6.818 nats)", async () => {
    const output = join(folder, "wikitext2");
    const file = (name: string) => join(data!, "wikitext2", name);
    await prepareText({ train: file("train.txt.gz"), test: file("test.txt"), output });
    const trainer = await Trainer.create(await openDataset(output), {
      loss: "sampled-softmax",
      negatives: 256,
      dim: 64,
      batch: 1024,
      maxSteps: 300,
      workers: 2,
    });
    try {
      await trainer.runSteps(300);
      const { metrics } = await trainer.evaluate("test", "cross-entropy", { limit: 10_000 });
      expect(metrics["cross-entropy"]).toBeLessThan(Math.log(914.4));
    } finally {
      await trainer.close();
    }
  });
});
