import { OptionError } from "@logq/core";
import { CountedVocabulary, NumberedNames, type TextDataset } from "@logq/datasets";
import { describe, expect, it } from "vitest";
import { Trainer, type TrainOptions, train } from "../dist/index.js";
import { runOptions } from "../dist/model/options.js";

describe("a recipe", () => {
  it("skipgram is word2vec's: windows, words, law, sums and rate", () => {
    expect(runOptions("text", { recipe: "skipgram" })).toMatchObject({
      recipe: "skipgram",
      encoder: "window",
      contextMode: "neighbours",
      window: 5,
      dynamicWindow: true,
      subsample: 1e-4,
      withinLine: true,
      dim: 128,
      embedding: 128,
      loss: { name: "negative-sampling", negativesPerLabel: 5, accidentalHits: "keep" },
      sampler: { name: "unigram", distortion: 0.75, replacement: true },
      negatives: 64,
      reduction: "sum",
      optimizer: { name: "sgd", learningRate: 0.05 },
      schedule: { name: "linear", finalFactor: 0 },
      classBias: "none",
      classScale: 0,
      embeddingScale: 0.5 / 128,
      batch: 256,
      epochs: 5,
    });
  });

  it("cbow sums the words around", () => {
    expect(runOptions("text", { recipe: "cbow" })).toMatchObject({ contextMode: "around", reduce: "sum" });
  });

  it("changes nothing where none is named", () => {
    expect(runOptions("text", {})).toMatchObject({
      recipe: null,
      subsample: 0,
      dynamicWindow: false,
      reduction: "mean",
    });
  });

  const OVERRIDES: readonly TrainOptions[] = [
    { window: 2 },
    { dynamicWindow: false },
    { subsample: 0 },
    { withinLine: false },
    { batch: 32 },
    { epochs: 1 },
    { reduction: "mean" },
    { classScale: 0.1 },
    { embeddingScale: 0.1 },
    { classBias: "zero" },
    { contextMode: "around" },
  ];
  it.each(OVERRIDES)("yields to %j", (options) => {
    const found = runOptions("text", { recipe: "skipgram", ...options });
    expect(found).toMatchObject(options);
    const [name] = Object.keys(options);
    expect({ ...found, [name!]: 0 }).toEqual({ ...runOptions("text", { recipe: "skipgram" }), [name!]: 0 });
  });

  it("yields to parts of optimizer, schedule, loss and sampler as well", () => {
    const options: TrainOptions = {
      recipe: "skipgram",
      dim: 40,
      optimizer: { weightDecay: 0.1 },
      schedule: { warmupSteps: 10 },
      distortion: 1,
      negativesPerLabel: 0,
      accidentalHits: "remove",
    };
    expect(runOptions("text", options)).toMatchObject({
      embedding: 40,
      embeddingScale: 0.5 / 40,
      optimizer: { name: "sgd", learningRate: 0.05, weightDecay: 0.1 },
      schedule: { name: "linear", warmupSteps: 10 },
      sampler: { distortion: 1 },
      loss: { negativesPerLabel: 0, accidentalHits: "remove" },
    });
  });

  it("does not take its rate over to another optimizer, nor negatives to a loss without", () => {
    expect(runOptions("text", { recipe: "cbow", optimizer: { name: "adam" } }).optimizer.learningRate).toBe(1e-3);
    expect(runOptions("text", { recipe: "skipgram", loss: "full-softmax" })).toMatchObject({
      negatives: 0,
      sampler: undefined,
    });
    expect(runOptions("text", { recipe: "skipgram", loss: "sampled-softmax" })).toMatchObject({
      loss: { negativesPerLabel: 0, correction: "importance" },
      optimizer: { name: "rowwise-adagrad", learningRate: 0.2 },
    });
  });

  it.each([
    ["a recipe that is none", "text", { recipe: "glove" }],
    ["other data", "pairs", { recipe: "skipgram" }],
    ["words left out of windows of previous words", "text", { subsample: 1e-3 }],
    ["windows of random width before a word", "text", { dynamicWindow: true }],
    ["less than nothing left out", "text", { contextMode: "around", subsample: -1 }],
    ["negatives by label of another loss", "text", { loss: "nce", negativesPerLabel: 5 }],
    ["a reduction that is none", "text", { reduction: "max" }],
  ] as const)("refused: %s", (_, kind, options) => {
    expect(() => runOptions(kind, options as TrainOptions)).toThrow(OptionError);
  });
});

/**
 * Lines about one of `topics` topics: its own words, which never meet, and common words. Words of a topic have the same neighbours, and so
 * should have similar vectors.
 */
function madeUpText(topics: number, perTopic: number, lines: number): TextDataset {
  const tokens: number[] = [];
  const common = 10;
  const n = 1 + common + topics * perTopic;
  let state = 1;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let line = 0; line < lines; line++) {
    const topic = random(topics);
    for (let i = 0; i < 12; i++)
      tokens.push(i % 3 === 0 ? 1 + random(common) : 1 + common + topic * perTopic + random(perTopic));
    tokens.push(0);
  }
  const counts = new Float64Array(n);
  for (const token of tokens) counts[token]!++;
  return {
    kind: "text",
    classes: new CountedVocabulary(new NumberedNames(n, "w"), counts),
    splits: { train: { tokens: Int32Array.from(tokens) } },
    eos: 0,
    unknown: -1,
    options: {},
  };
}

describe("word vectors of a made-up text", () => {
  it.each<TrainOptions>([
    { recipe: "skipgram" },
    { recipe: "cbow" },
    { recipe: "skipgram", loss: "sampled-softmax" },
    { recipe: "cbow", loss: "sampled-softmax" },
    { recipe: "skipgram", loss: "hierarchical-softmax" },
    { recipe: "cbow", loss: "hierarchical-softmax" },
  ])(
    "%j: of the 9 nearest of each word at least 90% are of its topic, where chance is 10%",
    async (options) => {
      const topics = 10;
      const perTopic = 10;
      const dataset = madeUpText(topics, perTopic, 1500);
      const trainer = await Trainer.create(dataset, { ...options, dim: 16, batch: 64, subsample: 1e-2, workers: 0 });
      try {
        const report = await train(trainer);
        expect(report.words).toBe(5 * 1500 * 13);
        expect(report.wordsPerSecondPerThread).toBe(report.wordsPerSecond);
        const { address, ld, columns } = trainer.host.layout.encoder.tables[0]!;
        const vector = (id: number) => trainer.host.memory.floats(address + 4 * ld * id, columns);
        const first = 1 + 10;
        let right = 0;
        for (let word = first; word < first + topics * perTopic; word++) {
          const scored = Array.from({ length: topics * perTopic }, (_, i) => first + i)
            .filter((other) => other !== word)
            .map((other) => ({ other, score: cosine(vector(word), vector(other)) }))
            .sort((a, b) => b.score - a.score);
          const topic = (id: number) => Math.floor((id - first) / perTopic);
          right += scored.slice(0, 9).filter(({ other }) => topic(other) === topic(word)).length;
        }
        expect(right / (9 * topics * perTopic)).toBeGreaterThan(0.9);
      } finally {
        await trainer.close();
      }
    },
    30_000,
  );
});

function cosine(a: Float32Array, b: Float32Array): number {
  let dot = 0;
  for (let d = 0; d < a.length; d++) dot += a[d]! * b[d]!;
  return dot / Math.max(1e-30, Math.hypot(...a) * Math.hypot(...b));
}
