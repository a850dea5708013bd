import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { availableBackends, compileBackend } from "@logq/blas";
import type { BackendName } from "@logq/kernels";
import type { ContextualSpec } from "@logq/samplers";
import { TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { planLayout } from "../dist/engine/host.js";
import type { EngineSpec } from "../dist/engine/spec.js";
import { evaluateModel } from "../dist/evaluate/evaluate.js";
import { parseMetrics } from "../dist/evaluate/metrics.js";
import { evaluateRun, loadModel, OutputLayer, saveModel, train } from "../dist/index.js";
import { OPTIMIZERS, stateWidths } from "../dist/optimize/optimizer.js";
import { areaBytes, BANK_AREAS } from "../dist/table/areas.js";
import { EXCHANGE_ROWS } from "../dist/table/placed-table.js";
import { LOSS_CASES } from "./support/cases.js";
import { withDirectory } from "./support/directories.js";
import {
  type EngineCase,
  engineSpec,
  labelSource,
  lossSum,
  parameterBytes,
  textSource,
  withEngine,
} from "./support/engines.js";
import { smallDataset, withTrainer } from "./support/runs.js";
import { TIED_CASES } from "./support/tied-cases.js";

const STEPS = 5;

/** WebAssembly is what most tests here run; these are the others. */
const OTHERS = (await availableBackends()).filter((name) => name !== "wasm");

/** Banks with room for about a third of the class table: two, three or more of them. */
function smallBanks(spec: EngineSpec, workers: number): number {
  const { table, encoder, training, tableType: type } = spec;
  const widest = 4 * Math.ceil(Math.max(table.D, encoder.embedding) / 4);
  const name = training!.optimizer.name;
  const area = areaBytes({ type, ld: widest, ...stateWidths(name, widest) }, BANK_AREAS);
  const { stateLd, secondStateLd } = stateWidths(name, table.ld);
  const row = (type === "float32" ? 4 * table.ld : 16 * Math.ceil(table.D / 8)) + 4 * (stateLd + secondStateLd);
  return Math.max(1, workers) * area + 512 + Math.ceil(table.lanes / 3) * table.rowsPerLane * row;
}

/** What a run comes to: all tables and states, the losses, and an exact evaluation with its rankings. */
async function outcome(of: EngineCase, { workers = 0, banked = false, backend = "wasm" as BackendName } = {}) {
  const spec = engineSpec(of);
  const bankBytes = banked ? smallBanks(spec, workers) : undefined;
  return withEngine(spec, { workers, backend, bankBytes }, async ({ host, train }) => {
    await train(0, STEPS);
    const metrics = parseMetrics("cross-entropy,recall@5");
    const { metrics: evaluation } = await evaluateModel(host, { source: "train", metrics, limit: 20 });
    const { rankedIds, rankedValues, table, embedding } = host.layout;
    const ranked = [host.memory.ints(rankedIds, 20).slice(), host.memory.floats(rankedValues, 20).slice()];
    const pieces = [table.placed, ...(embedding === undefined ? [] : [embedding])].map((placed) => placed.pieces);
    return { pieces, host: { bytes: parameterBytes(host), loss: lossSum(host), evaluation, ranked } };
  });
}

async function expectSame(of: EngineCase, options: { workers?: number; backend?: BackendName } = {}) {
  const { workers = 0, backend = "wasm" } = options;
  const [one, many] = await Promise.all([outcome(of, { backend }), outcome(of, { workers, backend, banked: true })]);
  for (const pieces of one.pieces) expect(pieces.map(({ memory }) => memory)).toEqual([0]);
  const memories = many.pieces.flat().map(({ memory }) => memory);
  expect(memories).toEqual(memories.map((_, index) => index + 1));
  expect(many.pieces[0]!.length).toBeGreaterThan(1);
  expect(many.host.bytes.equals(one.host.bytes)).toBe(true);
  expect({ ...many.host, bytes: null }).toEqual({ ...one.host, bytes: null });
}

describe("tables in several small memories end with the bits of tables in one", () => {
  it.each(Object.entries(LOSS_CASES))("%s", async (_, of) => {
    await expectSame(of);
  });

  it.each(Object.entries(TIED_CASES))("tied: %s", async (_, of) => {
    await expectSame(of);
  });

  it.each(OPTIMIZERS)("by %s, with decay, clipped and not", async (name) => {
    for (const clipNorm of [0, 0.05]) {
      const optimizer = { name, clipNorm, weightDecay: 0.01, learningRate: 0.02 };
      const accumulates = name.endsWith("adagrad") ? { initialAccumulator: 0.1 } : {};
      for (const loss of ["full-softmax", "sampled-softmax"] as const) {
        await expectSame({ loss, n: 301, D: 13, lanes: 8, optimizer: { ...optimizer, ...accumulates } });
      }
    }
  });

  it.each([1, 2, 3])(
    "with %i workers",
    async (workers) => {
      const odd = { n: 1003, D: 33, B: 101, lanes: 16 };
      const optimizer = { name: "rowwise-adagrad" } as const;
      await expectSame({ ...odd, loss: "full-softmax", keepLogits: false, optimizer }, { workers });
      const source = textSource(1003, 420, { window: 3, filled: true });
      const encoder = { input: "concat", window: 3, embedding: 17, hidden: [35], dropout: 0.25 } as const;
      const adam = { name: "adam", clipNorm: 0.1 } as const;
      await expectSame({ ...odd, loss: "sampled-softmax", S: 65, source, encoder, optimizer: adam }, { workers });
    },
    30_000,
  );

  it.each([1, 3])(
    "tied, with %i workers",
    async (workers) => {
      const source = textSource(1003, 420, { window: 3, filled: true });
      const encoder = { input: "concat", window: 3, embedding: 33, hidden: [35] } as const;
      const odd = { n: 1003, D: 33, B: 101, lanes: 16, tied: true, source, encoder } as const;
      await expectSame({ ...odd, loss: "full-softmax", optimizer: { name: "rowwise-adagrad" } }, { workers });
      const adam = { name: "adam", clipNorm: 0.1 } as const;
      await expectSame({ ...odd, loss: "sampled-softmax", S: 65, optimizer: adam }, { workers });
    },
    30_000,
  );

  it.each(OTHERS)("with the back-end %s", async (backend) => {
    const source = labelSource(67, 300, 130);
    await expectSame({ loss: "nce", source, vocabulary: 300 }, { backend });
    await expectSame({ loss: "full-softmax", lossOptions: { normalize: true } }, { backend });
    for (const name of backend === "native" ? OPTIMIZERS : []) {
      const optimizer = { name, clipNorm: 0.05, weightDecay: 0.01, learningRate: 0.02, initialAccumulator: 0.1 };
      await expectSame({ loss: "sampled-softmax", n: 301, D: 13, lanes: 8, optimizer }, { backend });
    }
  });

  it("with bags that are longer than what is exchanged at a time", async () => {
    const random = new TestRandom(3);
    const offsets = Int32Array.of(0, 700, 701, 1500, 1500 + EXCHANGE_ROWS, 2000);
    const source = {
      kind: "features",
      featureOffsets: offsets,
      features: random.integers(2000, 900),
      values: random.uniformFloats(2000, 0.2, 2),
      labelOffsets: Int32Array.of(0, 1, 2, 3, 4, 5),
      labels: random.integers(5, 67),
      rows: Int32Array.of(0, 1, 2, 3, 4),
    } as const;
    for (const backend of ["wasm", ...OTHERS] as const) {
      await expectSame({ loss: "sampled-softmax", source, vocabulary: 900 }, { backend });
    }
  });
});

/** The same engine with candidates by hidden vector, if there is a sampler for them. */
function withTree(spec: EngineSpec, tree: ContextualSpec | undefined): EngineSpec {
  if (tree === undefined) return spec;
  const { S } = spec.training!.candidates!;
  const candidates = { state: undefined, contextual: { spec: tree, unigram: undefined }, S, per: "row" } as const;
  return { ...spec, training: { ...spec.training!, candidates } };
}

describe("ten million classes of width 128 with row-wise adagrad", () => {
  const GIGABYTE = 1e9;
  /** What is planned, of which nothing is allocated. */
  const plan = async (of: Partial<EngineCase>, machine = Number.POSITIVE_INFINITY, tree?: ContextualSpec) => {
    const sampler = { name: "log-uniform", replacement: true } as const;
    const optimizer = { name: "rowwise-adagrad" } as const;
    const source = { kind: "pair", inputs: Int32Array.of(0), targets: Int32Array.of(0) } as const;
    const small = { loss: "sampled-softmax", D: 128, B: 256, S: 1024, lanes: 16, sampler, optimizer, source } as const;
    const spec = withTree(engineSpec({ ...small, vocabulary: 1000, ...of }), tree);
    const layout = planLayout(spec, 2, await compileBackend("wasm", true), undefined, machine);
    const memoriesOf = (table: { pieces: readonly { memory: number }[] }) => table.pieces.map(({ memory }) => memory);
    return { ...layout, classes: memoriesOf(layout.table.placed), inputs: memoriesOf(layout.embedding!) };
  };

  it("lie in two banks, everything else in the main memory; scratch is below 20 MB", async () => {
    const { classes, inputs, banks, mainBytes, bytes } = await plan({ n: 10_000_000 });
    expect([classes, inputs]).toEqual([[1, 2], [0]]);
    for (const bank of banks) expect(bank.bytes).toBeLessThanOrEqual(2 ** 32);
    expect(bytes).toBe(mainBytes + banks[0]!.bytes + banks[1]!.bytes);
    const tablesAndState = 4 * (10_000_000 * (128 + 1 + 1 + 1) + 1000 * (128 + 1));
    expect(bytes).toBeGreaterThan(tablesAndState);
    expect(bytes).toBeLessThan(tablesAndState + 20e6);
  });

  it("and as many inputs take two banks each; a large embedding table alone moves alone", async () => {
    const both = await plan({ n: 10_000_000, vocabulary: 10_000_000 });
    expect([both.classes, both.inputs]).toEqual([
      [1, 2],
      [3, 4],
    ]);
    const embedding = await plan({ n: 1000, vocabulary: 10_000_000 });
    expect([embedding.classes, embedding.inputs]).toEqual([[0], [1, 2]]);
  });

  it("of bfloat16 fit one memory", async () => {
    const { classes, inputs, banks, bytes } = await plan({ n: 10_000_000, tableType: "bfloat16" });
    expect([classes, inputs, banks]).toEqual([[0], [0], []]);
    expect(bytes).toBeLessThan(2.8 * GIGABYTE);
  });

  it.each(["quadratic-kernel", "random-features"] as const)(
    "and a %s lie in three memories if its rows are of bfloat16; of float32 it is refused, with both sizes",
    async (name) => {
      const { contextual, classes, banks } = await plan({ n: 10_000_000, S: 64 }, undefined, {
        name,
        tableType: "bfloat16",
      });
      expect(contextual).toBeDefined();
      expect([classes, banks.length]).toEqual([[1, 2], 2]);
      const error = await plan({ n: 10_000_000, S: 64 }, undefined, { name }).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ name: "MemoryLimitError", values: { sampler: name, limit: 2 ** 32 } });
      const { bytes, narrowBytes } = (error as { values: { bytes: number; narrowBytes: number } }).values;
      // The rows are all that differs, but for some scratch.
      expect(Math.abs(bytes - narrowBytes - 2 * 10_000_000 * 128)).toBeLessThan(1e5);
    },
  );

  it("are refused on a machine of 4 GB, with the bytes of every memory", async () => {
    const error = await plan({ n: 10_000_000 }, 4 * GIGABYTE).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "MemoryLimitError", values: { limit: 4 * GIGABYTE } });
    expect((error as { values: { memories: number[] } }).values.memories).toHaveLength(3);
  });
});

describe("a model in several small memories", () => {
  const METRICS = "cross-entropy,recall@5,ndcg@3";
  const bankBytes = 16_000;

  it("is saved, loaded, evaluated and served with the bits of one in a single memory", async () => {
    await withDirectory(async (directory) => {
      const dataset = await smallDataset("pairs", directory);
      const [one, many] = ["one", "many"].map((name) => join(directory, name)) as [string, string];
      const optimizer = { name: "adam" } as const;
      const options = { optimizer, classBias: "zero", validationEvery: 1, patience: 2, epochs: 3 } as const;
      for (const [run, banks] of [
        [one, {}],
        [many, { bankBytes }],
      ] as const) {
        await withTrainer(dataset, { ...options, ...banks }, async (trainer) => {
          expect(trainer.host.memories.length > 2).toBe("bankBytes" in banks);
          expect(trainer.memoryBytes).toBeGreaterThanOrEqual(trainer.tableBytes);
          await saveModel(trainer, run, await train(trainer));
        });
      }
      const files = (await readdir(one)).filter((file) => file.endsWith(".f32")).sort();
      expect(files.length).toBe(9);
      for (const file of files) {
        expect((await readFile(join(many, file))).equals(await readFile(join(one, file)))).toBe(true);
      }
      const plain = { split: "test", metrics: METRICS, workers: 1 } as const;
      const { seconds: _, ...expected } = await evaluateRun(one, plain);
      const { seconds: __, ...found } = await evaluateRun(one, { ...plain, bankBytes });
      expect(found).toEqual(expected);
      const models = await Promise.all([loadModel(one), loadModel(one, { bankBytes })]);
      const answers = models.map((model) => [
        model.topK({ user: 3 }, 7, { exclude: [2] }),
        model.scores({ user: 4 }),
        model.vector(5),
        model.neighbours(6, 4),
        model.table(),
        model.biases(),
        model.encoderTables(),
      ]);
      expect(answers[1]).toEqual(answers[0]);
      for (const model of models) await model.close();
    });
  });

  it("takes steps and a table from its caller like one in a single memory", async () => {
    const random = new TestRandom(2);
    const [hidden, table] = [random.normalFloats(8 * 9), random.normalFloats(61 * 9)];
    const targets = random.integers(8, 61);
    const answers = await Promise.all(
      [{}, { bankBytes: 16_000 }].map(async (banks) => {
        const layer = await OutputLayer.create({ classes: 61, dim: 9, batch: 8, negatives: 20, ...banks });
        layer.setTable(table);
        const { loss, hiddenGradient } = layer.stepSync(hidden, targets);
        const answer = { loss, dH: hiddenGradient.slice(), table: layer.table(), top: await layer.topK(hidden, 5) };
        await layer.close();
        return answer;
      }),
    );
    expect(answers[1]).toEqual(answers[0]);
  });
});
