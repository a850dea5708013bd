import { SamplerError } from "@logq/core";
import { expectBinomial, expectChiSquare, expectMean, Moments } from "@logq/testing";
import { describe, expect, it } from "vitest";
import type { SamplerSpec } from "../src/index.js";
import { Bench, FALSE_ALARM, probabilities, valuesOf } from "./contract.js";
import { inclusions, orders } from "./enumeration.js";

const exact: SamplerSpec = { name: "unigram", replacement: false };
const tensorflow: SamplerSpec = { ...exact, expectedCount: "tensorflow" };
const mild = [10, 7, 4, 2, 1, 1];
/** n + 4S tries hardly ever bring three classes: the draw must be continued. */
const steep = [1e6, 10, 4, 2, 1, 1];

describe.each([
  ["tries suffice", mild, false],
  ["tries give out and clocks continue", steep, true],
])("S distinct classes one after the other, where %s", (_title, counts, continued) => {
  const S = 3;
  const repetitions = 40000;
  const bench = new Bench(exact, counts.length, S, { counts });
  const p = probabilities(bench.law);

  it(`come in the order of successive sampling: chi-square over all 120 orders, false alarms ${FALSE_ALARM}`, () => {
    const all = orders(p, S);
    const place = new Map(all.map((order, i) => [order.ids.join(), i]));
    const observed = new Array<number>(all.length).fill(0);
    let continuations = 0;
    for (let step = 0; step < repetitions; step++) {
      if (bench.draw(step).continued) continuations++;
      observed[place.get([...bench.ids].join())!]++;
    }
    expect(continuations / repetitions > 0.99).toBe(continued);
    expectChiSquare(
      observed,
      all.map((order) => order.probability * repetitions),
      { falseAlarmRate: FALSE_ALARM },
    );
  });

  it(`are included as often as enumeration says, and Q says so on average: false alarms ${FALSE_ALARM}`, () => {
    const wanted = inclusions(p, S);
    const hits = new Array<number>(p.length).fill(0);
    const moments = new Moments(p.length);
    for (let step = 0; step < repetitions; step++) {
      const draw = bench.draw(step, 1);
      for (const id of bench.ids) hits[id]++;
      moments.add(p.map((_, id) => Math.exp(draw.logQ(id))));
    }
    for (const [id, count] of hits.entries()) {
      expectBinomial(count, repetitions, wanted[id], FALSE_ALARM, p.length, `class ${id}`);
    }
    expectMean(moments, wanted, { falseAlarmRate: FALSE_ALARM, absolute: 1e-12 });
  });

  it.each([[[]], [[1]], [[2, 4]]])(
    `without classes %j need the tries of the coupon collector on average (TensorFlow's T): z-bound, false alarms ${FALSE_ALARM}`,
    (excluded) => {
      const left = p.map((value, id) => (excluded.includes(id) ? 0 : value));
      const mass = left.reduce((sum, value) => sum + value, 0);
      const conditional = left.map((value) => value / mass);
      const wanted = orders(conditional, S).reduce((sum, order) => sum + order.probability * order.tries, 0);
      const like = new Bench(tensorflow, counts.length, S, { counts });
      const moments = new Moments(1);
      for (let step = 0; step < repetitions / 4; step++) {
        const draw = like.draw(step, 0, Int32Array.from(excluded));
        // T is read off the Q of a class that is not sure: Q = 1 − (1 − p)^T, or p·S at T = S.
        const Q = Math.exp(draw.logQ(5));
        const shortcut = Math.abs(Q / (conditional[5] * S) - 1) < 1e-9;
        moments.add([shortcut ? S : Math.log1p(-Q) / Math.log1p(-conditional[5])]);
      }
      expectMean(moments, [wanted], { falseAlarmRate: FALSE_ALARM, absolute: 1e-6 * wanted });
    },
  );
});

describe("expected counts without replacement", () => {
  it("are TensorFlow's to 1e-14: 1 − (1 − p)^T for T > S tries, p·S when T = S, for the same candidates as the exact ones", () => {
    const n = 1000;
    const S = 20;
    const like = new Bench({ name: "log-uniform", replacement: false, expectedCount: "tensorflow" }, n, S);
    const honest = new Bench({ name: "log-uniform", replacement: false }, n, S);
    let shortcuts = 0;
    for (let step = 0; step < 300; step++) {
      const draw = like.draw(step);
      const T = draw.tries;
      honest.draw(step);
      expect(honest.ids).toEqual(like.ids);
      if (T === S) shortcuts++;
      for (const id of [0, 1, 500, 999]) {
        const p = Math.log((id + 2) / (id + 1)) / Math.log(n + 1);
        const wanted = T === S ? p * S : 1 - (1 - p) ** T;
        expect(Math.abs(Math.exp(draw.logQ(id)) / wanted - 1)).toBeLessThan(1e-12);
      }
    }
    expect(shortcuts).toBeGreaterThan(0);
    expect(shortcuts).toBeLessThan(300);
  });

  it("as TensorFlow states them bias Σ f/Q by more than 3 %, 5 standard errors and more", () => {
    const bench = new Bench(tensorflow, mild.length, 3, { counts: mild });
    const f = valuesOf(mild.length);
    const exactSum = f.reduce((a, b) => a + b, 0);
    const moments = new Moments(1);
    for (let step = 0; step < 40000; step++) {
      bench.draw(step);
      let sum = 0;
      for (let i = 0; i < 3; i++) sum += f[bench.ids[i]] / Math.exp(bench.logQ[i]);
      moments.add([sum]);
    }
    const bias = Math.abs(moments.mean[0] - exactSum);
    expect(bias / exactSum).toBeGreaterThan(0.03);
    expect(bias / moments.standardError()[0]).toBeGreaterThan(5);
  });

  it("never exceed 1, nor does a log Q exceed 0", () => {
    const bench = new Bench(exact, steep.length, 5, { counts: steep });
    for (let step = 0; step < 1000; step++) {
      bench.draw(step);
      for (const logQ of bench.logQ) expect(logQ <= 0 && logQ > -Infinity).toBe(true);
    }
  });
});

describe("uniform without replacement", () => {
  it(`draws every subset equally often, for each S of n = 6: chi-square, false alarms ${FALSE_ALARM}`, () => {
    for (const S of [1, 2, 3, 4, 5]) {
      const bench = new Bench({ name: "uniform", replacement: false }, 6, S);
      const observed = new Array<number>(64).fill(0);
      for (let step = 0; step < 10000; step++) {
        bench.draw(step);
        observed[bench.ids.reduce((set, id) => set | (1 << id), 0)]++;
      }
      const sets = observed.filter((_, set) => bits(set) === S);
      expect(sets.reduce((a, b) => a + b, 0)).toBe(10000);
      expectChiSquare(
        sets,
        sets.map(() => 10000 / sets.length),
        { falseAlarmRate: FALSE_ALARM },
      );
    }
  });

  it("has Q = S/n to 1e-15, and S/(n − |A|) when A is excluded, all but one class included", () => {
    const bench = new Bench({ name: "uniform", replacement: false }, 1000, 10);
    bench.draw(0);
    expect(Math.abs(Math.exp(bench.logQ[0]) / 0.01 - 1)).toBeLessThan(1e-14);
    bench.draw(
      0,
      0,
      Int32Array.from({ length: 980 }, (_, i) => i + 7),
    );
    expect(Math.abs(Math.exp(bench.logQ[9]) / 0.5 - 1)).toBeLessThan(1e-14);
    const last = new Bench({ name: "uniform" }, 1000, 4);
    last.draw(
      0,
      0,
      Int32Array.from({ length: 999 }, (_, i) => (i < 600 ? i : i + 1)),
    );
    expect([...last.ids]).toEqual([600, 600, 600, 600]);
    expect(Math.abs(last.logQ[0] - Math.log(4))).toBeLessThan(1e-14);
  });
});

describe("classes without mass", () => {
  it("do not count among those that can be drawn", () => {
    const bench = new Bench(exact, 5, 3, { counts: [0, 4, 0, 2, 0] });
    expect(() => bench.draw(0)).toThrow(SamplerError);
    const two = new Bench(exact, 5, 2, { counts: [0, 4, 0, 2, 0] });
    const draw = two.draw(0);
    expect([...two.ids]).toEqual([1, 3]);
    expect([0, 1, 2].map((id) => draw.targetLogQ(id))).toEqual([-Infinity, 0, -Infinity]);
  });
});

function bits(set: number): number {
  return set.toString(2).replaceAll("0", "").length;
}
