import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { availableBackends } from "@logq/blas";
import { syntheticDataset } from "@logq/datasets";
import { compileKernels } from "@logq/kernels";
import {
  balancedTree,
  type ClassTree,
  computeHierarchicalLoss,
  HierarchicalSoftmax,
  huffmanTree,
  twoMeansTree,
} from "@logq/losses";
import { expectAllClose, TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { loadParameters } from "../dist/checkpoint/load.js";
import { evaluateRun, loadModel, OutputLayer, type OutputLayerOptions, readRun, saveModel } from "../dist/index.js";
import type { TrainOptions } from "../dist/model/options.js";
import { runOptions } from "../dist/model/options.js";
import { stateArrays, writeRows } from "../dist/table/parameters.js";
import { withDirectory } from "./support/directories.js";
import { caseCounts, parameterBytes } from "./support/engines.js";
import { savedRun, smallDataset, smallSynthetic, withTrained, withTrainer } from "./support/runs.js";

const BACKENDS = await availableBackends();
const [D, B] = [9, 37];

interface LayerCase {
  readonly n: number;
  readonly tree: "huffman" | "balanced" | "two-means";
  readonly bias: boolean;
  readonly labels?: number;
}

const CASES: Readonly<Record<string, LayerCase>> = {
  "Huffman, 61 classes": { n: 61, tree: "huffman", bias: true },
  "balanced, 61 classes, no bias": { n: 61, tree: "balanced", bias: false },
  "2-means, 40 classes": { n: 40, tree: "two-means", bias: true },
  "three classes": { n: 3, tree: "huffman", bias: true },
  "two classes": { n: 2, tree: "huffman", bias: true },
  "one class": { n: 1, tree: "balanced", bias: true },
};

const vectorsOf = (n: number) => new TestRandom(4).normalFloats(5 * n);

function treeOf({ n, tree }: LayerCase): ClassTree {
  const counts = caseCounts(n);
  if (tree === "huffman") return huffmanTree(counts);
  return tree === "two-means" ? twoMeansTree(vectorsOf(n), 5) : balancedTree(Array.from(counts.keys()));
}

/** A layer with numbers in all its tables, and a batch for it in which row 3 is ignored and row 5 weighs nothing. */
async function withLayer<T>(
  of: LayerCase,
  options: Partial<OutputLayerOptions>,
  use: (layer: OutputLayer, problem: Parameters<typeof computeHierarchicalLoss>[0]) => Promise<T>,
): Promise<T> {
  const { n, tree, bias } = of;
  const layer = await OutputLayer.create({
    classes: n,
    dim: D,
    batch: B,
    loss: "hierarchical-softmax",
    tree,
    ...(tree === "two-means" ? { treeVectors: vectorsOf(n) } : {}),
    counts: caseCounts(n),
    classBias: bias ? "zero" : "none",
    optimizer: { name: "sgd", learningRate: 0.1 },
    ...options,
  });
  try {
    const random = new TestRandom(8);
    const hidden = random.normalFloats(B * D);
    const table = random.normalFloats((n - 1) * D, 0.5);
    const biases = random.normalFloats(n - 1, 0.3);
    const targets = Array.from(random.integers(B, n), (id, row) => (row === 3 ? -1 : id));
    const exampleWeights = Array.from({ length: B }, (_, row) => (row === 5 ? 0 : 0.5 + random.uniform()));
    if (n > 1) layer.setTable(table, bias ? biases : undefined);
    return await use(layer, { tree: treeOf(of), D, hidden, table, ...(bias && { biases }), targets, exampleWeights });
  } finally {
    await layer.close();
  }
}

describe.each(BACKENDS)(
  "on %s, a step answers what computeHierarchicalLoss does, and steps by its gradient",
  (backend) => {
    it.each(Object.entries(CASES))("%s: within 1e-6", async (_, of) => {
      await withLayer(of, { backend }, async (layer, problem) => {
        const { exampleWeights, table, biases, hidden, targets } = problem;
        const expected = computeHierarchicalLoss(problem);
        const { loss, hiddenGradient } = await layer.step(hidden, targets, { exampleWeights: exampleWeights! });
        expect(Math.abs(loss - expected.loss)).toBeLessThan(1e-6 * Math.max(1, expected.loss));
        expectAllClose(hiddenGradient, expected.hiddenGradient, { absolute: 1e-6 });
        const { ids, rows, biases: ofBiases } = expected.gradients;
        const trained = table.slice();
        ids.forEach((node, u) => {
          for (let d = 0; d < D; d++) trained[node * D + d] = table[node * D + d]! - 0.1 * rows[u * D + d]!;
        });
        if (of.n > 1) expectAllClose(layer.table(), trained, { absolute: 1e-6 });
        if (biases === undefined || of.n === 1) return;
        const trainedBiases = biases.slice();
        ids.forEach((node, u) => {
          trainedBiases[node] = biases[node]! - 0.1 * ofBiases![u]!;
        });
        expectAllClose(layer.biases()!, trainedBiases, { absolute: 1e-6 });
      });
    });

    it.each(Object.entries(CASES))("%s: evaluation is that of all classes' enumerated probabilities", async (_, of) => {
      const { n, bias } = of;
      await withLayer(of, { backend }, async (layer, { tree, hidden, table, biases, targets }) => {
        const whole = HierarchicalSoftmax.create(tree, { D, B, bias, backend: await compileKernels("wasm", false) });
        whole.setParameters(table, biases ?? null);
        whole.setHidden(hidden);
        const logP = whole.logProbabilities(B);
        const own = Array.from(targets, (id, row) => (id < 0 ? 0 : -logP[row * n + id]!));
        const mean = own.reduce((sum, nats) => sum + nats, 0) / (B - 1);
        expect(Math.abs((await layer.crossEntropy(hidden, targets)) - mean)).toBeLessThan(3e-6);
        const k = Math.min(n, 7);
        const { ids, logits } = await layer.topK(hidden, k);
        for (let row = 0; row < B; row++) {
          const all = logP.subarray(row * n, (row + 1) * n);
          const best = Array.from(all.keys()).sort((a, b) => all[b]! - all[a]! || a - b);
          expect(Array.from(ids.subarray(row * k, (row + 1) * k))).toEqual(best.slice(0, k));
          const found = logits.subarray(row * k, (row + 1) * k);
          expectAllClose(
            found,
            Array.from(best.slice(0, k), (id) => all[id]!),
            { absolute: 3e-6 },
          );
        }
      });
    });
  },
);

it("labels of a row share its weight, and those that repeat a node add up", async () => {
  const of = CASES["Huffman, 61 classes"]!;
  await withLayer(of, { maxTargets: 3 }, async (layer, problem) => {
    const three = { offsets: Int32Array.from({ length: B + 1 }, (_, row) => 3 * row), ids: new Int32Array(3 * B) };
    const random = new TestRandom(2);
    for (let row = 0; row < B; row++) three.ids.set(random.distinctIntegers(3, of.n), 3 * row);
    const { loss, hiddenGradient } = await layer.step(problem.hidden, three);
    const each = [0, 1, 2].map((j) => {
      const { exampleWeights: _, ...plain } = problem;
      return computeHierarchicalLoss({
        ...plain,
        targets: Array.from({ length: B }, (_, row) => three.ids[3 * row + j]!),
      });
    });
    expect(Math.abs(loss - each.reduce((sum, one) => sum + one.loss / 3, 0))).toBeLessThan(2e-6);
    const mean = hiddenGradient.map((_, i) => each.reduce((sum, one) => sum + one.hiddenGradient[i]! / 3, 0));
    expectAllClose(hiddenGradient, mean, { absolute: 1e-6 });
  });
});

it("biases that start at the log frequency make the law of the counts at every tree", async () => {
  for (const tree of ["huffman", "balanced"] as const) {
    const counts = caseCounts(19);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const common = { classes: 19, dim: 4, batch: 4, loss: "hierarchical-softmax", classScale: 0, counts } as const;
    const layer = await OutputLayer.create({ ...common, tree, classBias: "log-frequency", temperature: 0.5 });
    const { ids, logits } = await layer.topK(new Float32Array(4), 19);
    await layer.close();
    expect(Array.from(ids)).toEqual(Array.from(counts.keys()));
    expectAllClose(
      logits,
      Array.from(counts, (count) => Math.log(count / total)),
      { absolute: 2e-6 },
    );
  }
});

const LOSS = { loss: "hierarchical-softmax" } as const;

describe("a run", () => {
  it.each(["huffman", "balanced"] as const)(
    "over a Zipf law, %s, ends within 0.1 nats of the best reachable cross-entropy",
    async (tree) => {
      const dataset = syntheticDataset({
        classes: 200,
        examples: 20_000,
        contexts: 20,
        topics: 4,
        seed: 3,
        validationExamples: 2000,
      });
      const options: TrainOptions = {
        ...LOSS,
        tree,
        dim: 16,
        epochs: 4,
        batch: 64,
        optimizer: { name: "adagrad", learningRate: 0.3 },
      };
      await withTrained(dataset, options, async (trainer, report) => {
        const { metrics } = await trainer.evaluate("validation", "cross-entropy,perplexity");
        const gap = metrics["cross-entropy"]! - dataset.truth.crossEntropyOf(dataset.splits.validation);
        expect(gap).toBeLessThan(0.1);
        expect(gap).toBeGreaterThan(-0.05);
        expect(metrics.perplexity).toBe(Math.exp(metrics["cross-entropy"]!));
        expect(report).toMatchObject({ loss: "hierarchical-softmax", sampler: null, negatives: 0, examples: 80_000 });
      });
    },
  );

  it("of one class has nothing to learn, and counts its examples", async () => {
    const dataset = syntheticDataset({ classes: 1, examples: 100, contexts: 5, validationExamples: 20 });
    await withTrained(dataset, LOSS, async (trainer, report) => {
      expect(report).toMatchObject({ trainingLoss: 0, probeCrossEntropy: 0, examples: 100 });
      const { metrics, labels } = await trainer.evaluate("validation", "perplexity,recall@1");
      expect(metrics).toEqual({ perplexity: 1, "recall@1": 1 });
      expect(labels).toBe(20);
    });
  });

  it.each(["text", "pairs", "labels"] as const)(
    "on %s, saved, says the same numbers from its directory",
    async (kind) => {
      await withDirectory(async (directory) => {
        const dataset = await smallDataset(kind, directory);
        const run = join(directory, "run");
        const metrics = "cross-entropy,perplexity,recall@5,ndcg@3";
        const options = { ...LOSS, classBias: "log-frequency" } as const;
        const { tree, before } = await withTrained(dataset, options, async (trainer, report) => {
          await saveModel(trainer, run, report);
          const { seconds: _, ...test } = await trainer.evaluate("test", metrics);
          return { tree: trainer.shape.tree!, before: test };
        });
        const head = await readRun(run);
        expect(head.shape.tree).toEqual(tree);
        expect(head.tables.map(({ name }) => name)).toEqual(["nodes", "node-bias", "encoder.embedding"]);
        for (const workers of [0, 1, 2, 3]) {
          const { seconds: _, ...after } = await evaluateRun(run, { split: "test", metrics, workers });
          expect(after).toEqual({ split: "test", ...before });
        }
      });
    },
    60_000,
  );

  it("gone on with from its directory, ends with the bytes of one that never stopped", async () => {
    await withDirectory(async (directory) => {
      const dataset = smallSynthetic(1000);
      const options = { ...LOSS, optimizer: { name: "adam" }, epochs: 2 } as const;
      const run = join(directory, "run");
      const whole = await withTrained(dataset, options, async ({ host }) => parameterBytes(host));
      await withTrainer(dataset, options, async (trainer) => {
        await trainer.runSteps(20);
        const report = {} as Parameters<typeof saveModel>[2];
        await saveModel(trainer, run, report);
      });
      const head = await readRun(run);
      await withTrainer(dataset, options, async (trainer) => {
        expect(trainer.shape.tree).toEqual(head.shape.tree);
        await loadParameters(trainer.host, run, head);
        for (const state of stateArrays(trainer.host)) {
          const { file } = head.states.find(({ name }) => name === state.name)!;
          const bytes = await readFile(join(run, file));
          writeRows(state, 0, new Float32Array(new Uint8Array(bytes).buffer));
        }
        trainer.step = head.step;
        await trainer.runSteps(trainer.totalSteps);
        expect(parameterBytes(trainer.host).equals(whole)).toBe(true);
      });
    });
  });

  it("whose file of the tree is none of its classes is refused", async () => {
    await withDirectory(async (directory) => {
      const run = await savedRun(directory, smallSynthetic(100), { ...LOSS, maxSteps: 1 });
      await writeFile(join(run, "tree.i32"), new Uint8Array(4 * 2 * 49));
      await expect(readRun(run)).rejects.toMatchObject({ code: "LOGQ_FILE_FORMAT" });
      await writeFile(join(run, "tree.i32"), new Uint8Array(8));
      await expect(readRun(run)).rejects.toMatchObject({ code: "LOGQ_FILE_FORMAT" });
    });
  });

  it("lies in several memories with the same bytes", async () => {
    const options = { ...LOSS, classBias: "zero", maxSteps: 20 } as const;
    const outcomes = await Promise.all(
      [{}, { bankBytes: 16_000 }].map((banks) =>
        withTrained(smallSynthetic(), { ...options, ...banks }, async (trainer) => {
          const { metrics } = await trainer.evaluate("validation", "cross-entropy,recall@5");
          return { bytes: parameterBytes(trainer.host), metrics };
        }),
      ),
    );
    expect(outcomes[1]!.bytes.equals(outcomes[0]!.bytes)).toBe(true);
    expect(outcomes[1]!.metrics).toEqual(outcomes[0]!.metrics);
  });
});

describe("a model", () => {
  it("scores by log-probabilities that sum to 1, ranks by them, and leaves out what it is told to", async () => {
    await withDirectory(async (directory) => {
      const model = await loadModel(await savedRun(directory, smallSynthetic(), LOSS));
      const scores = model.scores({ context: 7 });
      expect(scores).toHaveLength(50);
      expect(scores.reduce((sum, score) => sum + Math.exp(score), 0)).toBeCloseTo(1, 5);
      const order = Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b);
      const best = model.topK({ context: 7 }, 12);
      expect(best.map(({ id }) => id)).toEqual(order.slice(0, 12));
      expectAllClose(
        best.map(({ score }) => score),
        order.slice(0, 12).map((id) => scores[id]!),
        { absolute: 3e-6 },
      );
      const exclude = order.slice(0, 45);
      expect(model.topK({ context: 7 }, 12, { exclude }).map(({ id }) => id)).toEqual(order.slice(45));
      expect(model.topK({ context: 7 }, 1001)).toHaveLength(50);
      await model.close();
    });
  });

  it("has vectors of inputs, but no rows of classes", async () => {
    await withDirectory(async (directory) => {
      const dataset = await smallDataset("text", directory);
      const model = await loadModel(await savedRun(directory, dataset, LOSS));
      for (const ask of [() => model.vector(3), () => model.bias(3), () => model.table(), () => model.biases()]) {
        expect(ask).toThrow(expect.objectContaining({ code: "LOGQ_OPTION" }));
      }
      expect(() => model.neighbours(3, 2, "classes")).toThrow(/no rows of classes/);
      expect(model.neighbours(3, 2)).toEqual(model.neighbours(3, 2, "inputs"));
      await model.close();
    });
  });
});

describe("options of a tree", () => {
  const options = (of: TrainOptions) => () => runOptions("text", of);

  it("default to Huffman's, and biases to the log frequency", () => {
    expect(runOptions("text", LOSS)).toMatchObject({ tree: "huffman", classBias: "log-frequency", negatives: 0 });
    expect(runOptions("text", {}).tree).toBeNull();
  });

  it.each([
    ["a sampler", { ...LOSS, sampler: "uniform" }, /decides its way to a label: it takes neither/],
    ["negatives", { ...LOSS, negatives: 5 }, /it takes neither a sampler nor negatives/],
    ["a tree of another loss", { tree: "huffman" }, /options of hierarchical-softmax, not of sampled-softmax/],
    ["a tree that is none", { ...LOSS, tree: "oak" as "huffman" }, /tree must be one of huffman, balanced, two-means/],
    ["2-means of nothing", { ...LOSS, tree: "two-means" }, /needs treeVectors/],
    ["vectors for Huffman's", { ...LOSS, treeVectors: new Float32Array(3) }, /looks at counts/],
    ["bfloat16 products", { ...LOSS, products: "bfloat16" }, /decisions on a path are met in dot products/],
    ["a gradient filter", { ...LOSS, gradientFilter: 0.1 }, /filtered in a full softmax/],
    ["cosines", { ...LOSS, normalize: true }, /no class has a cosine/],
    ["seen classes left out", { ...LOSS, exclude: "seen" }, /every decision above it/],
    ["hits removed", { ...LOSS, exclude: "target" }, /there are no hits/],
  ] as const)("refuse %s", (_, of, message) => {
    expect(options(of)).toThrow(message);
    expect(options(of)).toThrow(expect.objectContaining({ code: "LOGQ_OPTION" }));
  });

  it("of an output layer: no counts for Huffman's, vectors of another length, candidates of one's own", async () => {
    const layer = { classes: 5, dim: 2, batch: 2, ...LOSS } as const;
    await expect(OutputLayer.create(layer)).rejects.toMatchObject({ code: "LOGQ_OPTION" });
    const vectors = { tree: "two-means", treeVectors: new Float32Array(12) } as const;
    await expect(OutputLayer.create({ ...layer, ...vectors })).rejects.toMatchObject({ code: "LOGQ_SHAPE" });
    const made = await OutputLayer.create({ ...layer, tree: "balanced" });
    const step = made.step(new Float32Array(4), [1, 2], { candidates: { ids: [1] } });
    await expect(step).rejects.toMatchObject({ code: "LOGQ_OPTION" });
    await made.close();
  });
});
