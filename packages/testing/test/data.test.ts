import { describe, expect, it } from "vitest";
import {
  AWKWARD_SIZES,
  chiSquareTest,
  crossSparsely,
  expectChiSquare,
  kolmogorovTest,
  normalCdf,
  SMALL_AWKWARD_SIZES,
  TestRandom,
} from "../src/index.js";

describe("awkward sizes", () => {
  it("hold the neighbours of 4, 8, 16 and 64, one, and a ragged end after several full steps", () => {
    for (const size of [1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 63, 64, 65, 129]) expect(AWKWARD_SIZES).toContain(size);
    for (const size of SMALL_AWKWARD_SIZES) expect(AWKWARD_SIZES).toContain(size);
  });
});

describe("crossSparsely", () => {
  const axes = { M: AWKWARD_SIZES, K: [1, 2, 3], accumulate: [false, true] };

  it("shows every value of every axis at least `rounds` times, in rounds · longest cases", () => {
    const cases = crossSparsely(axes, 3);
    expect(cases).toHaveLength(3 * AWKWARD_SIZES.length);
    for (const [name, values] of Object.entries(axes)) {
      for (const value of values) {
        const found = cases.filter((one) => one[name as keyof typeof axes] === value);
        expect(found.length).toBeGreaterThanOrEqual(3);
      }
    }
  });

  it("depends on the seed alone, and rounds differ", () => {
    expect(crossSparsely(axes, 2, 7)).toEqual(crossSparsely(axes, 2, 7));
    expect(crossSparsely(axes, 2, 7)).not.toEqual(crossSparsely(axes, 2, 8));
    const cases = crossSparsely(axes, 2, 7);
    expect(cases.slice(0, AWKWARD_SIZES.length)).not.toEqual(cases.slice(AWKWARD_SIZES.length));
  });
});

describe("TestRandom", () => {
  it("repeats for a seed and differs between seeds", () => {
    const words = (seed: number) =>
      Array.from(
        { length: 4 },
        (
          (random) => () =>
            random.word()
        )(new TestRandom(seed)),
      );
    expect(words(1)).toEqual(words(1));
    expect(words(1)).not.toEqual(words(2));
  });

  it("is mulberry32: its first words for seed 1 as the published code gives them", () => {
    const random = new TestRandom(1);
    expect([random.word(), random.word(), random.word()]).toEqual([2693262067, 11749833, 2265367787]);
  });

  it("draws uniforms and normals (false-alarm rate 1e-4 each)", () => {
    const random = new TestRandom(2);
    const uniforms = Array.from({ length: 4000 }, () => random.uniform(-1, 3));
    expect(kolmogorovTest(uniforms, (x) => (x + 1) / 4).pValue).toBeGreaterThan(1e-4);
    expect(kolmogorovTest(random.normalFloats(4000, 2), (x) => normalCdf(x / 2)).pValue).toBeGreaterThan(1e-4);
  });

  it("draws integers over all of [0, below) and only there (false-alarm rate 1e-4)", () => {
    const counts = new Float64Array(7);
    for (const value of new TestRandom(3).integers(7000, 7)) counts[value]!++;
    expect(chiSquareTest(counts, new Float64Array(7).fill(1000)).pValue).toBeGreaterThan(1e-4);
  });

  it("draws distinct integers, all of them if asked, and refuses more than there are", () => {
    const random = new TestRandom(4);
    expect([...random.distinctIntegers(9, 9)].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(new Set(random.distinctIntegers(50, 1000)).size).toBe(50);
    expect(() => random.distinctIntegers(4, 3)).toThrow(RangeError);
  });

  it("shuffles all 24 orders of four alike (false-alarm rate 1e-4)", () => {
    const random = new TestRandom(6);
    const counts = new Map<string, number>();
    for (let i = 0; i < 24_000; i++) {
      const order = random.shuffle([0, 1, 2, 3]).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    expectChiSquare([...counts.values()], new Float64Array(24).fill(1000), { falseAlarmRate: 1e-4 });
  });
});
