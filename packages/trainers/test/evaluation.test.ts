import { availableBackends } from "@logq/blas";
import { keyFromSeed } from "@logq/core";
import type { BackendName } from "@logq/kernels";
import { NORM_EPSILON } from "@logq/losses";
import { logSumExp, TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import type { EngineSpec } from "../dist/engine/spec.js";
import { type EvaluationRequest, evaluateModel } from "../dist/evaluate/evaluate.js";
import { parseMetrics, propensityScore, RANKING_METRICS, SOFTMAX_METRICS } from "../dist/evaluate/metrics.js";
import { inversePropensities } from "../dist/evaluate/propensity.js";
import { createSource } from "../dist/sources/create.js";
import { SequentialOrder } from "../dist/sources/order.js";
import type { RankingSourceSpec } from "../dist/sources/source.js";
import { readClassTable, writeClassTable, writeScalars } from "../dist/table/export.js";
import { type EngineCase, engineSpec, type RunningEngine, withEngine } from "./support/engines.js";

/** Users who find one to three items, some of them twice, and have seen a few others. */
function rankingSource(n: number, users: number): RankingSourceSpec {
  const random = new TestRandom(11);
  const offsets = [0];
  const seenOffsets = [0];
  const items: number[] = [];
  const seenItems: number[] = [];
  for (let user = 0; user < users; user++) {
    const all = random.distinctIntegers(Math.min(n, 6), n);
    const found = Math.min(all.length, 1 + random.integer(3));
    items.push(...all.subarray(0, found), all[0]!);
    // The last one stays unseen, so that there is always something to rank; seen items repeat as well.
    for (const id of all.subarray(found)) seenItems.push(id, id);
    offsets.push(items.length);
    seenOffsets.push(seenItems.length);
  }
  return {
    kind: "user-ranking",
    users: Int32Array.from({ length: users }, (_, user) => user),
    offsets: Int32Array.from(offsets),
    items: Int32Array.from(items),
    seenOffsets: Int32Array.from(seenOffsets),
    seenItems: Int32Array.from(seenItems),
    window: 1,
  };
}

/** Small integers over 4: products and sums are exact in float32, so equal logits are equal and ties are many. */
function coarse(random: TestRandom, count: number): Float32Array {
  return Float32Array.from({ length: count }, () => (random.integer(5) - 2) / 4);
}

interface Model {
  readonly W: Float32Array;
  readonly bias: Float32Array;
  readonly E: Float32Array;
}

function evaluationSpec(of: Partial<EngineCase> & { n: number; users?: number }): EngineSpec {
  const users = of.users ?? 29;
  return engineSpec({ loss: "full-softmax", D: 3, source: rankingSource(of.n, users), vocabulary: users, B: 9, ...of });
}

function writeModel({ host }: RunningEngine, seed = 3): Model {
  const { n, D } = host.spec.table;
  const random = new TestRandom(seed);
  const model = {
    W: coarse(random, n * D),
    bias: coarse(random, n),
    E: coarse(random, host.spec.encoder.vocabulary * D),
  };
  writeClassTable(host, model.W);
  writeScalars(host, host.layout.table.bias, model.bias);
  const { address, ld } = host.layout.encoder.tables[0]!;
  for (let row = 0; row < host.spec.encoder.vocabulary; row++) {
    host.memory.f32.set(model.E.subarray(row * D, (row + 1) * D), (address >>> 2) + row * ld);
  }
  return model;
}

/** Rows of zeros have the length that losses say they have. */
function lengthOf(rows: Float32Array, row: number, D: number): number {
  return Math.max(Math.hypot(...rows.subarray(row * D, (row + 1) * D)), NORM_EPSILON);
}

/** Everything by its definition: all logits of a row, sorted, in float64. */
function bruteForce(spec: EngineSpec, { W, bias, E }: Model, request: Omit<EvaluationRequest, "source">) {
  const { n, D } = spec.table;
  const source = createSource(spec.sources.train!);
  const count = Math.min(source.examples, request.limit ?? source.examples);
  const order = new SequentialOrder(source.examples, 0, count, count, request.key);
  order.seek(0);
  const ids = new Int32Array(64);
  const sums = new Map<string, number>();
  let loss = 0;
  let logPartition = 0;
  let labels = 0;
  for (let row = 0; row < count; row++) {
    const example = order.example(row);
    source.inputs(example, ids, new Float32Array(64), 0);
    const user = ids[0]!;
    const z = Float64Array.from({ length: n }, (_, c) => {
      let dot = 0;
      for (let d = 0; d < D; d++) dot += E[user * D + d]! * W[c * D + d]!;
      if (spec.normalize) dot /= lengthOf(E, user, D) * lengthOf(W, c, D);
      const logit = (dot + bias[c]!) * spec.scale;
      return spec.softCap > 0 ? spec.softCap * Math.tanh(logit / spec.softCap) : logit;
    });
    const targets = new Set(ids.subarray(0, source.targets(example, ids, 0)));
    const seen = new Set(request.maskSeen === false ? [] : ids.slice(0, source.excluded(example, ids, 0)));
    const lse = logSumExp(z);
    logPartition += Math.abs(lse) / count;
    for (const t of targets) loss += lse - z[t]!;
    labels += targets.size;
    const ranked = Array.from({ length: n }, (_, c) => c)
      .filter((c) => !seen.has(c))
      .sort((a, b) => z[b]! - z[a]! || a - b);
    for (const metric of request.metrics) {
      if (!("k" in metric) || metric.name === "psp") continue;
      const hits = ranked.slice(0, metric.k).map((c) => targets.has(c));
      const found = hits.filter(Boolean).length;
      const gainOf = (places: boolean[]) => places.reduce((sum, hit, i) => sum + (hit ? 1 / Math.log2(i + 2) : 0), 0);
      const value = {
        precision: found / metric.k,
        recall: found / targets.size,
        hr: Number(found > 0),
        mrr: found > 0 ? 1 / (hits.indexOf(true) + 1) : 0,
        ndcg: gainOf(hits) / gainOf(Array.from({ length: Math.min(metric.k, targets.size) }, () => true)),
      }[metric.name];
      sums.set(metric.label, (sums.get(metric.label) ?? 0) + value / count);
    }
  }
  return { sums, crossEntropy: loss / labels, logPartition, labels, count };
}

async function expectExact(
  spec: EngineSpec,
  backend: BackendName,
  request: Omit<EvaluationRequest, "source">,
  workers = 0,
) {
  await withEngine(spec, { backend, workers }, async (engine) => {
    const model = writeModel(engine);
    const expected = bruteForce(spec, model, request);
    const actual = await evaluateModel(engine.host, { source: "train", ...request });
    expect(actual.examples).toBe(expected.count);
    expect(actual.labels).toBe(expected.labels);
    for (const [label, value] of Object.entries(actual.metrics)) {
      const { crossEntropy } = expected;
      // Of one class the cross-entropy is 0.
      if (label === "cross-entropy") expect(Math.abs(value - crossEntropy)).toBeLessThan(1e-6 * crossEntropy + 1e-12);
      else if (label === "perplexity") expect(Math.abs(value / Math.exp(crossEntropy) - 1)).toBeLessThan(3e-6);
      else if (label === "log-partition") expect(Math.abs(value / expected.logPartition - 1)).toBeLessThan(1e-6);
      else expect(Math.abs(value - expected.sums.get(label)!)).toBeLessThan(1e-12);
    }
    expect(Object.keys(actual.metrics)).toEqual(request.metrics.map(({ label }) => label));
  });
}

const ALL = (ks: number[]) =>
  parseMetrics([...SOFTMAX_METRICS, ...RANKING_METRICS.flatMap((name) => ks.map((k) => `${name}@${k}`))].join());

describe.each(await availableBackends())(
  "exact evaluation on %s against all logits sorted, ties to the lower id: rankings within 1e-12, cross-entropy within 1e-6",
  (backend) => {
    it.each([
      { n: 1, lanes: 16 },
      { n: 3, lanes: 16 },
      { n: 17, lanes: 16 },
      { n: 17, lanes: 1 },
      { n: 100, lanes: 8 },
      { n: 1003, lanes: 2 },
    ])("$n classes in $lanes lanes", async ({ n, lanes }) => {
      await expectExact(evaluationSpec({ n, lanes, maxK: 10 }), backend, { metrics: ALL([1, 3, 10]) });
    });

    it.each([1, 7, 8, 31, 33, 100])("%i rows at a time", async (evaluationRows) => {
      await expectExact(evaluationSpec({ n: 60, evaluationRows, maxK: 5 }), backend, { metrics: ALL([5]) });
    });

    it("seen classes left in, a temperature, a limit", async () => {
      const spec = evaluationSpec({ n: 40, maxK: 7, lossOptions: { temperature: 0.5 } });
      await expectExact(spec, backend, { metrics: ALL([7]), maskSeen: false, limit: 20 });
    });

    it("rows chosen by a key are ranked against their own labels", async () => {
      const spec = evaluationSpec({ n: 40, maxK: 7 });
      await expectExact(spec, backend, { metrics: ALL([7]), key: keyFromSeed("some of them"), limit: 13 });
    });

    it("cosines", async () => {
      const lossOptions = { normalize: true, temperature: 0.1 };
      const spec = evaluationSpec({ n: 301, lanes: 1, lossOptions });
      await expectExact(spec, backend, { metrics: parseMetrics("cross-entropy") });
    });

    it("capped logits, whose ties are as many", async () => {
      const spec = evaluationSpec({ n: 301, maxK: 7, lossOptions: { softCap: 0.5, temperature: 0.5 } });
      await expectExact(spec, backend, { metrics: ALL([1, 7]) });
      await expectExact(spec, backend, { metrics: parseMetrics("recall@7") });
    });

    it("rankings alone, and cross-entropy alone", async () => {
      const spec = evaluationSpec({ n: 40, maxK: 4 });
      await expectExact(spec, backend, { metrics: parseMetrics("recall@4,ndcg@2") });
      await expectExact(spec, backend, { metrics: parseMetrics("cross-entropy") });
    });
  },
);

describe("evaluation", () => {
  it("says the same to the bit for 0 and for 3 workers", async () => {
    const spec = evaluationSpec({ n: 1003, D: 17, maxK: 10, users: 200, evaluationRows: 33 });
    const results = await Promise.all(
      [0, 3].map((workers) =>
        withEngine(spec, { workers }, async ({ host }) => {
          const { metrics } = await evaluateModel(host, { source: "train", metrics: ALL([10]) });
          const lists = host.memory.ints(host.layout.rankedIds, spec.evaluationRows * 10).slice();
          return { metrics, lists };
        }),
      ),
    );
    expect(results[1]).toEqual(results[0]);
  }, 15_000);

  it("of k above what the engine has room for is refused with both numbers", async () => {
    await withEngine(evaluationSpec({ n: 40, maxK: 4 }), {}, async ({ host }) => {
      const asked = evaluateModel(host, { source: "train", metrics: parseMetrics("recall@5") });
      await expect(asked).rejects.toMatchObject({ code: "LOGQ_OPTION", values: { k: 5, limit: 4 } });
    });
  });

  it("psp@k is a quotient of sums over rows, of the lists that rankings are made of: within 1e-12", async () => {
    const spec = evaluationSpec({ n: 40, maxK: 7, evaluationRows: 64 });
    const training = { counts: Float64Array.from({ length: 40 }, (_, id) => 3 * (40 - id)), rows: 500 };
    const propensity = { A: 0.6, B: 2.6 };
    await withEngine(spec, {}, async (engine) => {
      writeModel(engine);
      const { metrics } = await evaluateModel(engine.host, {
        ...{ source: "train", metrics: parseMetrics("psp@1,psp@7,recall@7"), training, propensity },
      });
      expect(metrics["psp@7"]).toBeGreaterThan(0);
      const inverse = inversePropensities(training, propensity);
      const { rankedIds } = engine.host.layout;
      const source = createSource(spec.sources.train!);
      const ids = new Int32Array(64);
      for (const k of [1, 7]) {
        let [found, best] = [0, 0];
        for (let row = 0; row < source.examples; row++) {
          const relevant = new Set(ids.subarray(0, source.targets(row, ids, 0)));
          const score = propensityScore(engine.host.memory.ints(rankedIds + 28 * row, 7), k, relevant, inverse);
          found += score.found;
          best += score.best;
        }
        expect(Math.abs(metrics[`psp@${k}`]! - found / best)).toBeLessThan(1e-12);
      }
    });
  });

  it("psp@k without the counts of the training part is refused", async () => {
    await withEngine(evaluationSpec({ n: 40, maxK: 4 }), {}, async ({ host }) => {
      const asked = evaluateModel(host, { source: "train", metrics: parseMetrics("psp@3") });
      await expect(asked).rejects.toMatchObject({ code: "LOGQ_OPTION", values: { metric: "psp@3" } });
    });
  });

  it("tells how far it is", async () => {
    await withEngine(evaluationSpec({ n: 40, evaluationRows: 10 }), {}, async ({ host }) => {
      const seen: number[] = [];
      const onProgress = ({ examples, total }: { examples: number; total: number }) => seen.push(examples, total);
      await evaluateModel(host, { source: "train", metrics: parseMetrics("recall@2"), onProgress });
      expect(seen).toEqual([10, 29, 20, 29, 29, 29]);
    });
  });

  it("between steps leaves the run as it was", async () => {
    const spec = evaluationSpec({ n: 67, B: 8 });
    const [plain, watched] = await Promise.all(
      [false, true].map((evaluates) =>
        withEngine(spec, {}, async (engine) => {
          for (let step = 0; step < 4; step++) {
            await engine.train(step, 1);
            if (evaluates) await evaluateModel(engine.host, { source: "train", metrics: ALL([3]) });
          }
          return readClassTable(engine.host);
        }),
      ),
    );
    expect(watched).toEqual(plain);
  });
});
