import { expectChiSquare, kolmogorovTest, normalCdf } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { philox, RandomStream, STREAM, stepLow, streamWord, uniform53 } from "../src/index.js";

const KEY = { low: 0xdeadbeef, high: 0x01234567 };

describe("uniform53", () => {
  it("is in [0, 1): 0 from zeros, 1 − 2^−53 from ones, and uses 27 + 26 bits", () => {
    expect(uniform53(0, 0)).toBe(0);
    expect(uniform53(0xffffffff, 0xffffffff)).toBe(1 - 2 ** -53);
    expect(uniform53(0x80000000, 0)).toBe(0.5);
    expect(uniform53(0x20, 0)).toBe(2 ** -27);
    expect(uniform53(0, 0x40)).toBe(2 ** -53);
    expect(uniform53(0x1f, 0x3f)).toBe(0);
  });

  it("takes signed words as unsigned", () => {
    expect(uniform53(-1, -1)).toBe(1 - 2 ** -53);
  });
});

describe("stream numbers", () => {
  it("never change: they are part of the meaning of a seed", () => {
    expect(STREAM).toMatchObject({
      initialise: 1,
      epochOrder: 2,
      candidates: 3,
      rowCandidates: 4,
      dropout: 5,
      syntheticTruth: 6,
      syntheticExamples: 7,
      split: 8,
      exponentialClocks: 9,
      probe: 10,
      measurement: 11,
      rounding: 12,
    });
  });

  it("are distinct and fit 8 bits", () => {
    const numbers = Object.values(STREAM);
    expect(new Set(numbers).size).toBe(numbers.length);
    for (const number of numbers) expect(number).toBeLessThan(256);
  });

  it("and steps make two counter words: stream above, bits 32 to 55 of the step below, the rest apart", () => {
    expect(streamWord(STREAM.dropout, 0)).toBe(0x05000000);
    expect(streamWord(STREAM.dropout, 2 ** 32 - 1)).toBe(0x05000000);
    expect(streamWord(STREAM.dropout, 2 ** 32)).toBe(0x05000001);
    expect(streamWord(STREAM.dropout, 2 ** 53 - 1)).toBe(0x051fffff);
    expect(stepLow(2 ** 32 + 9)).toBe(9);
    expect(stepLow(2 ** 53 - 1)).toBe(0xffffffff);
  });
});

describe("RandomStream", () => {
  it("is Philox at (block, item, step low, stream | step high)", () => {
    const step = 2 ** 33 + 4;
    const words = new Uint32Array(4);
    philox(KEY, 7, 99, 4, (STREAM.candidates << 24) | 2, words);
    const stream = new RandomStream(KEY, STREAM.candidates, step, 99);
    expect(stream.uniform(14)).toBe(uniform53(words[0]!, words[1]!));
    expect(stream.uniform(15)).toBe(uniform53(words[2]!, words[3]!));
  });

  it("does not depend on the order of calls, or on who asks", () => {
    const stream = new RandomStream(KEY, STREAM.candidates, 3, 1);
    const forward = Array.from({ length: 100 }, (_, i) => stream.uniform(i));
    const backward = Array.from({ length: 100 }, (_, i) => stream.uniform(99 - i)).reverse();
    stream.normal(5);
    const again = new RandomStream(KEY, STREAM.candidates, 3, 1);
    expect(backward).toEqual(forward);
    expect(again.uniform(42)).toBe(forward[42]);
  });

  it.each([0, 1, 2, 3, 8, 101])("fillUniform writes %d uniforms as `uniform` gives them, and no more", (count) => {
    const stream = new RandomStream(KEY, STREAM.split, 0, 5);
    for (const first of [0, 2, 1000]) {
      const out = new Float64Array(count + 2).fill(-1);
      stream.fillUniform(out, count, first);
      const expected = Array.from({ length: count }, (_, i) => stream.uniform(first + i));
      expect([...out]).toEqual([...expected, -1, -1]);
    }
  });

  it("differs between keys, streams, steps and items", () => {
    const draw = (key = KEY, stream = STREAM.candidates as 3 | 4, step = 1, item = 1) =>
      new RandomStream(key, stream, step, item).uniform(0);
    const all = [
      draw(),
      draw({ low: KEY.low ^ 1, high: KEY.high }),
      draw({ low: KEY.low, high: KEY.high ^ 1 }),
      draw(KEY, STREAM.rowCandidates),
      draw(KEY, STREAM.candidates, 2),
      draw(KEY, STREAM.candidates, 1 + 2 ** 32),
      draw(KEY, STREAM.candidates, 1, 2),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  it("uniforms are uniform along indices, items and steps: KS of 20,000 each (false-alarm rate 1e-4)", () => {
    const count = 20_000;
    const along = [
      (i: number) => new RandomStream(KEY, STREAM.candidates).uniform(i),
      (i: number) => new RandomStream(KEY, STREAM.candidates, 0, i).uniform(0),
      (i: number) => new RandomStream(KEY, STREAM.candidates, i).uniform(1),
    ];
    for (const draw of along) {
      const sample = Array.from({ length: count }, (_, i) => draw(i));
      expect(kolmogorovTest(sample, (x) => x).pValue).toBeGreaterThan(1e-4);
    }
  });

  it("neighbouring uniforms are independent: 16 x 16 cells of pairs (false-alarm rate 1e-4)", () => {
    const stream = new RandomStream(KEY, STREAM.candidates);
    const counts = new Float64Array(256);
    const pairs = 50_000;
    for (let i = 0; i < pairs; i++)
      counts[16 * Math.floor(16 * stream.uniform(i)) + Math.floor(16 * stream.uniform(i + 1))]!++;
    expectChiSquare(counts, new Float64Array(256).fill(pairs / 256), { falseAlarmRate: 1e-4 });
  });

  it("normals are normal and neighbours uncorrelated: 20,000 (false-alarm rate 1e-4)", () => {
    const stream = new RandomStream(KEY, STREAM.initialise, 0, 12);
    const count = 20_000;
    const sample = Array.from({ length: count }, (_, i) => stream.normal(i));
    expect(sample.every(Number.isFinite)).toBe(true);
    expect(kolmogorovTest(sample, normalCdf).pValue).toBeGreaterThan(1e-4);
    const product = sample.reduce((sum, x, i) => sum + x * (sample[i + 1] ?? 0), 0);
    expect(Math.abs(product)).toBeLessThan(4 * Math.sqrt(count));
  });
});
