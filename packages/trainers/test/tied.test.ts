import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type AnyDataset, openDataset, prepareText, readArrayFile } from "@logq/datasets";
import { expectAllClose, TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { loadParameters } from "../dist/checkpoint/load.js";
import { evaluateRun, loadModel, readRun, saveModel, type TrainOptions } from "../dist/index.js";
import type { OptimizerSpec } from "../dist/optimize/optimizer.js";
import { readClassTable } from "../dist/table/export.js";
import { stateArrays, writeRows } from "../dist/table/parameters.js";
import { withDirectory } from "./support/directories.js";
import { type EngineCase, engineSpec, parameterBytes, readTables, withEngine } from "./support/engines.js";
import { savedRun, smallDataset, smallSynthetic, withTrained, withTrainer } from "./support/runs.js";
import { hiddenOf, logitsOf } from "./support/serving.js";

const [N, D] = [12, 5];

/**
 * Two rows: classes 7, 5, 5 predict 2, and 1, 2 predict 7. With candidates 3 and 7, the latter three times, 7 and 2 are inputs and classes, 5 (twice in a
 * bag) and 1 inputs only, 3 a candidate only; nobody uses the others.
 */
function knownBatch(optimizer: Partial<OptimizerSpec>, more: Partial<EngineCase> = {}) {
  const spec = engineSpec({
    loss: "sampled-softmax",
    lossOptions: { correction: "none" },
    ...{ n: N, D, B: 2, S: 4, lanes: 4, tied: true, optimizer },
    source: {
      kind: "list",
      inputOffsets: Int32Array.of(0, 3, 5),
      inputs: Int32Array.of(7, 5, 5, 1, 2),
      weights: new Float32Array(5).fill(1),
      targetOffsets: Int32Array.of(0, 1, 2),
      targets: Int32Array.of(2, 7),
      excludedOffsets: new Int32Array(3),
      excluded: new Int32Array(0),
    },
    ...more,
    sampler: { name: "uniform" },
  });
  const given = { S: 4, lists: 1, ids: Int32Array.of(7, 3, 7, 7), logQ: null, classLogQ: null };
  const { state: law } = spec.training!.candidates!;
  const state = { spec: { ...law!.spec, name: "given" as const }, n: N, unigram: null, given };
  return { ...spec, training: { ...spec.training!, candidates: { state, S: 4, per: more.per ?? ("batch" as const) } } };
}

const USED = [1, 2, 3, 5, 7];

/** How far a step of sgd at rate 1 moves every element, which is its gradient. */
async function gradientOf(more: Partial<EngineCase>): Promise<Float32Array> {
  return withEngine(knownBatch({ name: "sgd", learningRate: 1 }, more), {}, async ({ host, train }) => {
    const before = readTables(host).classes;
    await train(0, 1);
    const after = readTables(host).classes;
    return before.map((value, i) => value - after[i]!);
  });
}

describe.each(["batch", "row"] as const)("a row of tied tables, candidates per %s", (per) => {
  it("moves if it was an input or a class of the step, its bias only if it was a class", async () => {
    await withEngine(knownBatch({ name: "adam", weightDecay: 0.1 }, { per }), {}, async ({ host, train }) => {
      const start = readTables(host);
      await train(0, 3);
      const end = readTables(host);
      const ids = Array.from({ length: N }, (_, id) => id);
      const differs = (a: Float32Array, b: Float32Array, width: number, id: number) =>
        a.subarray(id * width, (id + 1) * width).some((value, d) => value !== b[id * width + d]);
      expect(ids.filter((id) => differs(start.classes, end.classes, D, id))).toEqual(USED);
      expect(ids.filter((id) => differs(start.bias, end.bias, 1, id))).toEqual([2, 3, 7]);
    });
  });

  it("is updated once: adagrad adds the square of the sum of both gradients", async () => {
    const gradient = await gradientOf({ per });
    await withEngine(knownBatch({ name: "adagrad" }, { per }), {}, async ({ host, train }) => {
      await train(0, 1);
      const accumulator = readClassTable(host, "state");
      expect(accumulator.filter((value) => value > 0).length).toBe(USED.length * D);
      const squares = gradient.map((g) => g * g);
      // The gradient was read back from float32 tables, which leaves it an error of about 1e-7.
      expectAllClose(accumulator, squares, { absolute: 3e-7, name: "accumulators" });
    });
  });
});

describe("tied tables", () => {
  it.each(["sampled-softmax", "full-softmax"] as const)("of %s take one table and its state less", async (loss) => {
    await withDirectory(async (directory) => {
      const dataset = await smallDataset("text", directory);
      const options: TrainOptions = { loss, window: 3, optimizer: { name: "adam" }, dim: 8, hidden: [8] };
      const measure = (tied: boolean) =>
        withTrainer(dataset, { ...options, tied }, async ({ tableBytes, memoryBytes, host }) => {
          const names = host.layout.regions.map(({ name }) => name);
          return { tableBytes, memoryBytes, embedding: names.filter((name) => /^encoder.embedding/.test(name)) };
        });
      const [tied, apart] = [await measure(true), await measure(false)];
      const table = 4 * 8 * dataset.classes.size;
      expect(apart.embedding.length).toBeGreaterThan(2);
      expect(tied.embedding).toEqual([]);
      expect(apart.tableBytes - tied.tableBytes).toBe(table);
      // What steps with candidates need to bring inputs into the order of the panel stands against it.
      const joins = loss === "sampled-softmax" ? 4 * (32 * 3 * 3 + 20 + 32 + 4 * 16) : 0;
      expect(apart.memoryBytes - tied.memoryBytes).toBeGreaterThanOrEqual(3 * table - joins);
    });
  });

  const REFUSED: readonly (readonly [string, "text" | "pairs" | "labels" | "synthetic", TrainOptions, object])[] = [
    ["users", "pairs", { encoder: "user" }, { encoder: "user", inputs: 50, classes: 30 }],
    ["features", "labels", {}, { encoder: "features", inputs: 25, classes: 20 }],
    ["contexts", "synthetic", {}, { encoder: "context", inputs: 20, classes: 50 }],
    ["embeddings of another width", "text", { embedding: 5 }, { embedding: 5, dim: 6 }],
    ["a gradient filter", "text", { loss: "full-softmax", gradientFilter: 0.01 }, { gradientFilter: 0.01 }],
    ["an adaptive softmax", "text", { loss: "adaptive-softmax", dim: 8 }, { loss: "adaptive-softmax", dim: 8 }],
    ["a tree", "text", { loss: "hierarchical-softmax" }, { loss: "hierarchical-softmax", dim: 6 }],
    ["a start of their own for class rows", "text", { classScale: 0.1 }, { classScale: 0.1 }],
  ];

  it.each(REFUSED)("are refused for %s, with the numbers", async (_, kind, options, values) => {
    await withDirectory(async (directory) => {
      const dataset: AnyDataset = kind === "synthetic" ? smallSynthetic(100) : await smallDataset(kind, directory);
      const training = withTrainer(dataset, { ...options, tied: true }, async () => {});
      await expect(training).rejects.toMatchObject({ code: "LOGQ_OPTION", values });
    });
  });

  it("start as embeddings do, of a recipe too", async () => {
    await withDirectory(async (directory) => {
      const dataset = await smallDataset("text", directory);
      for (const options of [{ embeddingScale: 0.3 }, { recipe: "cbow", embeddingScale: 0.3 }] as const) {
        await withTrainer(dataset, { ...options, tied: true }, async ({ host }) => {
          const largest = readClassTable(host).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
          expect(largest).toBeLessThanOrEqual(0.3);
          expect(largest).toBeGreaterThan(0.29);
        });
      }
    });
  });

  it.each(["midx", "quadratic-kernel", "in-batch", "hard"] as const)(
    "have the same bits for 0, 1, 2 and 3 workers where candidates come by %s",
    async (sampler) => {
      await withDirectory(async (directory) => {
        const dataset = await smallDataset("text", directory);
        const negatives = sampler === "in-batch" ? {} : { negatives: 6 };
        const options = { tied: true, window: 3, sampler, ...negatives, optimizer: { name: "adagrad" } } as const;
        const bytes = (workers: number) =>
          withTrained(dataset, { ...options, workers, maxSteps: 6 }, async ({ host }) => parameterBytes(host));
        const [alone, ...crews] = [await bytes(0), await bytes(1), await bytes(2), await bytes(3)];
        for (const crew of crews) expect(crew.equals(alone)).toBe(true);
      });
    },
    60_000,
  );
});

describe("a saved run of tied tables", () => {
  const CASES: readonly (readonly [string, "text" | "pairs", TrainOptions])[] = [
    ["words, sampled", "text", { window: 3, hidden: [6], optimizer: { name: "adam" }, epochs: 2 }],
    ["words, full", "text", { window: 2, loss: "full-softmax", lanes: 8, optimizer: { name: "adagrad" } }],
    ["histories, bfloat16", "pairs", { encoder: "history", window: 4, tableType: "bfloat16" }],
  ];

  it.each(CASES)(
    "%s: has the table once, and evaluates and serves as it did",
    async (_, kind, options) => {
      await withDirectory(async (directory) => {
        const dataset = await smallDataset(kind, directory);
        const run = join(directory, "run");
        const metrics = "cross-entropy,recall@5";
        const before = await withTrained(dataset, { ...options, tied: true }, async (trainer, report) => {
          await saveModel(trainer, run, report);
          const { seconds: _, ...test } = await trainer.evaluate("test", metrics);
          return test;
        });
        expect((await readRun(run)).tables.some(({ name }) => name === "encoder.embedding")).toBe(false);
        expect((await readdir(run)).filter((file) => file.startsWith("encoder.embedding"))).toEqual([]);
        for (const bankBytes of [undefined, 40_000]) {
          const banks = bankBytes === undefined ? {} : { bankBytes };
          const { seconds: _, ...after } = await evaluateRun(run, { split: "test", metrics, workers: 1, ...banks });
          expect(after).toEqual({ split: "test", ...before });
        }
        const model = await loadModel(run);
        // A word of each window is missing: its place is taken by the class that ends lines.
        const ids = kind === "pairs" || (options.hidden ?? []).length === 0 ? [3, 1] : [(await readRun(run)).eos, 3, 1];
        const hidden = hiddenOf(model, ids, [1, 1]);
        const input = kind === "pairs" ? { items: [3, 1] } : { words: [3, 1] };
        expectAllClose(model.hidden(input), hidden, { absolute: 1e-6, name: "hidden" });
        expectAllClose(model.scores(input), logitsOf(model, hidden), { absolute: 1e-5, name: "scores" });
        expect(model.neighbours(2, 4, "inputs")).toEqual(model.neighbours(2, 4, "classes"));
        await model.close();
      });
    },
    30_000,
  );

  it.each(CASES)(
    "%s: goes on with the bits of one that never stopped",
    async (_, kind, options) => {
      await withDirectory(async (directory) => {
        const dataset = await smallDataset(kind, directory);
        const all = { ...options, tied: true, epochs: 2 };
        const whole = await withTrainer(dataset, all, async (trainer) => {
          await trainer.runSteps(9);
          return parameterBytes(trainer.host);
        });
        const run = await savedRun(directory, dataset, { ...all, maxSteps: 4 });
        const head = await readRun(run);
        expect(head.step).toBe(4);
        await withTrainer(dataset, { ...all, workers: 2 }, async (trainer) => {
          await loadParameters(trainer.host, run, head);
          for (const state of stateArrays(trainer.host)) {
            const { file, rows, columns } = head.states.find(({ name }) => name === state.name)!;
            writeRows(state, 0, await readArrayFile(join(run, file), "float32", rows * columns));
          }
          trainer.step = head.step;
          await trainer.runSteps(5);
          expect(parameterBytes(trainer.host).equals(whole)).toBe(true);
        });
      });
    },
    30_000,
  );
});

/** A text on a ring of words: one to three places on from the word before, most often one. */
async function ringText(directory: string, words: number): Promise<AnyDataset> {
  const random = new TestRandom(12);
  let at = 0;
  const line = () =>
    Array.from({ length: 20 }, () => {
      at = (at + 1 + Math.floor(3 * random.uniform() ** 2)) % words;
      return `w${at}`;
    }).join(" ");
  const train = join(directory, "ring.txt");
  await writeFile(train, Array.from({ length: 1500 }, line).join("\n"));
  const output = join(directory, "ring-data");
  await prepareText({ output, train, testRatio: 0.1, seed: 1 });
  return openDataset(output);
}

describe("a model of tied tables learns nearly what one of two tables learns", () => {
  it.each([
    ["sampled-softmax", { negatives: 50 }],
    ["full-softmax", {}],
  ] as const)(
    "%s: within 0.05 nats, of 5 that words are apart",
    async (loss, more) => {
      await withDirectory(async (directory) => {
        const dataset = await ringText(directory, 150);
        const options: TrainOptions = { loss, ...more, dim: 24, window: 1, hidden: [24], epochs: 6, batch: 64 };
        const exact = (tied: boolean) =>
          withTrained(dataset, { ...options, tied }, async (trainer) => {
            const { metrics } = await trainer.evaluate("test", "cross-entropy");
            return { crossEntropy: metrics["cross-entropy"]!, bytes: trainer.tableBytes };
          });
        const [tied, apart] = [await exact(true), await exact(false)];
        expect(tied.crossEntropy).toBeLessThan(apart.crossEntropy + 0.05);
        expect(apart.crossEntropy).toBeLessThan(1.6);
        expect(tied.bytes).toBeLessThan(0.7 * apart.bytes);
      });
    },
    60_000,
  );
});
