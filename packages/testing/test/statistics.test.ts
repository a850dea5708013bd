import { describe, expect, it } from "vitest";
import {
  binomialBounds,
  chiSquareTest,
  chiSquareUpperTail,
  expectAllClose,
  expectBinomial,
  expectChiSquare,
  expectMean,
  gammaP,
  gammaQ,
  kolmogorovTest,
  kolmogorovTwoSampleTest,
  kolmogorovUpperTail,
  logGamma,
  Moments,
  normalCdf,
  normalUpperTail,
  TestRandom,
  zBound,
} from "../src/index.js";

describe("gamma functions", () => {
  it("logGamma agrees with known values to 1e-13", () => {
    const x = [0.1, 0.5, 1.5, 10, 100];
    const known = [
      2.252712651734206,
      Math.log(Math.PI) / 2,
      Math.log(Math.sqrt(Math.PI) / 2),
      Math.log(362880),
      359.1342053695754,
    ];
    expectAllClose(x.map(logGamma), known, { relative: 1e-13 });
    expectAllClose([logGamma(1), logGamma(2)], [0, 0], { absolute: 1e-14 });
  });

  it("P(1, x) = 1 − e^−x, Q(2, x) = (1 + x)e^−x and P(1/2, 0.5) = erf(√½), to 1e-12", () => {
    const x = [0.01, 0.5, 1.9, 2.1, 5, 50];
    expectAllClose(
      x.map((value) => gammaP(1, value)),
      x.map((value) => -Math.expm1(-value)),
      { relative: 1e-12 },
    );
    expectAllClose(
      x.map((value) => gammaQ(2, value)),
      x.map((value) => (1 + value) * Math.exp(-value)),
      { relative: 1e-12 },
    );
    expectAllClose([gammaP(0.5, 0.5)], [0.6826894921370859], { relative: 1e-13 });
    expect(gammaP(3, 0)).toBe(0);
    expect(gammaQ(3, 0)).toBe(1);
  });

  it("P + Q = 1 on both sides of the change of expansion, also for 100,000 degrees", () => {
    for (const a of [0.5, 3, 50, 50_000]) {
      for (const share of [0.9, 0.999, 1.001, 1.1]) {
        expect(gammaP(a, a * share) + gammaQ(a, a * share)).toBeCloseTo(1, 11);
      }
      expect(Math.abs(gammaP(a, a + 1 - 1e-9) - gammaP(a, a + 1 + 1e-9))).toBeLessThan(1e-8);
    }
  });
});

describe("chi-square", () => {
  it.each([
    // Quantiles as printed in the NIST/SEMATECH handbook, table 1.3.6.7.4.
    [1, 3.841, 0.05],
    [5, 15.086, 0.01],
    [10, 18.307, 0.05],
    [50, 86.661, 0.001],
    [100, 149.449, 0.001],
    [100, 77.929, 0.95],
  ])("%d degrees: P(X > %d) = %d, to the table's 3 decimals", (degrees, quantile, tail) => {
    expect(chiSquareUpperTail(quantile - 0.0006, degrees)).toBeGreaterThan(tail);
    expect(chiSquareUpperTail(quantile + 0.0006, degrees)).toBeLessThan(tail);
  });

  it("computes Pearson's statistic", () => {
    const result = chiSquareTest([44, 56], [50, 50]);
    expect(result).toMatchObject({ degrees: 1, cells: 2 });
    expect(result.statistic).toBeCloseTo(1.44, 12);
    expect(result.pValue).toBeCloseTo(0.2301393404, 9);
  });

  it("merges small cells until each expects 5, and adds the rest to the last", () => {
    const { cells, statistic } = chiSquareTest([3, 2, 4, 1, 90], [2, 2, 2, 2, 92]);
    expect(cells).toBe(2);
    expect(statistic).toBeCloseTo((9 - 6) ** 2 / 6 + (91 - 94) ** 2 / 94, 12);
  });

  it("rejects a biased law and accepts the true one, 100,000 draws of 20 cells", () => {
    const random = new TestRandom(11);
    const counts = new Float64Array(20);
    for (let i = 0; i < 100_000; i++) counts[random.integer(20)]!++;
    const fair = new Float64Array(20).fill(5000);
    expectChiSquare(counts, fair, { falseAlarmRate: 1e-6 });
    const biased = fair.map((value, i) => (i === 7 ? value * 1.15 : value - (value * 0.15) / 19));
    expect(() => expectChiSquare(counts, biased, { falseAlarmRate: 1e-6, name: "draws" })).toThrow(
      /draws: chi-square .* furthest: \[7\]/,
    );
  });

  it("has uniform p-values under the hypothesis: 500 repetitions, false-alarm rate 1e-4", () => {
    const random = new TestRandom(5);
    const pValues = Array.from({ length: 500 }, () => {
      const counts = new Float64Array(10);
      for (let i = 0; i < 1000; i++) counts[random.integer(10)]!++;
      return chiSquareTest(counts, new Float64Array(10).fill(100)).pValue;
    });
    expect(kolmogorovTest(pValues, (p) => p).pValue).toBeGreaterThan(1e-4);
  });

  it("gives p = 0 when something impossible was drawn, even if its cell is merged away", () => {
    expect(chiSquareTest([50, 49, 1], [50, 50, 0]).pValue).toBe(0);
  });

  it("refuses counts that cannot be compared", () => {
    expect(() => chiSquareTest([10, 20], [10, 21])).toThrow("sum to 31");
    expect(() => chiSquareTest([10, 20], [30])).toThrow("2 observed cells");
    expect(() => chiSquareTest([2, 2], [2, 2])).toThrow("draw more");
    expect(() => chiSquareTest([10, 20], [Number.NaN, 20])).toThrow("sum to NaN");
  });
});

describe("normal and binomial bounds", () => {
  it("normalUpperTail agrees with known values to 1e-12, to 8 standard deviations", () => {
    const known = [0.5, 0.15865525393145707, 2.866515718791939e-7, 9.865876450376981e-10, 6.22096057427178e-16];
    expectAllClose([0, 1, 5, 6, 8].map(normalUpperTail), known, { relative: 1e-12 });
    expect(normalCdf(1) + normalCdf(-1)).toBeCloseTo(1, 14);
  });

  it("zBound inverts it: 1.959964 at 5%, 2.575829 at 1%, and shares the rate among comparisons", () => {
    expect(zBound(0.05)).toBeCloseTo(1.959963984540054, 10);
    expect(zBound(0.01)).toBeCloseTo(2.5758293035489, 10);
    expect(zBound(0.05, 5)).toBeCloseTo(zBound(0.01), 10);
    expect(() => zBound(0)).toThrow(RangeError);
  });

  it("binomialBounds fail less often than the rate, and not a hundred times less, by enumeration", () => {
    const trials = 200;
    const p = 0.1;
    const rate = 0.01;
    const { low, high } = binomialBounds(trials, p, rate);
    let outside = 0;
    for (let k = 0; k <= trials; k++) {
      const logChoose = logGamma(trials + 1) - logGamma(k + 1) - logGamma(trials - k + 1);
      if (k < low || k > high) outside += Math.exp(logChoose + k * Math.log(p) + (trials - k) * Math.log1p(-p));
    }
    expect(outside).toBeLessThan(rate);
    expect(outside).toBeGreaterThan(rate / 100);
  });

  it("binomialBounds hold at the ends: p = 0 and p = 1 allow one count only", () => {
    expect(binomialBounds(100, 0, 1e-6)).toEqual({ low: 0, high: 0 });
    expect(binomialBounds(100, 1, 1e-6)).toEqual({ low: 100, high: 100 });
    expect(binomialBounds(1000, 1e-4, 1e-6).low).toBe(0);
  });

  it("expectBinomial rejects a count just outside", () => {
    const { low, high } = binomialBounds(1000, 0.3, 1e-6);
    expectBinomial(low, 1000, 0.3, 1e-6);
    expectBinomial(high, 1000, 0.3, 1e-6);
    expect(() => expectBinomial(low - 1, 1000, 0.3, 1e-6)).toThrow("probability 0.3");
    expect(() => expectBinomial(high + 1, 1000, 0.3, 1e-6, 1, "dropped")).toThrow(/dropped: \d+ of 1000/);
  });
});

describe("Kolmogorov and Smirnov", () => {
  it("the limit law has its published critical points: 10% 1.2238, 5% 1.3581, 1% 1.6276", () => {
    expectAllClose([1.2238, 1.3581, 1.6276].map(kolmogorovUpperTail), [0.1, 0.05, 0.01], { relative: 1e-3 });
    expect(kolmogorovUpperTail(1 - 1e-12)).toBeCloseTo(kolmogorovUpperTail(1), 9);
    expect(kolmogorovUpperTail(0)).toBe(1);
    expect(kolmogorovUpperTail(0.05)).toBeCloseTo(1, 12);
  });

  it("finds D by hand: {0.1, 0.2, 0.9} against the uniform law is 0.4667", () => {
    expect(kolmogorovTest([0.9, 0.1, 0.2], (x) => x).statistic).toBeCloseTo(2 / 3 - 0.2, 12);
  });

  it("accepts the true law and rejects a shift of 0.1 standard deviations, 5,000 numbers", () => {
    const random = new TestRandom(3);
    const sample = Array.from({ length: 5000 }, () => random.normal());
    expect(kolmogorovTest(sample, normalCdf).pValue).toBeGreaterThan(1e-4);
    expect(kolmogorovTest(sample, (x) => normalCdf(x - 0.1)).pValue).toBeLessThan(1e-6);
  });

  it("compares two samples, ties included", () => {
    const random = new TestRandom(4);
    const a = Array.from({ length: 3000 }, () => random.integer(50));
    const b = Array.from({ length: 2000 }, () => random.integer(50));
    expect(kolmogorovTwoSampleTest(a, b).pValue).toBeGreaterThan(1e-4);
    expect(
      kolmogorovTwoSampleTest(
        a,
        b.map((x) => x * 1.2),
      ).pValue,
    ).toBeLessThan(1e-6);
    expect(kolmogorovTwoSampleTest([1, 1, 2], [1, 1, 2]).statistic).toBe(0);
  });
});

describe("Moments and expectMean", () => {
  it("agree with the two-pass formulas", () => {
    const moments = new Moments(2);
    for (const row of [
      [1, 1e9 + 1],
      [2, 1e9 + 2],
      [6, 1e9 + 3],
    ]) {
      moments.add(row);
    }
    expect([...moments.mean]).toEqual([3, 1e9 + 2]);
    expectAllClose(moments.variance(), [7, 1], { relative: 1e-12 });
    expectAllClose(moments.standardError(), [Math.sqrt(7 / 3), Math.sqrt(1 / 3)], { relative: 1e-12 });
    expect(moments.count).toBe(3);
    expect(() => moments.add([1])).toThrow("1 values, but 2");
  });

  it("accept the true means and reject one that is off by 0.2 standard deviations", () => {
    const random = new TestRandom(8);
    const moments = new Moments(10);
    for (let i = 0; i < 2000; i++) moments.add(random.normalFloats(10));
    const zeros = new Float64Array(10);
    expectMean(moments, zeros, { falseAlarmRate: 1e-6 });
    const wrong = zeros.with(4, 0.2);
    expect(() => expectMean(moments, wrong, { falseAlarmRate: 1e-6, name: "dH" })).toThrow(/dH: 1 of 10 .*\n {2}\[4\]/);
    expectMean(moments, wrong, { falseAlarmRate: 1e-6, absolute: 0.2 });
  });

  it("reject NaN and a single repetition, which has no standard error", () => {
    const moments = new Moments(1);
    moments.add([0]);
    expect(() => expectMean(moments, [0], { falseAlarmRate: 1e-6 })).toThrow("1 of 1");
    moments.add([Number.NaN]);
    expect(() => expectMean(moments, [0], { falseAlarmRate: 1e-6 })).toThrow("1 of 1");
  });
});
