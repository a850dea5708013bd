import { describe, expect, it } from "vitest";
import { OutputLayer, type OutputLayerOptions } from "../dist/index.js";
import { smallSynthetic, withTrainer } from "./support/runs.js";

const N = 100;
const sorted = Array.from({ length: N }, (_, id) => 100 / (1 + id));

async function warningsOf(options: Partial<OutputLayerOptions>): Promise<readonly string[]> {
  const layer = await OutputLayer.create({ classes: N, dim: 4, batch: 8, ...options });
  await layer.close();
  return layer.warnings;
}

describe("warnings", () => {
  it("are none for the defaults, with and without sorted counts", async () => {
    expect(await warningsOf({})).toEqual([]);
    expect(await warningsOf({ counts: sorted })).toEqual([]);
    expect(await warningsOf({ sampler: "unigram", counts: sorted })).toEqual([]);
  });

  it("name the class, its draws and all draws where removed hits distort the correction", async () => {
    const removed = { accidentalHits: "remove", negatives: 50 } as const;
    // p(0) = log(2)/log(101)
    expect(await warningsOf(removed)).toEqual([
      "accidental hits are removed from draws with replacement, and class 0 is expected 7.51 times among 50 draws: the importance correction " +
        "is wrong for labels that are drawn this often. Keep the hits, or draw without replacement",
    ]);
    const [first] = await warningsOf({ ...removed, negatives: 1000, sampler: "uniform" });
    expect(first).toContain("class 0 is expected 10 times among 1,000 draws");
  });

  it("of removed hits are none for few draws, draws without replacement, the partition correction and other losses", async () => {
    const removed = { accidentalHits: "remove", negatives: 50 } as const;
    expect(await warningsOf({ ...removed, negatives: 3 })).toEqual([]);
    expect(await warningsOf({ ...removed, sampler: "uniform", negatives: 49 })).toEqual([]);
    expect(await warningsOf({ ...removed, replacement: false })).toEqual([]);
    expect(await warningsOf({ ...removed, correction: "partition" })).toEqual([]);
    expect(await warningsOf({ ...removed, loss: "sampled-logistic" })).toEqual([]);
  });

  it("say how far ids are from the order that log-uniform takes them to be in", async () => {
    const reversed = [...sorted].reverse();
    const [warning] = await warningsOf({ counts: reversed });
    expect(warning).toMatch(
      /^log-uniform takes low ids for frequent classes, but these are not in that order \(gamma -0\.\d\d|-1\.00/,
    );
    expect(await warningsOf({ counts: reversed, sampler: "unigram" })).toEqual([]);
  });

  it("say what an uncorrected softmax learns", async () => {
    expect(await warningsOf({ correction: "none" })).toEqual([expect.stringContaining("log p - log Q")]);
    expect(await warningsOf({ correction: "none", loss: "negative-sampling" })).toEqual([]);
  });

  it("tell what looking at very many classes costs", async () => {
    const full = { loss: "full-softmax", classes: 50_000, dim: 2 } as const;
    expect(await warningsOf(full)).toEqual([
      "full-softmax looks at all 50,000 classes in every step: about 0.0048 billion operations for 8 rows of width 2. A sampled loss costs as much as its candidates",
    ]);
    expect(await warningsOf({ ...full, classes: 49_999 })).toEqual([]);
  });

  it("stand in a trainer too, by the classes of its data", async () => {
    await withTrainer(smallSynthetic(), { accidentalHits: "remove" }, async (trainer) => {
      expect(trainer.warnings).toEqual([expect.stringContaining("among 20 draws")]);
    });
    await withTrainer(smallSynthetic(), {}, async (trainer) => expect(trainer.warnings).toEqual([]));
  });
});
