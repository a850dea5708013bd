import { keyFromSeed, NotFiniteError, OptionError, RandomStream, SamplerError, ShapeError, STREAM } from "@logq/core";
import { expectMean, Moments, softmax, TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { createSamplerState, samplerFrom } from "../src/index.js";
import { drawSystematically, hardest, resample } from "../src/stateful/index.js";

const FALSE_ALARM = 1e-6;
const KEY = keyFromSeed("hard");

describe("hardest", () => {
  it.each([
    [1, 1],
    [2, 1],
    [7, 7],
    [50, 3],
    [257, 100],
  ])("is the head of the whole sort, of %i entries the first %i, with many ties", (P, m) => {
    const random = new TestRandom(P);
    const [rows, ld] = [6, P + 3];
    const pool = random.distinctIntegers(P, 4 * P);
    const logits = Float32Array.from({ length: rows * ld }, () => random.integer(9) - 4);
    const { positions } = hardest(logits, rows, ld, pool, m);
    for (let row = 0; row < rows; row++) {
      const sorted = Array.from({ length: P }, (_, k) => k).sort(
        (a, b) => logits[row * ld + b] - logits[row * ld + a] || pool[a] - pool[b],
      );
      expect([...positions.subarray(row * m, (row + 1) * m)]).toEqual(sorted.slice(0, m));
    }
  });

  it("takes the lower id of equals, then the earlier position, and −∞ last", () => {
    const logits = [1, -Infinity, 1, 2, 1, -Infinity];
    const pool = Int32Array.of(9, 0, 4, 7, 4, 1);
    expect([...hardest(logits, 1, 6, pool, 6).positions]).toEqual([3, 2, 4, 0, 1, 5]);
  });

  it("says that it is biased and has no log Q", () => {
    const buffer = new Int32Array(2);
    const answer = hardest([0, 1, 2], 1, 3, Int32Array.of(0, 1, 2), 2, buffer);
    expect(answer).toEqual({ biased: true, hasLogQ: false, positions: Int32Array.of(2, 1) });
    expect(answer.positions).toBe(buffer);
  });

  it("refuses m out of range, buffers that are too short and logits that are none", () => {
    const pool = Int32Array.of(0, 1, 2);
    expect(() => hardest([0, 1, 2], 1, 3, pool, 0)).toThrow(OptionError);
    expect(() => hardest([0, 1, 2], 1, 3, pool, 4)).toThrow(OptionError);
    expect(() => hardest([0, 1, 2], 1, 2, pool, 1)).toThrow(OptionError);
    expect(() => hardest([0, 1, 2], 2, 3, pool, 1)).toThrow(ShapeError);
    expect(() => hardest([0, 1, 2], 1, 3, pool, 2, new Int32Array(1))).toThrow(ShapeError);
    expect(() => hardest([0, Number.NaN, 2], 1, 3, pool, 1)).toThrow(NotFiniteError);
    expect(() => hardest([0, 1, Infinity], 1, 3, pool, 1)).toThrow(NotFiniteError);
  });
});

describe("two passes", () => {
  const n = 4;
  const q = [0.4, 0.3, 0.2, 0.1];
  const z = [0.5, -1, 2, 1];
  const Z = z.reduce((sum, value) => sum + Math.exp(value), 0);
  const values = [3, -2, 7, 1];

  /** Every pool of `size` draws from q. */
  function* pools(size: number): Generator<{ ids: number[]; probability: number }> {
    for (let code = 0; code < n ** size; code++) {
      const ids = Array.from({ length: size }, (_, k) => Math.floor(code / n ** k) % n);
      yield { ids, probability: ids.reduce((product, id) => product * q[id], 1) };
    }
  }

  const second = (ids: number[], S: number, uniform: number) => {
    const positions = new Int32Array(S);
    const logQ = new Float64Array(S);
    const poolLogQ = ids.map((id) => Math.log(ids.length * q[id]));
    const answer = resample(
      ids.map((id) => z[id]),
      poolLogQ,
      S,
      uniform,
      positions,
      logQ,
    );
    return { ...answer, positions, logQ };
  };

  /** Means over all pools of a size and, given each, over one draw of the second pass by its own weights. */
  function means(size: number) {
    let [normaliser, sum] = [0, 0];
    const [count, stated] = [new Float64Array(n), new Float64Array(n)];
    for (const { ids, probability } of pools(size)) {
      const weights = ids.map((id) => Math.exp(z[id]) / (size * q[id]));
      const total = weights.reduce((a, b) => a + b, 0);
      const { logNormaliser, effectiveSize } = second(ids, 1, 0);
      expect(Math.exp(logNormaliser)).toBeCloseTo(total, 12);
      expect(effectiveSize).toBeCloseTo(total ** 2 / weights.reduce((a, b) => a + b * b, 0), 12);
      normaliser += probability * Math.exp(logNormaliser);
      let below = 0;
      for (const [k, weight] of weights.entries()) {
        // A uniform from the middle of the cell of entry k.
        const { positions, logQ } = second(ids, 1, (below + weight / 2) / total);
        expect(positions[0]).toBe(k);
        below += weight;
        const share = (probability * weight) / total;
        sum += (share * values[ids[k]]) / Math.exp(logQ[0]);
        count[ids[k]] += share;
      }
      for (let id = 0; id < n; id++) stated[id] += probability * Math.exp(z[id] - logNormaliser);
    }
    return { normaliser, sum, count, stated };
  }

  it("makes the normaliser and every Σ v/Q unbiased for any pool, by enumeration, to 1e-12", () => {
    for (const size of [1, 2, 5]) {
      const { normaliser, sum } = means(size);
      expect(Math.abs(normaliser - Z)).toBeLessThan(1e-12);
      expect(Math.abs(sum - values.reduce((a, b) => a + b, 0))).toBeLessThan(1e-12);
    }
  });

  it("states a Q that is not the mean count: both miss the softmax, less with a larger pool", () => {
    const p = softmax(z);
    const distance = (a: ArrayLike<number>) => p.reduce((sum, value, id) => sum + Math.abs(a[id] - value), 0);
    const [two, six] = [means(2), means(6)];
    expect(distance(two.count)).toBeGreaterThan(0.1);
    expect(distance(six.count)).toBeLessThan(0.5 * distance(two.count));
    expect(distance(six.stated)).toBeLessThan(0.5 * distance(two.stated));
    const apart = two.count.map((value, id) => Math.abs(value - two.stated[id]));
    expect(Math.max(...apart)).toBeGreaterThan(0.05);
  });

  it.each([1, 2, 7, 64, 3000])(
    "takes each of %i its expected count, rounded up or down, and on average exactly",
    (S) => {
      const ids = [2, 0, 0, 3, 1];
      const uniforms = Array.from({ length: 500 }, (_, i) => (i + 0.5) / 500);
      const sums = new Float64Array(5);
      let expected: number[] = [];
      for (const uniform of uniforms) {
        const { positions, logNormaliser } = second(ids, S, uniform);
        expected = ids.map((id) => (S * Math.exp(z[id] - logNormaliser)) / (5 * q[id]));
        const counts = expected.map((_, k) => positions.filter((position) => position === k).length);
        for (const [k, count] of counts.entries()) {
          expect(Math.abs(count - expected[k])).toBeLessThan(1);
          sums[k] += count / uniforms.length;
        }
        expect(counts.reduce((a, b) => a + b, 0)).toBe(S);
      }
      // Of 500 equally spaced uniforms at most one falls on the wrong side of each end of an entry.
      for (const [k, value] of expected.entries()) expect(Math.abs(sums[k] - value)).toBeLessThan(2 / 500);
    },
  );

  it("is the law of strided weights in place, worth what one says", () => {
    const weights = Float32Array.of(9, 1, 9, 0, 9, 3, 9);
    expect(drawSystematically(weights, 1, 2, 3, 8, 0.5, 0.25, 0.5)).toBe(8);
    expect([...weights]).toEqual([9, 1, 9, 0, 9, 3, 9]);
    expect(drawSystematically(weights, 1, 2, 3, 2, 2, 0.75, 1)).toBe(2);
    expect([...weights]).toEqual([9, 0, 9, 0, 9, 2, 9]);
  });

  it(`behind a sampler: the gradient of log Ẑ tends to the softmax, and Σ 1/Q to n: z-bound, false alarms ${FALSE_ALARM}`, () => {
    const classes = 200;
    const pool = 400;
    const counts = Array.from({ length: classes }, (_, id) => 1000 / (id + 1));
    const random = new TestRandom(3);
    const logits = Array.from({ length: classes }, () => random.normal());
    const sampler = samplerFrom(createSamplerState({ name: "unigram", smoothing: 5 }, classes, { counts }));
    const [ids, poolLogQ] = [new Int32Array(pool), new Float64Array(pool)];
    const [positions, logQ] = [new Int32Array(64), new Float64Array(64)];
    const moments = new Moments(1);
    const taken = new Float64Array(classes);
    for (let step = 0; step < 2000; step++) {
      sampler.draw({ key: KEY, step, item: 0, S: pool }, ids, poolLogQ);
      const uniform = new RandomStream(KEY, STREAM.measurement, step, 1).uniform(0);
      const z = Array.from(ids, (id) => logits[id]);
      resample(z, poolLogQ, 64, uniform, positions, logQ);
      moments.add([logQ.reduce((sum, value) => sum + Math.exp(-value), 0)]);
      for (const position of positions) taken[ids[position]] += 1 / (64 * 2000);
    }
    expectMean(moments, [classes], { falseAlarmRate: FALSE_ALARM });
    const p = softmax(logits);
    expect(p.reduce((sum, value, id) => sum + Math.abs(taken[id] - value), 0)).toBeLessThan(0.05);
  });

  it.each([
    [0, [1, 3, 3]],
    [0.5, [1, 3, 3]],
    [1 - 2 ** -53, [3, 3, 3]],
  ])("never takes an entry of logit −∞, also with the uniform %f", (uniform, expected) => {
    const positions = new Int32Array(3);
    const logQ = new Float64Array(3);
    resample([-Infinity, 3, -Infinity, 800, -Infinity], [0, 1, 2, 797, 4], 3, uniform, positions, logQ);
    expect([...positions]).toEqual(expected);
    expect(logQ.every(Number.isFinite)).toBe(true);
  });

  it("refuses pools, uniforms and buffers it cannot work with", () => {
    const [positions, logQ] = [new Int32Array(1), new Float64Array(1)];
    expect(() => resample([], [], 1, 0, positions, logQ)).toThrow(OptionError);
    expect(() => resample([1], [0], 0, 0, positions, logQ)).toThrow(OptionError);
    expect(() => resample([1], [0], 1, 1, positions, logQ)).toThrow(OptionError);
    expect(() => resample([1, 2], [0], 1, 0, positions, logQ)).toThrow(ShapeError);
    expect(() => resample([1], [0], 2, 0, positions, logQ)).toThrow(ShapeError);
    expect(() => resample([Number.NaN], [0], 1, 0, positions, logQ)).toThrow(NotFiniteError);
    expect(() => resample([1], [-Infinity], 1, 0, positions, logQ)).toThrow(NotFiniteError);
    expect(() => resample([-Infinity], [0], 1, 0, positions, logQ)).toThrow(SamplerError);
  });
});
