import { availableBackends, compileBackend, instantiateBackend } from "@logq/blas";
import { type BackendName, KernelMemory } from "@logq/kernels";
import { adaptiveClusters, computeAdaptiveLoss } from "@logq/losses";
import { checkGradient, expectAllClose } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { evaluateModel } from "../dist/evaluate/evaluate.js";
import { parseMetrics, rankingValue } from "../dist/evaluate/metrics.js";
import { createSource } from "../dist/sources/create.js";
import {
  type AdaptiveCase,
  adaptiveBatchLoss,
  adaptiveLaw,
  adaptiveSpec,
  hiddenOf,
  parametersOf,
  plainBatch,
  scatterBiases,
  tablesByName,
} from "./support/adaptive.js";
import { labelSource, lossSum, parameterBytes, userSource, withEngine } from "./support/engines.js";

const STEP = { optimizer: { name: "sgd", learningRate: 1 } } as const;

const labels = labelSource(67, 23, 130);

/** Nothing divides anything: rows of a block, tiles, vectors. */
const CASES: Readonly<Record<string, AdaptiveCase>> = {
  "two tails": { ...STEP, cutoffs: [11, 30] },
  "no bias, sums": { ...STEP, cutoffs: [20], bias: false, reduction: "sum" },
  "no tail": { ...STEP, cutoffs: [] },
  "a head of one class, a tail of one": { ...STEP, cutoffs: [1, 66], divValue: 1 },
  "several labels, tails that share rows": { ...STEP, cutoffs: [9, 21, 40], source: labels, vocabulary: 23, D: 9 },
  "class weights, several labels": {
    ...STEP,
    cutoffs: [9, 21, 40],
    source: labels,
    vocabulary: 23,
    D: 9,
    labelFactor: (id) => 0.5 + (id % 4),
  },
  "class weights, one label": { ...STEP, cutoffs: [11, 30], labelFactor: (id) => 1 + (id % 3) },
  "logits again": { ...STEP, cutoffs: [11, 30], logitBytes: 0 },
  "several labels, logits of some clusters again": {
    ...STEP,
    cutoffs: [9, 21],
    source: labels,
    vocabulary: 23,
    logitBytes: 8192,
  },
  "tiles and runs": { ...STEP, n: 3001, cutoffs: [300, 1001], D: 33, B: 101, divValue: 4 },
  "tiles, logits again": { ...STEP, n: 3001, cutoffs: [300, 1001], D: 33, B: 101, divValue: 4, logitBytes: 0 },
  "one row": { ...STEP, cutoffs: [11, 30], B: 1 },
  "clipped above its norm": { cutoffs: [11, 30], optimizer: { name: "sgd", learningRate: 1, clipNorm: 1e6 } },
  "clipped above its norm, logits again": {
    cutoffs: [11, 30],
    optimizer: { name: "sgd", learningRate: 1, clipNorm: 1e6 },
    logitBytes: 0,
  },
};

async function withSteps<T>(
  of: AdaptiveCase,
  backend: BackendName,
  steps: number,
  use: (before: Map<string, Float32Array>, after: Map<string, Float32Array>, loss: number) => T,
): Promise<T> {
  return withEngine(adaptiveSpec(of), { backend }, async ({ host, train }) => {
    scatterBiases(host);
    const before = tablesByName(host);
    await train(0, steps);
    return use(before, tablesByName(host), lossSum(host));
  });
}

describe.each(await availableBackends())("a step of sgd at rate 1 on %s", (backend) => {
  it.each(Object.entries(CASES))("%s: moves every table by minus the public form's gradient", async (_, of) => {
    const spec = adaptiveSpec(of);
    const clusters = spec.adaptive!;
    const { D } = spec.table;
    await withSteps(of, backend, 1, (before, after, loss) => {
      const batch = plainBatch(spec, 0);
      const hidden = hiddenOf(batch, before.get("encoder.embedding")!, D);
      const rows = batch.entries.map(({ row }) => row);
      const mass = batch.entries.reduce((sum, { weight }) => sum + weight, 0);
      const { cutoffs, divValue = 2, bias = true } = of;
      const answer = computeAdaptiveLoss({
        spec: { D, n: spec.table.n, cutoffs, divValue, headBias: bias },
        hidden: Float32Array.from(rows.flatMap((row) => Array.from(hidden.subarray(row * D, (row + 1) * D)))),
        parameters: parametersOf(clusters, before),
        targets: batch.entries.map(({ id }) => id),
        exampleWeights: batch.entries.map(({ weight }) => weight),
      });
      const valid = new Set(rows).size;
      const mean = of.reduction === "sum" ? answer.loss * (mass / valid) : answer.loss * mass;
      expectAllClose([loss], [mean], { relative: 3e-6 });
      const embedding = new Float64Array(before.get("encoder.embedding")!.length);
      batch.entries.forEach(({ row }, e) => {
        const { ids, weights } = batch.inputs[row]!;
        ids.forEach((id, i) => {
          for (let d = 0; d < D; d++) embedding[id * D + d]! += weights[i]! * answer.hiddenGradient[e * D + d]!;
        });
      });
      const { headTable, headBias, tails } = answer.gradients;
      const expected: [string, ArrayLike<number>][] = [
        ["adaptive.head", headTable],
        ...(headBias === null ? [] : [["adaptive.head-bias", headBias] as [string, ArrayLike<number>]]),
        ...clusters.tails.flatMap(({ size, width }, i): [string, ArrayLike<number>][] => [
          [`adaptive.tail${i}`, tails[i]?.table ?? new Float32Array(size * width)],
          [`adaptive.tail${i}-projection`, tails[i]?.projection ?? new Float32Array(width * D)],
        ]),
        ["encoder.embedding", embedding],
      ];
      expect(expected.map(([name]) => name).sort()).toEqual([...before.keys()].sort());
      for (const [name, gradient] of expected) {
        const scaled = Float64Array.from(gradient, (value) => mass * value);
        const moved = before.get(name)!.map((value, i) => value - after.get(name)![i]!);
        const largest = scaled.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        const held = before.get(name)!.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        expectAllClose(moved, scaled, { absolute: 1e-5 * largest + 2 ** -23 * (held + largest), name });
      }
    });
  });
});

describe("a step of sgd at rate 1 moves tables by minus the numeric gradient of its loss", () => {
  it.each(["two tails", "several labels, tails that share rows", "logits again"])("%s", async (name) => {
    const of = CASES[name]!;
    const spec = adaptiveSpec(of);
    await withSteps(of, "wasm", 1, (before, after) => {
      const batch = plainBatch(spec, 0);
      for (const [table, values] of before) {
        const gradient = Float64Array.from(values, (value, i) => value - after.get(table)![i]!);
        const loss = (x: Float64Array) => adaptiveBatchLoss(spec, batch, new Map([...before, [table, x]] as never));
        const indices = Array.from({ length: Math.min(20, values.length) }, (_, i) => (i * 11) % values.length);
        checkGradient(loss, values, gradient, { indices, tolerance: 2e-5, absolute: 1e-6, name: table });
      }
    });
  });
});

const ODD = { n: 3001, D: 33, B: 101, cutoffs: [301, 1003], divValue: 4 } as const;

const RUNS: Readonly<Record<string, AdaptiveCase>> = {
  "logits kept, adagrad": { ...ODD, optimizer: { name: "adagrad" } },
  "logits again, adam": { ...ODD, logitBytes: 0, optimizer: { name: "adam" } },
  "logits of some clusters again, momentum": { ...ODD, logitBytes: 2 ** 18, optimizer: { name: "momentum" } },
  "several labels, clipped, rowwise-adagrad": {
    ...ODD,
    source: labelSource(3001, 300, 500),
    vocabulary: 300,
    optimizer: { name: "rowwise-adagrad", clipNorm: 0.1 },
  },
};

const FAST = (await availableBackends()).filter((name) => name !== "reference");

async function run(of: AdaptiveCase, workers: number, parts: readonly number[], backend: BackendName = "wasm") {
  return withEngine(adaptiveSpec(of), { workers, backend }, async ({ host, train }) => {
    let first = 0;
    for (const count of parts) {
      await train(first, count);
      first += count;
    }
    return { bytes: parameterBytes(host), loss: lossSum(host) };
  });
}

describe("0, 1, 2 and 3 workers end with the same bytes in all tables and optimizer states", () => {
  describe.each(FAST)("%s", (backend) => {
    it.each(Object.entries(RUNS))(
      "%s",
      async (_, of) => {
        const [alone, ...crews] = await Promise.all([0, 1, 2, 3].map((workers) => run(of, workers, [6], backend)));
        for (const crew of crews) {
          expect(crew!.bytes.equals(alone!.bytes)).toBe(true);
          expect(crew!.loss).toBe(alone!.loss);
        }
      },
      180_000,
    );
  });

  it.each(Object.entries(RUNS))(
    "a run in several commands has the bytes of a run in one: %s",
    async (_, of) => {
      const [whole, parts] = await Promise.all([run(of, 0, [6]), run(of, 0, [1, 2, 3])]);
      expect(parts.bytes.equals(whole.bytes)).toBe(true);
    },
    30_000,
  );

  it("embeddings in memories of their own change no bit", async () => {
    const [one, several] = await Promise.all(
      [undefined, 2 ** 21].map((bankBytes) =>
        withEngine(adaptiveSpec(RUNS["logits kept, adagrad"]!), { bankBytes }, async ({ host, train }) => {
          await train(0, 3);
          return { bytes: parameterBytes(host), banks: host.layout.banks.length };
        }),
      ),
    );
    expect(several!.banks).toBeGreaterThan(0);
    expect(several!.bytes.equals(one!.bytes)).toBe(true);
  });
});

const { bfloat16Matrix } = instantiateBackend(await compileBackend("auto", true), KernelMemory.create(1, true));

it.skipIf(bfloat16Matrix === undefined)(
  "products in bfloat16 change the loss by less than a hundredth, and have the same bits for any number of workers",
  async () => {
    const of: AdaptiveCase = { ...ODD, optimizer: { name: "adagrad" }, products: "bfloat16" };
    const [alone, crew, exact] = await Promise.all([
      run(of, 0, [6], "native"),
      run(of, 3, [6], "native"),
      run({ ...of, products: "float32" }, 0, [6], "native"),
    ]);
    expect(crew.bytes.equals(alone.bytes)).toBe(true);
    expect(alone.bytes.equals(exact.bytes)).toBe(false);
    expect(Math.abs(alone.loss / exact.loss - 1)).toBeLessThan(0.01);
  },
  60_000,
);

describe("a step whose numbers overflow", () => {
  it.each([0, 2])(
    "is refused, and changes no table, with %i workers",
    async (workers) => {
      await withEngine(adaptiveSpec({ ...STEP, cutoffs: [11, 30] }), { workers }, async ({ host, train }) => {
        const { address, ld, rows } = host.layout.encoder.tables[0]!;
        host.memory.f32.fill(3e38, address >>> 2, (address >>> 2) + ld * rows);
        const before = parameterBytes(host);
        await expect(train(0, 1)).rejects.toThrow(expect.objectContaining({ code: "LOGQ_DIVERGENCE" }));
        expect(parameterBytes(host).equals(before)).toBe(true);
      });
    },
    30_000,
  );
});

describe("clusters that no row of a batch goes to", () => {
  it("are not touched, nor is what the optimizer keeps for them", async () => {
    const of: AdaptiveCase = {
      n: 67,
      cutoffs: [20, 40],
      optimizer: { name: "adam", weightDecay: 0.1 },
      source: { kind: "pair", inputs: Int32Array.of(0, 1, 2, 3), targets: Int32Array.of(3, 45, 66, 7) },
      B: 4,
    };
    await withSteps(of, "wasm", 1, (before, after) => {
      const moved = [...before].filter(([name, values]) => !values.every((value, i) => value === after.get(name)![i]));
      expect(moved.map(([name]) => name).sort()).toEqual(
        [
          "adaptive.head",
          "adaptive.head-bias",
          "adaptive.tail1",
          "adaptive.tail1-projection",
          "encoder.embedding",
        ].sort(),
      );
    });
  });
});

describe.each(await availableBackends())("evaluation on %s by the law's own definition in float64", (backend) => {
  const METRICS = "cross-entropy,recall@1,recall@7,ndcg@7,mrr@7";

  it.each([
    ["words", { cutoffs: [11, 30], evaluationRows: 8, maxK: 7 }],
    ["several labels", { cutoffs: [9, 21, 40], source: labels, vocabulary: 23, D: 9, evaluationRows: 50, maxK: 7 }],
    ["several tiles", { n: 1003, cutoffs: [300], D: 6, evaluationRows: 70, maxK: 7 }],
    ["no tail", { cutoffs: [], maxK: 7 }],
  ] satisfies [string, AdaptiveCase][])("%s", async (_, of) => {
    const spec = adaptiveSpec(of);
    await withEngine(spec, { backend }, async ({ host }) => {
      scatterBiases(host);
      const tables = tablesByName(host);
      const { metrics, labels: count } = await evaluateModel(host, {
        source: "train",
        metrics: parseMetrics(METRICS),
      });
      const source = createSource(spec.sources.train!);
      const D = spec.table.D;
      const sums = new Map<string, number>();
      let loss = 0;
      let rows = 0;
      let all = 0;
      for (let example = 0; example < source.examples; example++) {
        const { inputs, own } = exampleOf(source, example, spec.encoder.reduce === "mean");
        const x = hiddenOf({ inputs: [inputs], entries: [] }, tables.get("encoder.embedding")!, D);
        const law = adaptiveLaw(spec.adaptive!, tables, x);
        for (const id of own) loss -= law[id]!;
        all += own.length;
        if (own.length === 0) continue;
        rows++;
        const ranked = Int32Array.from(law.keys()).sort((a, b) => law[b]! - law[a]! || a - b);
        for (const metric of parseMetrics(METRICS)) {
          if (!("k" in metric) || metric.name === "psp") continue;
          const value = rankingValue(metric.name, ranked, metric.k, new Set(own));
          sums.set(metric.label, (sums.get(metric.label) ?? 0) + value);
        }
      }
      expect(count).toBe(all);
      expectAllClose([metrics["cross-entropy"]!], [loss / all], { relative: 1e-6 });
      for (const [label, sum] of sums) expectAllClose([metrics[label]!], [sum / rows], { absolute: 1e-9, name: label });
    });
  });

  it("classes that a row has seen are left out of its ranking, and stay in its cross-entropy", async () => {
    const source = userSource("user", 67, 31, 9);
    if (source.kind !== "user") throw new Error("unreachable");
    const seen = source.offsets;
    const spec = adaptiveSpec({
      cutoffs: [11, 30],
      vocabulary: 31,
      maxK: 67,
      source: {
        kind: "user-ranking",
        users: Int32Array.from({ length: 31 }, (_, user) => user),
        offsets: Int32Array.from({ length: 32 }, (_, user) => user),
        items: Int32Array.from({ length: 31 }, (_, user) => (user * 13) % 67),
        seenOffsets: seen,
        seenItems: source.items,
        window: 1,
      },
    });
    await withEngine(spec, { backend }, async ({ host }) => {
      const tables = tablesByName(host);
      const { evaluationRows, maxK } = spec;
      await evaluateModel(host, { source: "train", metrics: parseMetrics("cross-entropy,recall@67"), limit: 8 });
      const ids = host.memory.ints(host.layout.rankedIds, evaluationRows * maxK);
      for (let user = 0; user < evaluationRows; user++) {
        const x = Float64Array.from(tables.get("encoder.embedding")!.subarray(7 * user, 7 * (user + 1)));
        const law = adaptiveLaw(spec.adaptive!, tables, x);
        const left = new Set(source.items.subarray(seen[user], seen[user + 1]));
        const ranked = Array.from(law.keys())
          .filter((id) => !left.has(id))
          .sort((a, b) => law[b]! - law[a]!);
        const own = Array.from(ids.subarray(user * maxK, (user + 1) * maxK)).filter((id) => id >= 0);
        expect(own).toEqual(ranked);
      }
    });
  });
});

function exampleOf(source: ReturnType<typeof createSource>, example: number, mean: boolean) {
  const ids = new Int32Array(Math.max(source.maxInputs, source.maxTargets, 1));
  const weights = new Float32Array(ids.length).fill(1);
  const own = Array.from(ids.subarray(0, source.targets(example, ids, 0)));
  const count = source.inputs(example, ids, weights, 0);
  const values = Array.from(weights.subarray(0, count));
  const scale = mean ? values.reduce((sum, weight) => sum + Math.abs(weight), 0) : 1;
  return { own, inputs: { ids: Array.from(ids.subarray(0, count)), weights: values.map((w) => w / scale) } };
}

it("cutoffs that do not rise are refused with their values", () => {
  expect(() => adaptiveClusters({ D: 8, n: 67, cutoffs: [30, 11] })).toThrow(
    expect.objectContaining({ code: "LOGQ_OPTION", values: expect.objectContaining({ value: 11, before: 30 }) }),
  );
});
