import { join } from "node:path";
import { syntheticDataset } from "@logq/datasets";
import { describe, expect, it } from "vitest";
import { loadModel, OutputLayer, readRun, saveModel, Trainer, type TrainOptions, train } from "../dist/index.js";
import { runOptions } from "../dist/model/options.js";
import { parameterArrays, readArray, stateArrays, writeRows } from "../dist/table/parameters.js";
import { type AdaptiveCase, adaptiveLaw, adaptiveSpec, scatterBiases, tablesByName } from "./support/adaptive.js";
import { withDirectory } from "./support/directories.js";
import { parameterBytes, withEngine } from "./support/engines.js";
import { expectSameAfterLoading } from "./support/round-trip.js";
import { smallDataset, smallSynthetic, withTrained, withTrainer } from "./support/runs.js";

const METRICS = "cross-entropy,perplexity,recall@5,ndcg@3,mrr@7";
const ADAPTIVE = { loss: "adaptive-softmax", cutoffs: [5, 12], divValue: 2 } as const;

const SAVED: readonly (readonly [string, "text" | "pairs" | "labels", TrainOptions])[] = [
  ["words", "text", { ...ADAPTIVE, window: 3 }],
  ["users, no bias", "pairs", ADAPTIVE],
  ["several labels, adam", "labels", { ...ADAPTIVE, optimizer: { name: "adam" } }],
  ["cutoffs by cost", "text", { loss: "adaptive-softmax", window: 3, hidden: [9] }],
];

describe("a model trained, saved and evaluated from its directory says exactly the same numbers", () => {
  it.each(SAVED)(
    "%s",
    async (_, kind, options) => {
      const report = await expectSameAfterLoading(kind, options, METRICS);
      expect(report.loss).toBe("adaptive-softmax");
    },
    30_000,
  );
});

describe("a saved run", () => {
  it("holds the tables of the clusters and the optimizer's memory of them, and answers by its law", async () => {
    await withDirectory(async (directory) => {
      const dataset = await smallDataset("text", directory);
      const run = join(directory, "run");
      const tables = await withTrained(dataset, { ...ADAPTIVE, window: 3 }, async (trainer, report) => {
        await saveModel(trainer, run, report);
        return tablesByName(trainer.host);
      });
      const { shape, options, tables: stored, states } = await readRun(run);
      expect(shape.adaptive).toEqual({ cutoffs: [5, 12], divValue: 2 });
      expect(options.adaptive).toEqual({ cutoffs: [5, 12], divValue: 2 });
      const names = ["head", "head-bias", "tail0", "tail0-projection", "tail1", "tail1-projection"];
      const all = [...names.map((name) => `adaptive.${name}`), "encoder.embedding"];
      expect(stored.map(({ name }) => name)).toEqual(all);
      expect(states.map(({ name }) => name)).toEqual(all.map((name) => `${name}.state`));
      const model = await loadModel(run);
      const own = model.clusterTables();
      expect(own.map(({ name, rows, columns }) => [name, rows, columns])).toEqual([
        ["head", 7, 6],
        ["head-bias", 7, 1],
        ["tail0", 7, 3],
        ["tail0-projection", 3, 6],
        ["tail1", model.classes.size - 12, 1],
        ["tail1-projection", 1, 6],
      ]);
      const input = { words: [3, 1, 2] };
      const scores = model.scores(input);
      const clusters = {
        D: 6,
        n: model.classes.size,
        h: 5,
        headBias: true,
        tails: [
          { first: 5, size: 7, width: 3 },
          { first: 12, size: model.classes.size - 12, width: 1 },
        ],
      };
      const law = adaptiveLaw(clusters, tables, Float64Array.from(model.hidden(input)));
      expect(scores.reduce((sum, value) => sum + Math.exp(value), 0)).toBeCloseTo(1, 5);
      scores.forEach((value, id) => {
        expect(value).toBeCloseTo(law[id]!, 4);
      });
      const best = Array.from(law.keys()).sort((a, b) => law[b]! - law[a]!);
      for (const k of [1, 9, model.classes.size]) {
        const top = model.topK(input, k);
        expect(top.map(({ id }) => id)).toEqual(best.slice(0, k));
        for (const { id, score } of top) expect(score).toBeCloseTo(law[id]!, 4);
      }
      const exclude = best.slice(0, 2);
      expect(model.topK(input, 3, { exclude }).map(({ id }) => id)).toEqual(best.slice(2, 5));
      const refusal = expect.objectContaining({ code: "LOGQ_OPTION", values: { cutoffs: [5, 12] } });
      for (const ask of [
        () => model.table(),
        () => model.biases(),
        () => model.vector(3),
        () => model.bias(3),
        () => model.neighbours(3, 2),
      ])
        expect(ask).toThrow(refusal);
      expect(model.neighbours(3, 2, "inputs")).toHaveLength(2);
      await model.close();
    });
  });
});

describe("an engine that is given the tables and states of another", () => {
  it.each([
    ["adagrad", {}],
    ["adam", { name: "adam" }],
  ] as const)(
    "goes on from its step with the same bits: %s",
    async (_, optimizer) => {
      const spec = adaptiveSpec({ n: 301, D: 9, cutoffs: [30, 100], B: 21, optimizer } satisfies AdaptiveCase);
      const arraysOf = (host: Parameters<typeof parameterArrays>[0]) => [
        ...parameterArrays(host),
        ...stateArrays(host),
      ];
      const { saved, whole } = await withEngine(spec, {}, async ({ host, train }) => {
        scatterBiases(host);
        await train(0, 3);
        const some = arraysOf(host).map(readArray);
        await train(3, 3);
        return { saved: some, whole: parameterBytes(host) };
      });
      const resumed = await withEngine(spec, { workers: 2 }, async ({ host, train }) => {
        arraysOf(host).forEach((named, i) => {
          writeRows(named, 0, saved[i]!);
        });
        await train(3, 3);
        return parameterBytes(host);
      });
      expect(resumed.equals(whole)).toBe(true);
    },
    30_000,
  );
});

describe("training on a law of Zipf", () => {
  it("comes near the full softmax, and its report gives an exact cross-entropy", async () => {
    const dataset = syntheticDataset({
      classes: 1000,
      examples: 30_000,
      contexts: 30,
      topics: 6,
      seed: 3,
      validationExamples: 2000,
    });
    const common = { workers: 0, dim: 16, batch: 64, epochs: 3, optimizer: { learningRate: 0.1 } } as const;
    const reached: Record<string, number> = {};
    for (const loss of ["full-softmax", "adaptive-softmax"] as const) {
      await withTrained(dataset, { ...common, loss }, async (trainer, report) => {
        const { metrics } = await trainer.evaluate("validation", "cross-entropy");
        reached[loss] = metrics["cross-entropy"]!;
        if (loss === "full-softmax") return;
        const { h, tails } = trainer.host.spec.adaptive!;
        expect(tails.length).toBeGreaterThan(0);
        const { counts } = dataset.classes;
        const massOf = (classes: number) => counts.subarray(0, classes).reduce((sum, count) => sum + count, 0);
        expect(massOf(h) / massOf(counts.length)).toBeGreaterThan(0.7);
        expect(report.probeCrossEntropy).toBeCloseTo(reached[loss]!, 0);
      });
    }
    const best = dataset.truth.bestCrossEntropy;
    expect(reached["adaptive-softmax"]! - best).toBeGreaterThan(0);
    expect(reached["adaptive-softmax"]!).toBeLessThan(reached["full-softmax"]! + 0.1);
  }, 60_000);
});

describe("what an adaptive softmax does not take is refused", () => {
  const REFUSED: readonly (readonly [string, TrainOptions])[] = [
    ["a temperature", { temperature: 0.5 }],
    ["label smoothing", { labelSmoothing: 0.1 }],
    ["a z-loss", { zLoss: 0.1 }],
    ["cosines", { normalize: true }],
    ["seen classes left out", { exclude: "seen" }],
    ["narrow rows", { tableType: "bfloat16" }],
    ["a gradient filter", { gradientFilter: 0.1 }],
    ["a sampler", { sampler: "uniform" }],
    ["negatives", { negatives: 5 }],
  ];

  it.each(REFUSED)("%s", (_, options) => {
    expect(() => runOptions("text", { loss: "adaptive-softmax", ...options })).toThrow(
      expect.objectContaining({ code: "LOGQ_OPTION" }),
    );
  });

  it("cutoffs of another loss", () => {
    expect(() => runOptions("text", { loss: "full-softmax", cutoffs: [5] })).toThrow(
      expect.objectContaining({ code: "LOGQ_OPTION", values: expect.objectContaining({ cutoffs: [5] }) }),
    );
  });

  it.each([
    ["that do not rise", [12, 5], { index: 1, value: 5, before: 12 }],
    ["twice the same", [5, 5], { index: 1, value: 5, before: 5 }],
  ] as const)("cutoffs %s, with the values", async (_, cutoffs, values) => {
    await expect(Trainer.create(smallSynthetic(), { loss: "adaptive-softmax", cutoffs })).rejects.toThrow(
      expect.objectContaining({ code: "LOGQ_OPTION", values }),
    );
  });

  it.each([
    ["beyond the classes", { cutoffs: [50] }],
    ["at no class", { cutoffs: [0] }],
    ["of tails without width", { cutoffs: [5, 10], divValue: 10 }],
  ])("cutoffs %s", async (_, options) => {
    const asked = { loss: "adaptive-softmax", dim: 16, ...options } as const;
    await expect(Trainer.create(smallSynthetic(), asked)).rejects.toThrow(
      expect.objectContaining({ code: "LOGQ_OPTION" }),
    );
  });

  it("an output layer, which says why", async () => {
    await expect(OutputLayer.create({ classes: 50, dim: 4, batch: 8, loss: "adaptive-softmax" })).rejects.toThrow(
      expect.objectContaining({ code: "LOGQ_OPTION", values: { loss: "adaptive-softmax" } }),
    );
  });
});

it("classes that are not sorted by frequency are warned of, with the numbers", async () => {
  const sorted = smallSynthetic();
  await withTrainer(sorted, ADAPTIVE, async ({ warnings }) => expect(warnings).toEqual([]));
  const counts = sorted.classes.counts.slice().reverse();
  const reversed = { ...sorted, classes: { ...sorted.classes, size: 50, counts } } as typeof sorted;
  await withTrainer(reversed, ADAPTIVE, async ({ warnings }) => {
    expect(warnings[0]).toMatch(/^adaptive-softmax takes low ids for frequent classes, but these are not .*gamma -/);
  });
});

it("a run that stops and goes on has the bits of one that does not", async () => {
  const dataset = smallSynthetic();
  const bytesOf = (parts: readonly number[]) =>
    withTrainer(dataset, { ...ADAPTIVE, workers: 2 }, async (trainer) => {
      for (const count of parts) {
        await trainer.runSteps(count);
        await trainer.evaluate("validation", "cross-entropy,recall@3");
      }
      return parameterBytes(trainer.host);
    });
  expect((await bytesOf([2, 3, 5])).equals(await bytesOf([10]))).toBe(true);
  await withTrainer(dataset, ADAPTIVE, async (trainer) => expect((await train(trainer)).ended).toBe("finished"));
}, 60_000);
