import { describe, expect, it } from "vitest";
import type { TrainOptions } from "../dist/index.js";
import { runOptions } from "../dist/model/options.js";

describe("options of a run", () => {
  it("have defaults that fit the data", () => {
    expect(runOptions("text", {})).toMatchObject({ encoder: "window", window: 5, classBias: "log-frequency" });
    expect(runOptions("text", {}).sampler).toEqual({ name: "unigram", replacement: true, distortion: 1 });
    expect(runOptions("pairs", {})).toMatchObject({ encoder: "user", classBias: "none", sampler: { name: "uniform" } });
    expect(runOptions("labels", { loss: "one-vs-all" })).toMatchObject({ encoder: "features", negatives: 0 });
    expect(runOptions("synthetic", {}).loss).toMatchObject({ name: "sampled-softmax", correction: "importance" });
  });

  it("like TensorFlow are unique draws, its expected counts, and hits removed", () => {
    const options = runOptions("text", { like: "tensorflow", sampler: "log-uniform" });
    expect(options.sampler).toEqual({ name: "log-uniform", replacement: false, expectedCount: "tensorflow" });
    expect(options.loss.accidentalHits).toBe("remove");
  });

  it("fill each other in: partition removes hits, exclude names who is left out", () => {
    expect(runOptions("text", { correction: "partition" }).loss.accidentalHits).toBe("remove");
    expect(runOptions("text", { exclude: "target" }).loss).toMatchObject({ accidentalHits: "remove", exclude: "none" });
    expect(runOptions("pairs", { exclude: "seen" }).loss).toMatchObject({ accidentalHits: "keep", exclude: "seen" });
  });

  it("fit the loss: uniform draws where it supposes them, no biases beside cosines, unique negatives of PartialFC", () => {
    for (const loss of ["gbce", "bpr", "warp"] as const) {
      expect(runOptions("text", { loss }).sampler).toEqual({ name: "uniform", replacement: true });
    }
    expect(runOptions("text", { loss: "bpr", sampler: "unigram" }).sampler).toMatchObject({ name: "unigram" });
    const margin = runOptions("text", { loss: "sampled-margin", margin: 0.2, marginKind: "angular" });
    expect(margin).toMatchObject({ classBias: "none", sampler: { name: "uniform", replacement: false } });
    expect(margin.loss).toMatchObject({ normalize: true, margin: 0.2, marginKind: "angular", correction: "none" });
    expect(runOptions("pairs", { loss: "ccl", negativeWeight: 3 }).loss).toMatchObject({ negativeWeight: 3 });
  });

  const REFUSED: readonly (readonly [string, "text" | "pairs" | "labels" | "synthetic", object])[] = [
    ["names that are none", "text", { negative: 5 }],
    ["an encoder for other data", "text", { encoder: "user" }],
    ["negatives of a loss without candidates", "text", { loss: "full-softmax", negatives: 5 }],
    ["a sampler of a loss without candidates", "labels", { loss: "one-vs-all", sampler: "uniform" }],
    ["a window of nothing", "text", { window: 0 }],
    ["a history of nothing", "pairs", { encoder: "history", window: 0 }],
    ["users as examples of histories", "pairs", { encoder: "history", examples: "users" }],
    ["users as examples of words", "text", { examples: "users" }],
    ["examples of another kind", "pairs", { examples: "baskets" }],
    ["a dropout of everything", "text", { dropout: 1 }],
    ["no steps", "text", { maxSteps: 0 }],
    ["no time", "text", { maxMinutes: 0 }],
    ["a rate that is no number", "text", { optimizer: { learningRate: Number.NaN } }],
    ["a class bias beside cosines", "text", { loss: "ccl", classBias: "log-frequency" }],
    ["a margin of another loss", "text", { loss: "bpr", margin: 0.2 }],
    ["cosines that are none", "text", { loss: "margin", normalize: false }],
    ["a soft cap of 0", "text", { loss: "full-softmax", softCap: 0 }],
    ["a soft cap below 0", "text", { softCap: -3 }],
    ["a soft cap that is no number", "text", { softCap: Number.NaN }],
    ["a soft cap of a logistic loss", "text", { loss: "nce", softCap: 30 }],
    ["a soft cap with label smoothing", "text", { loss: "full-softmax", softCap: 30, labelSmoothing: 0.1 }],
    ["class weights of a logistic loss", "labels", { loss: "one-vs-all", classWeights: "inverse-frequency" }],
    ["class weights with label smoothing", "text", { classWeights: "effective-number", labelSmoothing: 0.1 }],
    ["class weights by a rule that is none", "text", { classWeights: "frequency" }],
    ["a power of class weights", "text", { classWeights: { kind: "inverse-frequency", power: 2 } }],
    ["a beta of class weights", "text", { classWeights: { kind: "effective-number", beta: 1 } }],
    ["propensities of a softmax", "labels", { loss: "full-softmax", propensities: { A: 0.5, B: 0.4 } }],
    ["propensities with A of 0", "labels", { loss: "one-vs-all", propensities: { A: 0, B: 0.4 } }],
    ["propensities with B below 0", "labels", { loss: "one-vs-all", propensities: { A: 0.5, B: -0.4 } }],
    ["propensities of NaN", "labels", { loss: "one-vs-all", propensities: { A: Number.NaN, B: 0.4 } }],
    ["a learned temperature without cosines", "text", { learnTemperature: true }],
    ["a learned temperature of margins", "text", { loss: "margin", learnTemperature: true }],
    ["a learned temperature of ccl", "text", { loss: "ccl", learnTemperature: true }],
    [
      "a learned temperature of a tree",
      "text",
      { loss: "hierarchical-softmax", normalize: true, learnTemperature: true },
    ],
    ["a learned temperature and draws by logits", "text", { normalize: true, learnTemperature: true, sampler: "midx" }],
    ["a temperature of 0", "text", { temperature: 0 }],
    ["a temperature below 0", "text", { temperature: -1 }],
    ["a temperature that is no number", "text", { temperature: Number.NaN }],
    ["partition with hits kept", "text", { correction: "partition", accidentalHits: "keep" }],
  ];

  it("refuse propensities of an adaptive softmax by its own name", () => {
    const options = { loss: "adaptive-softmax", propensities: { A: 0.5, B: 0.4 } } as const;
    expect(() => runOptions("labels", options)).toThrow(
      expect.objectContaining({
        message: "propensities is an option of one-vs-all, sampled-one-vs-all, not of adaptive-softmax",
        values: { loss: "adaptive-softmax", propensities: options.propensities },
      }),
    );
  });

  it.each(REFUSED)("refuse %s", (_, kind, options) => {
    expect(() => runOptions(kind, options as TrainOptions)).toThrow(expect.objectContaining({ code: "LOGQ_OPTION" }));
  });
});
