import { keyFromSeed } from "@logq/core";
import { compileKernels } from "@logq/kernels";
import { computeLoss, type LossCandidates, type LossName, type LossSpec } from "@logq/losses";
import { createSamplerState, samplerFrom } from "@logq/samplers";
import { logSumExp, TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { OutputLayer, type OutputLayerOptions, type Targets } from "../dist/index.js";

const [N, D, B] = [61, 9, 13];
const random = new TestRandom(8);
const hidden = random.normalFloats(B * D);
const table = random.normalFloats(N * D, 0.5);
const biases = random.normalFloats(N, 0.3);
/** Row 3 is ignored. */
const single = Array.from(random.integers(B, N)).map((id, row) => (row === 3 ? -1 : id));
const offsets = Int32Array.from({ length: B + 1 }, (_, row) => (row < 4 ? 2 * row : 2 * row - 2));
const ragged = {
  offsets,
  ids: Int32Array.from(Array.from({ length: B - 1 }, () => Array.from(random.distinctIntegers(2, N))).flat()),
};
const weights = Array.from({ length: B }, (_, row) => (row === 5 ? 0 : 0.5 + random.uniform()));

async function withLayer<T>(options: Partial<OutputLayerOptions>, use: (layer: OutputLayer) => Promise<T>): Promise<T> {
  const rate = { name: "sgd", learningRate: 0.1 } as const;
  const layer = await OutputLayer.create({
    classes: N,
    dim: D,
    batch: B,
    optimizer: rate,
    classBias: "zero",
    ...options,
  });
  try {
    layer.setTable(
      table.slice(0, layer.classes * D),
      layer.biases() === undefined ? undefined : biases.slice(0, layer.classes),
    );
    return await use(layer);
  } finally {
    await layer.close();
  }
}

/** The caller's candidates of S draws, some of them twice, with a log Q made up for each class. */
function candidatesFor(targets: Targets, S: number): Required<Omit<LossCandidates, "perRow">> {
  const logQ = Float64Array.from({ length: N }, (_, id) => -1 - Math.sin(id));
  const ids = new TestRandom(2).integers(S, N);
  const labels = Array.from("offsets" in targets ? targets.ids : targets);
  return { ids, logQ: Array.from(ids, (id) => logQ[id]!), targetLogQ: labels.map((id) => logQ[id] ?? Number.NaN) };
}

const SAMPLED: readonly LossName[] = [
  "sampled-softmax",
  "nce",
  "sampled-logistic",
  "negative-sampling",
  "sampled-one-vs-all",
];
const FULL: readonly LossName[] = ["full-softmax", "one-vs-all"];
const WAYS: readonly (readonly [string, Targets, ArrayLike<number> | undefined])[] = [
  ["one label a row, one row ignored", single, undefined],
  ["two labels a row, one row without", ragged, undefined],
  ["weights", single, weights],
  ["two labels a row, weights", ragged, weights],
];

describe("a step answers the loss and dL/dH of computeLoss within 1e-6, and updates the table by its gradient within 1e-6", () => {
  const cases = [...SAMPLED, ...FULL].flatMap((loss) => WAYS.map((way) => [loss, ...way] as const));

  it.each(cases)("%s: %s", async (loss, _, targets, exampleWeights) => {
    const S = 17;
    const sampled = SAMPLED.includes(loss);
    await withLayer({ loss, maxTargets: 2, temperature: 0.8, ...(sampled ? { negatives: 20 } : {}) }, async (layer) => {
      const candidates = sampled ? candidatesFor(targets, S) : undefined;
      const options = { ...(candidates && { candidates }), ...(exampleWeights && { exampleWeights }) };
      // Rows without labels are ignored by the layer, whatever the loss.
      const mask = Array.from({ length: B }, (_, row) => (row === 3 ? 0 : (exampleWeights?.[row] ?? 1)));
      const expected = computeLoss(
        { spec: layer.options.loss, D, hidden, table, bias: biases, targets, ...options, exampleWeights: mask },
        { backend: await compileKernels("wasm", false) },
      );
      const { loss: value, hiddenGradient } = await layer.step(hidden, targets, options);
      expect(Math.abs(value - expected.loss)).toBeLessThan(1e-6 * Math.max(1, expected.loss));
      expectNear(hiddenGradient, expected.hiddenGradient);
      const { ids, rows } = expected.tableGradient;
      const trained = table.slice();
      const trainedBiases = biases.slice();
      rows.forEach((gradient, i) => {
        const at = ids === null ? i : ids[Math.floor(i / D)]! * D + (i % D);
        trained[at] = table[at]! - 0.1 * gradient;
      });
      expected.biasGradient!.forEach((gradient, i) => {
        const at = ids === null ? i : ids[i]!;
        trainedBiases[at] = biases[at]! - 0.1 * gradient;
      });
      expectNear(layer.table(), trained);
      expectNear(layer.biases()!, trainedBiases);
    });
  });

  function expectNear(actual: Float32Array, expected: Float32Array): void {
    expect(actual).toHaveLength(expected.length);
    actual.forEach((value, i) => {
      if (!(Math.abs(value - expected[i]!) < 1e-6)) expect(value, `element ${i}`).toBe(expected[i]);
    });
  }
});

describe("dL/dH", () => {
  it.each(["sampled-softmax", "full-softmax", "nce"] as const)(
    "of %s agrees with differences of the loss within 2e-4",
    async (loss) => {
      const sampled = loss !== "full-softmax";
      const still = { optimizer: { name: "sgd", learningRate: 1e-30 } } as const;
      await withLayer({ loss, ...still, ...(sampled ? { negatives: 20 } : {}) }, async (layer) => {
        const options = { exampleWeights: weights, ...(sampled && { candidates: candidatesFor(single, 17) }) };
        const gradient = layer.stepSync(hidden, single, options).hiddenGradient.slice();
        for (const at of [0, 7, D + 1, 3 * D, 5 * D + 2, 12 * D + 8]) {
          const [above, below] = [1e-2, -1e-2].map((step) => {
            const moved = hidden.slice();
            moved[at] = moved[at]! + step;
            return layer.stepSync(moved, single, options).loss;
          });
          expect(Math.abs((above! - below!) / 2e-2 - gradient[at]!)).toBeLessThan(2e-4);
        }
        // Of ignored rows, and of rows of weight 0, it is exactly 0.
        for (const row of [3, 5]) {
          expect(gradient.slice(row * D, row * D + D).every((value) => value === 0)).toBe(true);
        }
      });
    },
  );

  it("of a batch in which every row is ignored is 0, like the loss, and the table stays", async () => {
    await withLayer({}, async (layer) => {
      const before = layer.table();
      const { loss, hiddenGradient } = await layer.step(hidden, new Int32Array(B).fill(-1));
      expect(loss).toBe(0);
      expect(hiddenGradient.every((value) => value === 0)).toBe(true);
      expect(layer.table()).toEqual(before);
    });
  });
});

describe("steps", () => {
  const CASES: readonly (readonly [string, Partial<OutputLayerOptions>])[] = [
    ["sampled softmax", { negatives: 30 }],
    ["candidates of each row", { loss: "nce", candidates: "row", negatives: 5, sampler: "uniform" }],
    ["full softmax, clipped", { loss: "full-softmax", optimizer: { name: "adagrad", clipNorm: 0.1 } }],
    [
      "unigram, adam, cosines",
      { sampler: "unigram", counts: biases.map(Math.exp), normalize: true, optimizer: { name: "adam" } },
    ],
  ];

  it.each(CASES)(
    "have the same bits with 0 workers, 2 workers, the caller among them or not, and stepSync: %s",
    async (_, options) => {
      const runs = await Promise.all(
        [
          { workers: 0 },
          { workers: 2, callerWorks: false },
          { workers: 3 },
          { workers: 2, sync: true },
          { workers: 0, sync: true },
        ].map(({ workers, callerWorks = true, sync }) =>
          withLayer({ ...options, maxTargets: 2, workers, callerWorks }, async (layer) => {
            const answers: unknown[] = [];
            for (let step = 0; step < 5; step++) {
              // Batches of different lengths.
              const rows = B - step;
              const some = hidden.subarray(0, rows * D);
              const targets = { offsets: offsets.subarray(0, rows + 1), ids: ragged.ids.subarray(0, offsets[rows]) };
              const { loss, hiddenGradient } = sync ? layer.stepSync(some, targets) : await layer.step(some, targets);
              answers.push(loss, hiddenGradient.slice());
            }
            return { answers, table: layer.table(), biases: layer.biases(), steps: layer.steps };
          }),
        ),
      );
      for (const run of runs) expect(run).toEqual(runs[0]);
      expect(runs[0]!.steps).toBe(5);
    },
    15_000,
  );

  it("bring the exact cross-entropy down: 300 sampled steps on one batch, below a tenth of where it began", async () => {
    await withLayer({ negatives: 30, optimizer: { name: "adagrad", learningRate: 0.3 } }, async (layer) => {
      const before = await layer.crossEntropy(hidden, single);
      for (let step = 0; step < 300; step++) layer.stepSync(hidden, single);
      expect(await layer.crossEntropy(hidden, single)).toBeLessThan(before / 10);
    });
  });

  it("that diverge change nothing, and one may go on", async () => {
    await withLayer({ loss: "full-softmax" }, async (layer) => {
      const before = layer.table();
      const huge = hidden.map((value) => value * 3e38);
      const bad = huge.map((value) => (Number.isFinite(value) ? value : 3e38));
      await expect(layer.step(bad, single)).rejects.toMatchObject({ name: "DivergenceError" });
      expect(layer.table()).toEqual(before);
      expect(layer.steps).toBe(0);
      expect((await layer.step(hidden, single)).loss).toBeGreaterThan(0);
    });
  });

  it.each([{ callerWorks: true }, { callerWorks: false }])(
    "that diverge end a layer with 2 workers: %o",
    async (how) => {
      await withLayer({ loss: "full-softmax", workers: 2, ...how }, async (layer) => {
        const before = layer.table();
        const bad = hidden.map(() => 3e38);
        await expect(layer.step(bad, single)).rejects.toMatchObject({ name: "DivergenceError" });
        expect(layer.table()).toEqual(before);
        await expect(layer.step(hidden, single)).rejects.toMatchObject({ name: "DivergenceError" });
      });
    },
  );
});

describe("candidates that a layer draws", () => {
  const options = { loss: "sampled-softmax", sampler: "uniform", negatives: 20, seed: "draws" } as const;
  const logQ = Math.log(20 / N);

  /** Steps on the batch, by turns with draws of the layer (true) and with candidates of ours. */
  async function tableAfter(layer: OutputLayer, turns: readonly boolean[], given: (step: number) => Int32Array) {
    for (const [step, draws] of turns.entries()) {
      if (draws) {
        await layer.step(hidden, single);
        continue;
      }
      const candidates = { ids: given(step), logQ: new Array(20).fill(logQ), targetLogQ: new Array(B).fill(logQ) };
      await layer.step(hidden, single, { candidates });
    }
    return layer.table();
  }

  it("ahead of a batch are those of its step, also when steps with the caller's candidates come between", async () => {
    const sampler = samplerFrom(createSamplerState({ name: "uniform" }, N));
    const drawn = (step: number) => {
      const ids = new Int32Array(20);
      sampler.draw({ key: keyFromSeed("draws"), step, item: 0, S: 20 }, ids, new Float64Array(20));
      return ids;
    };
    const all = await withLayer(options, (layer) => tableAfter(layer, new Array(7).fill(false), drawn));
    for (const workers of [0, 1, 2]) {
      const turns = [true, true, false, true, false, false, true];
      const some = await withLayer({ ...options, workers }, (layer) => tableAfter(layer, turns, drawn));
      expect(some, `${workers} workers`).toEqual(all);
    }
  });
});

describe("exact answers", () => {
  /** Logits of a row by definition, in float64. */
  function logits(layer: OutputLayer, row: number): Float64Array {
    const { temperature, normalize } = layer.options.loss as LossSpec;
    const h = hidden.subarray(row * D, row * D + D);
    return Float64Array.from({ length: N }, (_, c) => {
      const w = table.subarray(c * D, c * D + D);
      let dot = 0;
      for (let d = 0; d < D; d++) dot += h[d]! * w[d]!;
      if (normalize) dot /= Math.hypot(...h) * Math.hypot(...w);
      return (dot + biases[c]!) / temperature;
    });
  }

  it.each([
    ["a batch as long as the rows", { batch: B }],
    ["batches of 4", { batch: 4 }],
    ["2 workers, batches of 4", { batch: 4, workers: 2 }],
    ["cosines, temperature, one lane", { normalize: true, temperature: 0.3, lanes: 1 }],
  ] as const)("agree with brute force within 1e-6: %s", async (_, options) => {
    await withLayer({ ...options, maxTargets: 2 }, async (layer) => {
      for (const targets of [single, ragged]) {
        let sum = 0;
        let labels = 0;
        for (let row = 0; row < B; row++) {
          const z = logits(layer, row);
          const own =
            "offsets" in targets
              ? Array.from(targets.ids.subarray(targets.offsets[row], targets.offsets[row + 1]))
              : targets.slice(row, row + 1).filter((id) => id >= 0);
          for (const id of own) sum += logSumExp(z) - z[id]!;
          labels += own.length;
        }
        expect(Math.abs((await layer.crossEntropy(hidden, targets)) / (sum / labels) - 1)).toBeLessThan(1e-6);
      }
      const k = 7;
      const top = await layer.topK(hidden, k);
      for (let row = 0; row < B; row++) {
        const z = logits(layer, row);
        const best = Array.from(z.keys())
          .sort((a, b) => z[b]! - z[a]!)
          .slice(0, k);
        expect(Array.from(top.ids.subarray(row * k, row * k + k))).toEqual(best);
        for (const [i, id] of best.entries()) expect(Math.abs(top.logits[row * k + i]! - z[id]!)).toBeLessThan(1e-5);
      }
    });
  });

  it("with many labels a row fit what workers are told", async () => {
    const T = 8000;
    const options = { classes: T, dim: D, batch: 4, maxTargets: T, workers: 1, optimizer: { name: "sgd" } } as const;
    const layer = await OutputLayer.create({ ...options, classBias: "none", negatives: 10 });
    try {
      const all = Int32Array.from({ length: T }, (_, id) => id);
      const targets = { offsets: [0, T, T + 1, 2 * T + 1], ids: [...all, 5, ...all] };
      const value = await layer.crossEntropy(hidden.subarray(0, 3 * D), targets);
      // Over all classes as labels, near the log of their number: rows are small.
      expect(Math.abs(value - Math.log(T))).toBeLessThan(0.02);
    } finally {
      await layer.close();
    }
  }, 15_000);
});

describe("the table", () => {
  it("comes back as it was set, in id order, whatever the lanes", async () => {
    for (const lanes of [1, 4, 64]) {
      await withLayer({ lanes }, async (layer) => {
        expect(layer.table()).toEqual(table);
        expect(layer.biases()).toEqual(biases);
        layer.setTable(table.map((value) => 2 * value));
        expect(layer.table()).toEqual(table.map((value) => 2 * value));
        expect(layer.biases()).toEqual(biases);
      });
    }
  });

  it("starts the same for the same seed, and biases at the log of the share", async () => {
    const counts = Float64Array.from({ length: N }, (_, id) => id);
    const total = counts.reduce((a, b) => a + Math.max(b, 0.5), 0);
    const [a, b] = await Promise.all(
      [1, 1].map(async (seed) => {
        const layer = await OutputLayer.create({
          classes: N,
          dim: D,
          batch: B,
          counts,
          classBias: "log-frequency",
          seed,
        });
        return { table: layer.table(), biases: layer.biases()! };
      }),
    );
    expect(a).toEqual(b);
    for (const [id, count] of counts.entries())
      expect(a!.biases[id]).toBeCloseTo(Math.log(Math.max(0.5, count) / total), 5);
  });
});
