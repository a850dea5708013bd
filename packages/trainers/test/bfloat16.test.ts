import { join } from "node:path";
import { philox, STREAM, stepLow, streamWord } from "@logq/core";
import type { TableType } from "@logq/kernels";
import { TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { evaluateModel } from "../dist/evaluate/evaluate.js";
import { parseMetrics } from "../dist/evaluate/metrics.js";
import { evaluateRun, loadModel, OutputLayer, saveModel } from "../dist/index.js";
import { OPTIMIZERS } from "../dist/optimize/optimizer.js";
import { writeClassTable } from "../dist/table/export.js";
import { parameterArrays, readArray, stateArrays, writeRows } from "../dist/table/parameters.js";
import { LOSS_CASES } from "./support/cases.js";
import { withDirectory } from "./support/directories.js";
import {
  caseKey,
  type EngineCase,
  engineSpec,
  lossSum,
  parameterBytes,
  readTables,
  textSource,
  withEngine,
} from "./support/engines.js";
import { smallDataset, smallSynthetic, withTrained, withTrainer } from "./support/runs.js";
import { TIED_CASES } from "./support/tied-cases.js";

/** Tables that are stored in bfloat16: their numbers among the streams of random bits. Nodes are rows of the class table. */
const NARROW: ReadonlyMap<string, number> = new Map([
  ["classes", 0],
  ["nodes", 0],
  ["encoder.embedding", 1],
]);

type Engine = Parameters<Parameters<typeof withEngine>[2]>[0];

/** Class rows and embedding rows that bfloat16 can hold, the same in engines of both types. */
function fillTables({ host }: Engine): void {
  const random = new TestRandom(11);
  for (const named of parameterArrays(host)) {
    if (!NARROW.has(named.name)) continue;
    const values = random.normalFloats(named.ids * named.array.columns, 0.3);
    const words = new Uint32Array(values.buffer);
    for (let i = 0; i < words.length; i++) words[i] = words[i]! & 0xffff0000;
    writeRows(named, 0, values);
  }
}

/** Everything after one step from such tables: parameters and states by name, in id order. */
async function oneStep(of: EngineCase, tableType: TableType): Promise<Map<string, Float32Array>> {
  return withEngine(engineSpec({ ...of, tableType }), {}, async (engine) => {
    fillTables(engine);
    await engine.train(0, 1);
    return new Map([...parameterArrays(engine.host), ...stateArrays(engine.host)].map((a) => [a.name, readArray(a)]));
  });
}

/** What stochastic rounding makes of element d of row `id` in the first step. */
function rounded(x: number, table: number, id: number, d: number): number {
  const words = new Uint32Array(4);
  philox(caseKey({}), table * 2 ** 24 + (d >>> 3), id, stepLow(0), streamWord(STREAM.rounding, 0), words);
  const random = (words[(d >>> 1) & 3]! >>> (d % 2 === 0 ? 0 : 16)) & 0xffff;
  const number = Float32Array.of(x);
  const bits = new Uint32Array(number.buffer);
  bits[0] = (bits[0]! + random) & 0xffff0000;
  return number[0]!;
}

const STEP_CASES: Readonly<Record<string, EngineCase>> = {
  ...LOSS_CASES,
  ...Object.fromEntries(Object.entries(TIED_CASES).map(([name, of]) => [`tied: ${name}`, of])),
  ...Object.fromEntries(
    OPTIMIZERS.flatMap((name) =>
      (["full-softmax", "sampled-softmax"] as const).map((loss) => {
        const optimizer = { name, clipNorm: 0.05, weightDecay: 0.01 };
        return [`${loss} by ${name}, clipped`, { loss, n: 301, D: 13, lanes: 8, optimizer }];
      }),
    ),
  ),
  "a window, concatenated": {
    loss: "sampled-softmax",
    source: textSource(67, 120, { window: 3, filled: true }),
    encoder: { input: "concat", window: 3, embedding: 5, hidden: [9] },
  },
};

describe("a step on bfloat16 tables is the step on float32 tables of the same values, its rows rounded by addressed bits", () => {
  it.each(Object.entries(STEP_CASES))("%s", async (_, of) => {
    const [wide, narrow] = await Promise.all([oneStep(of, "float32"), oneStep(of, "bfloat16")]);
    expect([...narrow.keys()]).toEqual([...wide.keys()]);
    const before = await withEngine(engineSpec(of), {}, async (engine) => {
      fillTables(engine);
      return new Map(parameterArrays(engine.host).map((array) => [array.name, readArray(array)]));
    });
    for (const [name, values] of wide) {
      const table = NARROW.get(name);
      if (table === undefined) {
        expect(narrow.get(name), name).toEqual(values);
        continue;
      }
      const columns = table === 0 ? (of.D ?? 7) : (of.encoder?.embedding ?? of.D ?? 7);
      const old = before.get(name)!;
      // A row that no step has touched stays; others are rounded, which keeps what bfloat16 can hold.
      const truth = values.map((x, i) => (x === old[i] ? x : rounded(x, table, Math.floor(i / columns), i % columns)));
      expect(narrow.get(name), name).toEqual(truth);
    }
  });
});

describe("bfloat16 tables have the same bits", () => {
  const odd = { n: 1003, D: 33, B: 101, lanes: 16, tableType: "bfloat16" } as const;
  const cases: Readonly<Record<string, EngineCase>> = {
    "full softmax, cosine": { ...odd, loss: "full-softmax", lossOptions: { normalize: true, temperature: 0.2 } },
    "sampled softmax, a window with dropout, clipped adam": {
      ...odd,
      loss: "sampled-softmax",
      S: 65,
      source: textSource(1003, 420, { window: 3, filled: true }),
      encoder: { input: "concat", window: 3, embedding: 17, hidden: [35], dropout: 0.25 },
      optimizer: { name: "adam", clipNorm: 0.1 },
    },
  };
  const run = (of: EngineCase, workers: number, bankBytes?: number) =>
    withEngine(engineSpec(of), { workers, bankBytes }, async ({ host, train }) => {
      await train(0, 5);
      const metrics = parseMetrics("cross-entropy,recall@5");
      const { metrics: evaluation } = await evaluateModel(host, { source: "train", metrics, limit: 20 });
      return { bytes: parameterBytes(host), loss: lossSum(host), evaluation, memories: host.memories.length };
    });

  it.each(Object.entries(cases))(
    "with 0 to 2 workers, in one memory and in several: %s",
    async (_, of) => {
      const [alone, ...others] = await Promise.all([
        ...[0, 1, 2].map((workers) => run(of, workers)),
        ...[0, 2].map((workers) => run(of, workers, 200_000 * Math.max(1, workers))),
      ]);
      expect(others.map(({ memories }) => memories > 2)).toEqual([false, false, true, true]);
      for (const other of others) expect({ ...other, memories: 1 }).toEqual(alone);
    },
    180_000,
  );
});

describe("bfloat16 tables", () => {
  it("are evaluated as float32 tables of the same values are, to the bit", async () => {
    const answers = await Promise.all(
      (["float32", "bfloat16"] as const).map((tableType) =>
        withEngine(engineSpec({ loss: "full-softmax", n: 601, D: 13, lanes: 2, tableType }), {}, async (engine) => {
          fillTables(engine);
          const metrics = parseMetrics("cross-entropy,ndcg@5");
          const { metrics: values } = await evaluateModel(engine.host, { source: "train", metrics });
          return values;
        }),
      ),
    );
    expect(answers[1]).toEqual(answers[0]);
  });

  it("start at the nearest of float32's first values, and keep what is written to the nearest", async () => {
    const tables = (tableType: TableType) =>
      withEngine(engineSpec({ loss: "full-softmax", tableType }), {}, async ({ host }) => {
        const first = readTables(host);
        const random = new TestRandom(3).normalFloats(67 * 7);
        writeClassTable(host, random);
        return [first.classes, first.encoder[0]!, readTables(host).classes];
      });
    const [wide, narrow] = await Promise.all([tables("float32"), tables("bfloat16")]);
    for (const [t, values] of narrow.entries()) {
      values.forEach((value, i) => {
        const x = wide[t]![i]!;
        // Half a unit in the last of 8 bits.
        expect(Math.abs(value - x)).toBeLessThanOrEqual(2 ** (Math.floor(Math.log2(Math.abs(x))) - 8));
        expect(new Uint32Array(Float32Array.of(value).buffer)[0]! & 0xffff).toBe(0);
      });
    }
  });

  it("move on the average by what steps far below their precision ask for: 0.8 to 1.2 times as far in 200 steps", async () => {
    const learningRate = 2e-3;
    const moves = (tableType: TableType) =>
      withEngine(
        engineSpec({ loss: "full-softmax", n: 301, D: 13, tableType, optimizer: { name: "sgd", learningRate } }),
        {},
        async (engine) => {
          fillTables(engine);
          const before = readTables(engine.host).classes;
          await engine.train(0, 200);
          return readTables(engine.host).classes.map((value, i) => value - before[i]!);
        },
      );
    const [wide, narrow] = await Promise.all([moves("float32"), moves("bfloat16")]);
    // A step is a small part of the distance between two numbers about 0.3, which is 0.002 in bfloat16.
    expect(Math.max(...wide.map(Math.abs)) / 200).toBeLessThan(1e-4);
    const product = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
    const ratio = product(narrow, wide) / product(wide, wide);
    expect(ratio).toBeGreaterThan(0.8);
    expect(ratio).toBeLessThan(1.2);
  });

  it("learn about as well: within 0.02 nats of float32", async () => {
    const entropies = await Promise.all(
      (["float32", "bfloat16"] as const).map((tableType) =>
        withTrained(smallSynthetic(4000), { tableType, epochs: 3 }, async (_, report) => report.probeCrossEntropy),
      ),
    );
    expect(Math.abs(entropies[1]! - entropies[0]!)).toBeLessThan(0.02);
  });

  it("take half the bytes, are saved as float32 and come back as they were, in one memory and in several", async () => {
    await withDirectory(async (directory) => {
      const dataset = await smallDataset("pairs", directory);
      const run = join(directory, "run");
      const options = { dim: 16, tableType: "bfloat16", classBias: "none" } as const;
      const bytes = await withTrainer(dataset, { ...options, tableType: "float32" }, async (t) => t.tableBytes);
      const METRICS = "cross-entropy,recall@5";
      const before = await withTrained(dataset, { ...options, patience: 1 }, async (trainer, report) => {
        expect(trainer.tableBytes).toBe(bytes / 2);
        await saveModel(trainer, run, report);
        const { seconds: _, ...test } = await trainer.evaluate("test", METRICS);
        return { test, classes: readTables(trainer.host).classes };
      });
      for (const banks of [{}, { bankBytes: 80_000 }]) {
        const { seconds: _, ...after } = await evaluateRun(run, { split: "test", metrics: METRICS, ...banks });
        expect(after).toEqual({ split: "test", ...before.test });
        const model = await loadModel(run, banks);
        expect(model.table()).toEqual(before.classes);
        expect(model.vector(2)).toEqual(before.classes.slice(32, 48));
        const [best] = model.topK({ user: 1 }, 1);
        const scores = model.scores({ user: 1 });
        expect(best!.score).toBeCloseTo(Math.max(...scores), 5);
        await model.close();
      }
    });
  });

  it("take steps and a table from a caller", async () => {
    const random = new TestRandom(2);
    const table = random.normalFloats(61 * 9).map((x) => Math.round(16 * x) / 16);
    const layer = await OutputLayer.create({ classes: 61, dim: 9, batch: 8, negatives: 20, tableType: "bfloat16" });
    layer.setTable(table);
    expect(layer.table()).toEqual(table);
    const { loss } = layer.stepSync(random.normalFloats(8 * 9), random.integers(8, 61));
    expect(loss).toBeGreaterThan(0);
    expect(layer.table()).not.toEqual(table);
    await layer.close();
  });
});
