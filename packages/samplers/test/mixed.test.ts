import { keyFromSeed, OptionError } from "@logq/core";
import { expectChiSquare, expectMean, Moments, TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import {
  atLeastOnce,
  type BatchSpec,
  createStatefulState,
  mixedExpectedCount,
  mixedProbability,
  statefulSamplerFrom,
} from "../src/stateful/index.js";

const FALSE_ALARM = 1e-6;
const KEY = keyFromSeed("mixed");
const f = [0.6, 0.3, 0.1];
const p = [0.25, 0.25, 0.5];

/** Every sequence of draws, each from its own law, with its probability. */
function sequences(laws: readonly (readonly number[])[]): { ids: number[]; probability: number }[] {
  return laws.reduce<{ ids: number[]; probability: number }[]>(
    (all, law) =>
      all.flatMap(({ ids, probability }) =>
        law.map((mass, id) => ({ ids: [...ids, id], probability: probability * mass })),
      ),
    [{ ids: [], probability: 1 }],
  );
}

describe("the three numbers that have been called Q, by enumeration of B = 3 targets and S = 2 draws, to 1e-14", () => {
  const all = sequences([f, f, f, p, p]);
  const of = (id: number) => ({ B: 3, f: f[id], S: 2, p: p[id] });
  const mean = (value: (ids: number[]) => number) =>
    all.reduce((sum, { ids, probability }) => sum + probability * value(ids), 0);

  it.each([0, 1, 2])("class %i", (id) => {
    const count = mean((ids) => ids.filter((other) => other === id).length);
    expect(Math.abs(mixedExpectedCount(of(id)) - count)).toBeLessThan(1e-14);
    // A candidate picked at random.
    expect(Math.abs(mixedProbability(of(id)) - count / 5)).toBeLessThan(1e-14);
    expect(Math.abs(atLeastOnce(of(id)) - mean((ids) => Number(ids.includes(id))))).toBeLessThan(1e-14);
  });

  it("only the expected count makes Σ v/Q over the candidates Σ v over the classes", () => {
    const v = [2, -5, 11];
    const estimate = (Q: typeof mixedExpectedCount) =>
      mean((ids) => ids.reduce((sum, id) => sum + v[id] / Q(of(id)), 0));
    expect(Math.abs(estimate(mixedExpectedCount) - 8)).toBeLessThan(1e-13);
    expect(Math.abs(estimate(mixedProbability) - 8)).toBeGreaterThan(1);
    expect(Math.abs(estimate(atLeastOnce) - 8)).toBeGreaterThan(1);
  });
});

describe("mixed", () => {
  const counts = [6, 3, 1, 0, 2];
  const n = counts.length;
  const share = counts.map((count) => count / 12);
  const frequency = { kind: "given" } as const;
  const sampler = (spec: Omit<BatchSpec, "name">) =>
    statefulSamplerFrom(createStatefulState({ name: "mixed", frequency, ...spec }, n, { counts }));
  const [B, S] = [4, 3];
  const [ids, logQ] = [new Int32Array(B + S), new Float64Array(B + S)];
  const labelsOf = (random: TestRandom) =>
    Int32Array.from({ length: B }, () => {
      let u = random.uniform();
      let id = 0;
      while (id < n - 1 && u >= share[id]) u -= share[id++];
      return id;
    });

  it.each([
    ["uniform", { name: "uniform" }, () => 1 / n],
    ["uniform without replacement", { name: "uniform", replacement: false }, () => 1 / n],
    ["log-uniform", { name: "log-uniform" }, (id: number) => Math.log((id + 2) / (id + 1)) / Math.log(n + 1)],
    ["unigram", { name: "unigram", smoothing: 1 }, (id: number) => (counts[id] + 1) / (12 + n)],
  ] as const)(`states B·f + S·p, the mean count: z-bound, false alarms ${FALSE_ALARM} (%s)`, (_, extra, law) => {
    const one = sampler({ extra });
    const random = new TestRandom(1);
    const moments = new Moments(n);
    for (let step = 0; step < 4000; step++) {
      const draw = one.draw({ key: KEY, step, item: 0, S, labels: labelsOf(random), from: 0, to: B }, ids, logQ);
      const difference = share.map((mass, id) => {
        const Q = B * mass + S * law(id);
        expect(Math.abs(Math.exp(draw.logQ(id)) - Q)).toBeLessThan(1e-13);
        return -Q;
      });
      for (const id of ids) difference[id]++;
      moments.add(difference);
    }
    expectMean(moments, new Float64Array(n), { falseAlarmRate: FALSE_ALARM, absolute: 1e-12 });
  });

  it("takes S·p with the own label left out of the batch alone: (B − 1)·f + S·p", () => {
    const draw = sampler({ own: "left-out" }).draw(
      { key: KEY, step: 0, item: 0, S, labels: Int32Array.of(0, 1, 0, 4), from: 0, to: 4 },
      ids,
      logQ,
    );
    expect(Math.exp(draw.logQ(0))).toBeCloseTo(3 * 0.5 + S / n, 13);
    expect(Math.exp(draw.logQ(3))).toBeCloseTo(S / n, 13);
  });

  it(`draws its S by the law, and no step's like another's: chi-square, false alarms ${FALSE_ALARM}`, () => {
    const one = sampler({});
    const observed = new Array<number>(n).fill(0);
    const labels = Int32Array.of(0, 0, 0, 0);
    for (let step = 0; step < 3000; step++) {
      one.draw({ key: KEY, step, item: 0, S, labels, from: 0, to: B }, ids, logQ);
      expect([...ids.subarray(0, B)]).toEqual([...labels]);
      for (const id of ids.subarray(B)) observed[id]++;
    }
    expectChiSquare(observed, new Array(n).fill((3000 * S) / n), { falseAlarmRate: FALSE_ALARM });
  });

  it("gives classes mass that never are targets: an item without interactions can be a candidate", () => {
    const one = sampler({});
    const draw = one.draw({ key: KEY, step: 0, item: 0, S, labels: Int32Array.of(0), from: 0, to: 1 }, ids, logQ);
    expect(draw.logQ(3)).toBeCloseTo(Math.log(S / n), 14);
  });

  it("refuses laws without an S·p of their own, and S that cannot be drawn", () => {
    for (const extra of [
      { name: "given" },
      { name: "log-uniform", replacement: false },
      { name: "uniform", replacement: false, expectedCount: "tensorflow" },
      { name: "learned-unigram" },
    ]) {
      expect(() => sampler({ extra } as never)).toThrow(OptionError);
    }
    expect(() => sampler({}).requireDrawable(0)).toThrow(OptionError);
    expect(() => sampler({ batches: 3 })).toThrow(OptionError);
  });
});
