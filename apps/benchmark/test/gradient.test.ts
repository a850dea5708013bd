import { syntheticDataset } from "@logq/datasets";
import { Trainer, type TrainOptions } from "@logq/trainers";
import { describe, expect, it } from "vitest";
import { productFlops, tableBytes } from "../src/measure/cost.js";
import { quantile } from "../src/measure/engine.js";
import { gradientError } from "../src/measure/gradient.js";

const dataset = syntheticDataset({ classes: 200, examples: 20_000, contexts: 64, seed: 3 });
const SIGNAL = new AbortController().signal;

/** A model of D = 12 after `steps` steps in this thread. */
async function withTrainer<T>(
  options: TrainOptions,
  use: (trainer: Trainer) => T | Promise<T>,
  steps = 100,
): Promise<T> {
  const trainer = await Trainer.create(dataset, { dim: 12, batch: 64, workers: 0, seed: 5, ...options }, 10);
  try {
    await trainer.runSteps(steps);
    return await use(trainer);
  } finally {
    await trainer.close();
  }
}

const errorOf = (options: TrainOptions) =>
  withTrainer({ loss: "sampled-softmax", ...options }, async (trainer) => (await gradientError(trainer, SIGNAL))!);

describe("gradientError", { timeout: 30_000 }, () => {
  it("vanishes as S grows: with 4,000 draws of 200 classes the sampled gradient is the exact one within 5%", async () => {
    const { bias, spread } = await errorOf({ sampler: "unigram", negatives: 4_000 });
    expect(bias).toBeLessThan(0.02);
    expect(spread).toBeLessThan(0.05);
  });

  it("is worse under the uniform law than under the unigram law, and spread falls about as 1/sqrt(S)", async () => {
    const uniform = await errorOf({ sampler: "uniform", negatives: 16 });
    const unigram = await errorOf({ sampler: "unigram", negatives: 16 });
    const more = await errorOf({ sampler: "unigram", negatives: 64 });
    expect(uniform.bias).toBeGreaterThan(1.5 * unigram.bias);
    expect(unigram.bias).toBeGreaterThan(0.01);
    expect(unigram.spread / more.spread).toBeGreaterThan(1.5);
    expect(unigram.spread / more.spread).toBeLessThan(2.7);
  });

  it("without the correction the bias stays however many are drawn", async () => {
    const { bias } = await errorOf({ sampler: "unigram", negatives: 5_000, correction: "none" });
    expect(bias).toBeGreaterThan(0.2);
  });

  it("ends with the signal", async () => {
    const controller = new AbortController();
    controller.abort(new Error("stopped"));
    const stopped = withTrainer({ negatives: 8 }, (trainer) => gradientError(trainer, controller.signal));
    await expect(stopped).rejects.toThrow("stopped");
  });
});

describe("cost", { timeout: 30_000 }, () => {
  it("tables are class rows, biases, Adagrad's state for both, and 12 to 24 bytes a class of the alias table", async () => {
    const rows = 208;
    const full = await withTrainer({ loss: "full-softmax" }, tableBytes, 0);
    expect(full).toBe(2 * 4 * rows * (12 + 1));
    const sampler = (await withTrainer({ negatives: 8 }, tableBytes, 0)) - full;
    expect(sampler / 200).toBeGreaterThanOrEqual(12);
    expect(sampler / 200).toBeLessThanOrEqual(24);
  });

  it("products: 6·B·D for every class of a full softmax, and for every distinct candidate of a sampled one", async () => {
    expect(await withTrainer({ loss: "full-softmax" }, productFlops, 0)).toBe(6 * 64 * 12 * 200);
    const few = await withTrainer({ negatives: 2, sampler: "uniform" }, productFlops, 0);
    expect(few / (6 * 64 * 12)).toBeGreaterThan(1.8);
    expect(few / (6 * 64 * 12)).toBeLessThanOrEqual(2);
    const all = await withTrainer({ negatives: 100_000, sampler: "uniform" }, productFlops, 0);
    expect(all).toBe(6 * 64 * 12 * 200);
  });

  it("products of a tree: 6·B·D for every decision on the path of a label", async () => {
    const flops = await withTrainer({ loss: "hierarchical-softmax", tree: "balanced" }, productFlops, 0);
    expect(flops / (6 * 64 * 12)).toBeGreaterThan(7);
    expect(flops / (6 * 64 * 12)).toBeLessThan(8);
  });
});

describe("quantile", () => {
  it("is a value or lies between its neighbours", () => {
    expect(quantile([1, 2, 3], 0.5)).toBe(2);
    expect(quantile([1, 2], 0.5)).toBe(1.5);
    expect(quantile([7], 0.9)).toBe(7);
    expect(quantile([0, 10, 20], 0.9)).toBe(18);
  });
});
