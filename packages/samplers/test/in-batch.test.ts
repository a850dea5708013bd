import { keyFromSeed, OptionError, SamplerError } from "@logq/core";
import { expectMean, Moments, softmax, TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { HitFinder } from "../src/index.js";
import { type BatchSpec, createStatefulState, statefulSamplerFrom } from "../src/stateful/index.js";

const FALSE_ALARM = 1e-6;
const KEY = keyFromSeed("in-batch");

class Batch {
  readonly ids: Int32Array;
  readonly logQ: Float64Array;
  readonly sampler;

  constructor(spec: Omit<BatchSpec, "name">, counts: number[], size: number) {
    const { length } = counts;
    this.sampler = statefulSamplerFrom(createStatefulState({ name: "in-batch", ...spec }, length, { counts }));
    this.ids = new Int32Array(size);
    this.logQ = new Float64Array(size);
  }

  draw(step: number, labels: ArrayLike<number>) {
    const targets = Int32Array.from(labels);
    const request = { key: KEY, step, item: 0, S: 0, labels: targets, from: 0, to: targets.length };
    return this.sampler.draw(request, this.ids, this.logQ);
  }
}

/** Every batch of B labels over the classes of f, with its probability. */
function batches(f: readonly number[], B: number): { labels: number[]; probability: number }[] {
  let all = [{ labels: [] as number[], probability: 1 }];
  for (let k = 0; k < B; k++) {
    all = all.flatMap(({ labels, probability }) =>
      f.map((share, id) => ({ labels: [...labels, id], probability: probability * share })),
    );
  }
  return all;
}

function draws(random: TestRandom, f: readonly number[], B: number): Int32Array {
  return Int32Array.from({ length: B }, () => {
    let u = random.uniform();
    let id = 0;
    while (id < f.length - 1 && u >= f[id]) u -= f[id++];
    return id;
  });
}

function zipfCounts(n: number): number[] {
  return Array.from({ length: n }, (_, id) => 5040 / (id + 1));
}

const counts = [6, 3, 1];
const f = [0.6, 0.3, 0.1];
const given = { frequency: { kind: "given" } } as const;

describe("the expected count of a class among the batch's targets", () => {
  it("is B·f by enumeration of all batches, to 1e-14, and Σ v/Q over the candidates has the mean Σ v", () => {
    const B = 4;
    const values = [2, -5, 11];
    const count = new Float64Array(3);
    let sum = 0;
    const bench = new Batch(given, counts, B);
    for (const { labels, probability } of batches(f, B)) {
      const draw = bench.draw(0, labels);
      expect([...bench.ids.subarray(0, draw.S)]).toEqual(labels);
      for (let i = 0; i < B; i++) {
        count[bench.ids[i]] += probability;
        sum += (probability * values[bench.ids[i]]) / Math.exp(bench.logQ[i]);
      }
    }
    const draw = bench.draw(0, [0, 1, 2, 0]);
    for (let id = 0; id < 3; id++) {
      expect(Math.abs(count[id] - Math.exp(draw.logQ(id)))).toBeLessThan(1e-14);
      expect(draw.targetLogQ(id)).toBe(draw.logQ(id));
    }
    expect(Math.abs(sum - 8)).toBeLessThan(1e-12);
  });

  it("is (B − 1)·f where the row's own label is left out, whatever that label is", () => {
    const B = 4;
    const bench = new Batch({ ...given, own: "left-out" }, counts, B);
    for (const own of [0, 2]) {
      const count = new Float64Array(3);
      for (const { labels, probability } of batches(f, B - 1)) for (const id of labels) count[id] += probability;
      const draw = bench.draw(0, [own, 0, 0, 1]);
      for (let id = 0; id < 3; id++) expect(Math.abs(count[id] - Math.exp(draw.logQ(id)))).toBeLessThan(1e-14);
    }
  });

  it("counts every label where rows have several", () => {
    const bench = new Batch(given, counts, 7);
    expect(Math.exp(bench.draw(0, [0, 0, 1, 2, 0, 1, 1]).logQ(1))).toBeCloseTo(7 * 0.3, 13);
  });

  it(`of the estimator is unbiased: z-bound, false alarms ${FALSE_ALARM}`, () => {
    const B = 8;
    const random = new TestRandom(1);
    const moments = new Moments(3);
    for (let k = 0; k < 1500; k++) {
      const bench = new Batch({ frequency: { kind: "average", rate: 0.05, floor: 0 } }, counts, B);
      for (let step = 0; step < 20; step++) bench.sampler.observe(step, draws(random, f, B), 0, B);
      const labels = draws(random, f, B);
      const difference = f.map((_, id) => -Math.exp(bench.draw(20, labels).logQ(id)));
      for (const id of labels) difference[id]++;
      moments.add(difference);
    }
    expectMean(moments, [0, 0, 0], { falseAlarmRate: FALSE_ALARM, absolute: 1e-12 });
  });
});

describe("what log Q does for the gradient", () => {
  /** −log softmax of one row: the label's logit as it is, every other draw with weight e^(−log Q), own label masked. Adds to `mean`. */
  function addGradient(mean: Float64Array, z: number[], label: number, ids: Int32Array, logQ: (id: number) => number) {
    const others = [...ids].filter((id) => id !== label);
    const p = softmax([z[label], ...others.map((id) => z[id] - logQ(id))]);
    mean[label] += p[0] - 1;
    for (const [k, id] of others.entries()) mean[id] += p[k + 1];
  }

  const n = 30;
  const all = zipfCounts(n);
  const total = all.reduce((a, b) => a + b, 0);
  const law = all.map((count) => count / total);
  const random = new TestRandom(2);
  const z = law.map(() => random.normal());

  it.each([
    ["given counts", given],
    ["the average of 400 batches before", { frequency: { kind: "average", rate: 0.003 } } as const],
  ])("mean gradient of a row is within an eighth of the distance without log Q, by %s", (_, frequency) => {
    const [B, repetitions, label] = [128, 1500, 7];
    const bench = new Batch({ ...frequency, own: "left-out" }, all, B);
    for (let step = 0; step < 400; step++) bench.sampler.observe(step, draws(random, law, B), 0, B);
    const [corrected, plain] = [new Float64Array(n), new Float64Array(n)];
    for (let k = 0; k < repetitions; k++) {
      const draw = bench.draw(400, [label, ...draws(random, law, B - 1)]);
      addGradient(corrected, z, label, bench.ids, (id) => draw.logQ(id));
      // Without log Q, at the same total weight: only the law of the candidates is not undone.
      addGradient(plain, z, label, bench.ids, () => Math.log(B / n));
    }
    const exact = softmax(z).map((p, id) => p - Number(id === label));
    const distance = (mean: Float64Array) =>
      exact.reduce((sum, value, id) => sum + Math.abs(mean[id] / repetitions - value), 0);
    expect(distance(plain)).toBeGreaterThan(0.3);
    expect(distance(corrected)).toBeLessThan(distance(plain) / 8);
  });

  it("the true logits are a stationary point of the corrected loss, exactly, if the others' labels are kept; not without log Q", () => {
    // One of B labels is the row's, drawn from P(·|h); the others from f. Which one is it?
    const P = [0.2, 0.3, 0.5];
    const B = 4;
    const bench = new Batch(given, counts, B);
    const gradient = (corrected: boolean) => {
      const mean = new Float64Array(3);
      for (const { labels, probability } of batches(f, B - 1)) {
        for (let own = 0; own < 3; own++) {
          const draw = bench.draw(0, [own, ...labels]);
          const p = softmax([...bench.ids].map((id) => Math.log(P[id]) - (corrected ? draw.logQ(id) : 0)));
          for (let i = 0; i < B; i++) mean[bench.ids[i]] += P[own] * probability * (p[i] - Number(i === 0));
        }
      }
      return mean;
    };
    for (const value of gradient(true)) expect(Math.abs(value)).toBeLessThan(1e-14);
    expect(Math.max(...gradient(false).map(Math.abs))).toBeGreaterThan(0.1);
  });
});

describe("in-batch borders", () => {
  it("every row finds its own label among the candidates, and all its copies", () => {
    const bench = new Batch(given, counts, 5);
    const labels = Int32Array.of(0, 1, 0, 2, 0);
    bench.draw(0, labels);
    const hits = new HitFinder();
    hits.prepare(bench.ids, 5);
    expect(hits.find([0, 1, 2, 3, 4, 5], labels, 0, 5)).toBe(3 + 1 + 3 + 1 + 3);
  });

  it("is finite for classes that were never seen", () => {
    for (const kind of ["average", "streaming"] as const) {
      const bench = new Batch({ frequency: { kind } }, zipfCounts(30), 2);
      expect(bench.draw(0, [29, 3]).logQ(29)).toBeCloseTo(Math.log(2 / 30), 14);
      for (let step = 0; step < 50; step++) bench.sampler.observe(step, Int32Array.of(1, 2), 0, 2);
      bench.draw(50, [29, 3]);
      expect(bench.logQ.every(Number.isFinite)).toBe(true);
      expect(bench.logQ[0]).toBeLessThan(Math.log(0.1));
    }
  });

  it("refuses an empty batch, a batch of one that leaves itself out, and a candidate without mass", () => {
    expect(() => new Batch(given, counts, 1).draw(0, [])).toThrow(SamplerError);
    expect(() => new Batch({ ...given, own: "left-out" }, counts, 1).draw(0, [1])).toThrow(SamplerError);
    expect(() => new Batch(given, [1, 0], 2).draw(0, [0, 1])).toThrow(SamplerError);
  });

  it("refuses options it does not have", () => {
    for (const spec of [{ extra: { name: "uniform" } }, { batches: 2 }, { labels: 3 }, { own: "none" }, { S: 5 }]) {
      expect(() => new Batch(spec as never, counts, 1)).toThrow(OptionError);
    }
  });
});
