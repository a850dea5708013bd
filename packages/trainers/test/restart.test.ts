import { describe, expect, it } from "vitest";
import type { TrainOptions } from "../dist/index.js";
import { parameterBytes } from "./support/engines.js";
import { smallSynthetic, withTrainer } from "./support/runs.js";

const dataset = smallSynthetic(400);

const RUNS: readonly (readonly [string, TrainOptions])[] = [
  ["sampled softmax, adagrad", { optimizer: { name: "adagrad", initialAccumulator: 0.1 } }],
  ["full softmax, adam, two workers", { loss: "full-softmax", optimizer: { name: "adam" }, workers: 2 }],
  ["a learned temperature", { normalize: true, temperature: 0.2, learnTemperature: true }],
  ["candidates by hidden vectors", { sampler: "midx", negatives: 8 }],
  ["an adaptive softmax", { loss: "adaptive-softmax", dim: 8 }],
];

describe("a trainer that starts again", () => {
  it.each(RUNS)("has the bits and the counts of a new one: %s", async (_, options) => {
    const take = (before: number) =>
      withTrainer(dataset, options, async (trainer) => {
        if (before > 0) {
          await trainer.runSteps(before);
          await trainer.restart();
        }
        expect(trainer.step).toBe(0);
        await trainer.runSteps(7);
        const { steps, examples, lossSum, lastLoss } = trainer.statistics();
        return { bytes: parameterBytes(trainer.host), steps, examples, lossSum, lastLoss };
      });
    expect(await take(5)).toEqual(await take(0));
  });

  it("cannot where a sampler has learned", async () => {
    await withTrainer(dataset, { sampler: "learned-unigram" }, async (trainer) => {
      await trainer.runSteps(3);
      await expect(trainer.restart()).rejects.toMatchObject({
        code: "LOGQ_OPTION",
        values: { sampler: "learned-unigram", step: 3 },
      });
      expect(trainer.step).toBe(3);
    });
  });
});
