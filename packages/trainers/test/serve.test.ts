import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AnyDataset,
  type LabelsDataset,
  type PairsDataset,
  syntheticDataset,
  type TextDataset,
} from "@logq/datasets";
import { logSumExp } from "@logq/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel, type Model, type ModelInput, saveModel, type TrainOptions } from "../dist/index.js";
import { withDirectory } from "./support/directories.js";
import { savedRun, smallDataset, smallSynthetic, withTrained } from "./support/runs.js";
import { hiddenOf, logitsOf } from "./support/serving.js";

/** An input, and what its encoder should make of it. */
interface Question {
  readonly input: ModelInput;
  readonly ids: number[];
  readonly weights?: number[];
}

/** An encoder, questions for it, and how an example of the test part is asked as a user would: undefined ends them. */
interface Case {
  readonly kind: "text" | "pairs" | "labels" | "synthetic";
  readonly options: TrainOptions;
  questions(model: Model, dataset: AnyDataset): Question[];
  examples(dataset: AnyDataset): Iterable<{ input: ModelInput; labels: Iterable<number> }>;
}

function* textExamples(dataset: AnyDataset, context: (tokens: Int32Array, at: number) => Int32Array) {
  const { tokens } = (dataset as TextDataset).splits.test!;
  for (let at = 0; at < tokens.length; at++) {
    yield { input: { words: Array.from(context(tokens, at)) }, labels: [tokens[at]!] };
  }
}

const before = (window: number) => (tokens: Int32Array, at: number) => tokens.subarray(Math.max(0, at - window), at);

function seenBy({ splits }: PairsDataset, user: number): number[] {
  return [splits.train!, splits.validation!].flatMap(({ offsets, items }) =>
    Array.from(items.subarray(offsets[user], offsets[user + 1])),
  );
}

function* pairExamples(dataset: AnyDataset, input: (dataset: PairsDataset, user: number) => ModelInput) {
  const pairs = dataset as PairsDataset;
  const { offsets, items } = pairs.splits.test!;
  for (let user = 0; user < pairs.users.size; user++) {
    const labels = items.subarray(offsets[user], offsets[user + 1]);
    if (labels.length > 0) yield { input: input(pairs, user), labels };
  }
}

function* labelExamples(dataset: AnyDataset) {
  const { features, featureOffsets, values, labels, labelOffsets } = (dataset as LabelsDataset).splits.test!;
  for (let row = 0; row + 1 < labelOffsets.length; row++) {
    const pairs: [number, number][] = [];
    for (let j = featureOffsets[row]!; j < featureOffsets[row + 1]!; j++) pairs.push([features[j]!, values[j]!]);
    const own = labels.subarray(labelOffsets[row], labelOffsets[row + 1]);
    if (own.length > 0) yield { input: { features: pairs }, labels: own };
  }
}

const word = (model: Model, name: string) => model.classes.id(name)!;

const CASES: Readonly<Record<string, Case>> = {
  user: {
    kind: "pairs",
    options: { classBias: "zero", normalize: true, temperature: 0.2 },
    questions: (model) => [
      { input: { user: "u7" }, ids: [model.inputs.id("u7")!] },
      { input: { user: 11 }, ids: [11] },
    ],
    examples: (dataset) => pairExamples(dataset, (_, user) => ({ user })),
  },
  history: {
    kind: "pairs",
    options: { encoder: "history", window: 3, lanes: 4 },
    questions: (model) => [
      { input: { items: ["i0", "i3"] }, ids: [word(model, "i0"), word(model, "i3")] },
      { input: { items: [1, 2, 3, 4, 5] }, ids: [3, 4, 5] },
      { input: { items: [] }, ids: [] },
    ],
    examples: (dataset) => pairExamples(dataset, (pairs, user) => ({ items: seenBy(pairs, user) })),
  },
  "window, mean": {
    kind: "text",
    options: { window: 3, temperature: 0.7 },
    questions: (model) => [
      { input: { words: ["w1", "w2"] }, ids: [word(model, "w1"), word(model, "w2")] },
      { input: { words: ["w9", "w1", "w2", "w3"] }, ids: ["w1", "w2", "w3"].map((name) => word(model, name)) },
      { input: { words: ["never seen"] }, ids: [word(model, "<unk>")] },
      { input: { words: [] }, ids: [] },
    ],
    examples: (dataset) => textExamples(dataset, before(3)),
  },
  "window, capped": {
    kind: "text",
    options: { window: 3, softCap: 1.5 },
    questions: (model) => [{ input: { words: ["w1", "w2"] }, ids: [word(model, "w1"), word(model, "w2")] }],
    examples: (dataset) => textExamples(dataset, before(3)),
  },
  "user, cosines at a learned temperature": {
    kind: "pairs",
    options: { normalize: true, temperature: 0.2, learnTemperature: true },
    questions: () => [{ input: { user: 11 }, ids: [11] }],
    examples: (dataset) => pairExamples(dataset, (_, user) => ({ user })),
  },
  "window around": {
    kind: "text",
    options: { window: 2, contextMode: "around", reduce: "sum", embedding: 4 },
    questions: () => [{ input: { words: [9, 1, 2, 3, 4] }, ids: [1, 2, 3, 4] }],
    examples: (dataset) =>
      textExamples(dataset, (tokens, at) =>
        Int32Array.of(...before(2)(tokens, at), ...tokens.subarray(at + 1, at + 3)),
      ),
  },
  "window with dense layers": {
    kind: "text",
    options: { window: 3, hidden: [9, 7], embedding: 5, dropout: 0.2, activation: "relu" },
    questions: (model) => [
      { input: { words: [4] }, ids: [word(model, "<eos>"), word(model, "<eos>"), 4] },
      { input: { words: [5, 6, 7, 8] }, ids: [6, 7, 8] },
    ],
    examples: (dataset) => textExamples(dataset, before(3)),
  },
  features: {
    kind: "labels",
    options: { hidden: [8], loss: "one-vs-all" },
    questions: (model) => [
      {
        input: {
          features: [
            [model.inputs.name(3), 2],
            [5, 0.5],
          ],
        },
        ids: [3, 5],
        weights: [2, 0.5],
      },
    ],
    examples: labelExamples,
  },
  context: {
    kind: "synthetic",
    options: {},
    questions: () => [{ input: { context: 13 }, ids: [13] }],
    examples: function* (dataset) {
      const { inputs, targets } = smallSynthetic().splits.test;
      expect(dataset.kind).toBe("synthetic");
      for (let e = 0; e < inputs.length; e++) yield { input: { context: inputs[e]! }, labels: [targets[e]!] };
    },
  },
};

describe.each(Object.entries(CASES))("a loaded model: %s", (_, of) => {
  let directory: string;
  let dataset: AnyDataset;
  let model: Model;
  let evaluated: number;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "logq-trainers-"));
    dataset = of.kind === "synthetic" ? smallSynthetic() : await smallDataset(of.kind, directory);
    const run = join(directory, "run");
    // Steps that leave no two scores close to each other.
    const optimizer = { name: "adagrad", learningRate: 0.5 } as const;
    evaluated = await withTrained(dataset, { epochs: 3, optimizer, ...of.options }, async (trainer, report) => {
      await saveModel(trainer, run, report);
      return (await trainer.evaluate("test", "cross-entropy")).metrics["cross-entropy"]!;
    });
    model = await loadModel(run);
  });

  afterAll(async () => {
    await model.close();
    await rm(directory, { recursive: true });
  });

  it("scores as float64 does from the exported tables: within 2e-6 of the largest score", () => {
    for (const { input, ids, weights } of of.questions(model, dataset)) {
      const expected = logitsOf(model, hiddenOf(model, ids, weights ?? ids.map(() => 1)));
      const scores = model.scores(input);
      const largest = Math.max(...expected.map(Math.abs));
      expect(scores).toHaveLength(model.classes.size);
      const errors = scores.map((score, id) => Math.abs(score - expected[id]!));
      expect(Math.max(...errors)).toBeLessThanOrEqual(2e-6 * largest);
    }
  });

  it("scores some classes as it scores all, in their order", () => {
    for (const { input } of of.questions(model, dataset)) {
      const all = model.scores(input);
      const asked = [3, model.classes.name(0), 1, 3];
      expect(model.scoresOf(input, asked)).toEqual(Float32Array.from([3, 0, 1, 3], (id) => all[id]!));
      expect(model.scoresOf(input, [])).toHaveLength(0);
    }
  });

  it("hands out the hidden vector of an input as float64 finds it, within 2e-6 of the largest element: a copy", () => {
    const questions = of.questions(model, dataset);
    const vectors = questions.map(({ input }) => model.hidden(input));
    for (const [q, { ids, weights }] of questions.entries()) {
      const expected = hiddenOf(model, ids, weights ?? ids.map(() => 1));
      const largest = Math.max(...expected.map(Math.abs));
      expect(vectors[q]).toHaveLength(model.head.shape.dim);
      const errors = expected.map((value, d) => Math.abs(value - vectors[q]![d]!));
      expect(Math.max(...errors)).toBeLessThanOrEqual(2e-6 * largest);
    }
  });

  it("ranks by its scores, ids and names, with and without exclusions, and no more classes than there are", () => {
    const n = model.classes.size;
    for (const { input } of of.questions(model, dataset)) {
      const scores = model.scores(input);
      for (const exclude of [[], [0, 3, 5, 3], Array.from({ length: n }, (_, id) => id).slice(2)]) {
        for (const k of [1, 5, n, n + 7, 2000]) {
          const ranked = model.topK(input, k, { exclude });
          expect(ranked).toHaveLength(Math.min(k, n - new Set(exclude).size));
          expect(new Set(ranked.map(({ id }) => id)).size).toBe(ranked.length);
          const least = ranked.at(-1)!.score;
          scores.forEach((score, id) => {
            const listed = ranked.some((entry) => entry.id === id);
            if (exclude.includes(id)) expect(listed).toBe(false);
            else if (!listed) expect(score).toBeLessThan(least + 1e-5);
          });
          ranked.forEach(({ id, name, score }, i) => {
            expect(name).toBe(dataset.classes.name(id));
            expect(Math.abs(score - scores[id]!)).toBeLessThan(1e-5);
            if (i > 0) expect(score).toBeLessThanOrEqual(ranked[i - 1]!.score);
          });
        }
      }
    }
  });

  it("asked the test part as a user would, it has the cross-entropy of the evaluation within 1e-6", () => {
    let sum = 0;
    let labels = 0;
    for (const example of of.examples(dataset)) {
      const scores = model.scores(example.input);
      const lse = logSumExp(scores);
      for (const label of example.labels) {
        sum += lse - scores[label]!;
        labels++;
      }
    }
    expect(Math.abs(sum / labels - evaluated)).toBeLessThan(1e-6 * evaluated);
  });

  it("hands out rows, biases and neighbours by cosine within 1e-6, by id and by name", () => {
    const table = model.table();
    const { dim } = model.head.shape;
    const n = model.classes.size;
    const name = model.classes.name(4);
    expect(model.vector(4)).toEqual(table.slice(4 * dim, 5 * dim));
    expect(model.vector(name)).toEqual(model.vector(4));
    expect(model.bias(name)).toBe(model.biases()?.[4] ?? 0);
    const cosines = logitsOf(
      {
        classes: model.classes,
        head: { shape: { dim, normalize: true, temperature: 1 } },
        table: () => table,
        biases: () => undefined,
      } as never,
      Float64Array.from(model.vector(4)),
    );
    const found = model.neighbours(name, n + 3);
    expect(found).toHaveLength(n - 1);
    expect(found.some(({ id }) => id === 4)).toBe(false);
    found.forEach(({ id, score, name: label }, i) => {
      expect(Math.abs(score - cosines[id]!)).toBeLessThan(1e-6);
      expect(label).toBe(model.classes.name(id));
      if (i > 0) expect(score).toBeLessThanOrEqual(found[i - 1]!.score);
    });
    expect(model.neighbours(4, 3)).toEqual(found.slice(0, 3));
  });

  it("refuses another encoder's input, classes that do not exist, and rankings of nothing", () => {
    const { input } = of.questions(model, dataset)[0]!;
    const other = "user" in input ? { items: [] } : { user: 1 };
    const n = model.classes.size;
    expect(() => model.scores(other)).toThrow(expect.objectContaining({ code: "LOGQ_OPTION" }));
    expect(() => model.hidden(other)).toThrow(expect.objectContaining({ code: "LOGQ_OPTION" }));
    for (const id of [-1, n, 1.5, Number.NaN]) {
      const error = expect.objectContaining({ code: "LOGQ_CLASS_ID", values: { id, n } });
      expect(() => model.topK(input, 3, { exclude: [id] })).toThrow(error);
      expect(() => model.vector(id)).toThrow(error);
      expect(() => model.bias(id)).toThrow(error);
      expect(() => model.neighbours(id, 3)).toThrow(error);
    }
    expect(() => model.vector("no class")).toThrow(expect.objectContaining({ values: { name: "no class" } }));
    for (const k of [0, 2.5]) {
      expect(() => model.topK(input, k)).toThrow(expect.objectContaining({ code: "LOGQ_OPTION" }));
      expect(() => model.neighbours(0, k)).toThrow(expect.objectContaining({ code: "LOGQ_OPTION" }));
    }
  });
});

describe("inputs", () => {
  async function withModel(dataset: AnyDataset, options: TrainOptions, use: (model: Model) => void) {
    await withDirectory(async (directory) => {
      const model = await loadModel(await savedRun(directory, dataset, { maxSteps: 1, ...options }));
      use(model);
      await model.close();
    });
  }

  it("that nobody knows are refused by name", async () => {
    await withDirectory(async (directory) => {
      const pairs = await smallDataset("pairs", directory);
      await withModel(pairs, {}, (model) => {
        expect(() => model.scores({ user: "who" })).toThrow(expect.objectContaining({ values: { name: "who" } }));
        const error = expect.objectContaining({ code: "LOGQ_CLASS_ID", values: { id: 50, n: 50 } });
        expect(() => model.scores({ user: 50 })).toThrow(error);
      });
      await withModel(pairs, { encoder: "history" }, (model) => {
        expect(() => model.scores({ items: ["i1", "what"] })).toThrow(
          expect.objectContaining({ values: { name: "what" } }),
        );
      });
    });
  });

  it("of features must have finite weights, also as float32, and a finite sum that is not 0", async () => {
    await withDirectory(async (directory) => {
      const labels = await smallDataset("labels", directory);
      await withModel(labels, {}, (model) => {
        for (const weight of [Number.NaN, Number.POSITIVE_INFINITY, 1e39]) {
          const error = expect.objectContaining({ code: "LOGQ_NOT_FINITE", values: { index: 1, weight } });
          expect(() =>
            model.scores({
              features: [
                [0, 1],
                [1, weight],
              ],
            }),
          ).toThrow(error);
        }
        expect(() =>
          model.scores({
            features: [
              [0, 1],
              [1, -1],
            ],
          }),
        ).toThrow(expect.objectContaining({ code: "LOGQ_OPTION" }));
      });
      await withModel(labels, { reduce: "sum", normalize: true }, (model) => {
        const features = [
          [0, 3e38],
          [1, 3e38],
          [2, 3e38],
          [3, 3e38],
        ] as [number, number][];
        const many = Array.from({ length: 40 }, () => features).flat();
        expect(() => model.topK({ features: many }, 2)).toThrow(expect.objectContaining({ code: "LOGQ_NOT_FINITE" }));
      });
    });
  });

  it("of contexts have numbers for names, also where there are as many as classes", async () => {
    const dataset = syntheticDataset({ classes: 30, contexts: 30, examples: 100, topics: 4 });
    await withModel(dataset, {}, (model) => {
      expect(model.inputs.name(7)).toBe("7");
      expect(model.classes.name(7)).toBe("class 7");
    });
  });

  it("of 2500 classes are ranked to the last, and exclusions have no limit", async () => {
    const dataset = syntheticDataset({ classes: 70_000, contexts: 3, examples: 300, topics: 2 });
    await withModel(dataset, { dim: 2, classScale: 1 }, (model) => {
      const input = { context: 1 };
      const long = model.topK(input, 2500);
      expect(long).toHaveLength(2500);
      // The engine's float32 sums may order neighbours otherwise.
      for (const [i, { score }] of model.topK(input, 900).entries()) {
        expect(Math.abs(score - long[i]!.score)).toBeLessThan(1e-6);
      }
      const best = new Set(long.slice(0, 3).map(({ id }) => id));
      const exclude = Array.from(dataset.classes.counts.keys()).filter((id) => !best.has(id));
      expect(model.topK(input, 5, { exclude }).map(({ id }) => id)).toEqual([...best]);
    });
  });
});
