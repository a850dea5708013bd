import { NotFiniteError, SamplerError, ShapeError } from "@logq/core";
import { AWKWARD_SIZES } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { createSamplerState, type Law, LogUniformLaw, samplerFrom, UniformLaw } from "../src/index.js";

const LARGEST = 2 ** 31 - 1;
/** The greatest uniform of 53 bits. */
const ALMOST_ONE = 1 - 2 ** -53;

function unigram(counts: ArrayLike<number>, distortion = 1, smoothing = 0): Law {
  const spec = { name: "unigram", distortion, smoothing } as const;
  return samplerFrom(createSamplerState(spec, counts.length, { counts })).law!;
}

describe("every law", () => {
  it.each([...AWKWARD_SIZES, 1e6, 2 ** 30, 2 ** 30 + 1, LARGEST])(
    "answers ids in [0, n) at both ends of the uniforms, n = %i",
    (n) => {
      const laws: Law[] = [new UniformLaw(n), new LogUniformLaw(n)];
      if (n <= 1000) laws.push(unigram(Array.from({ length: n }, (_, i) => i + 1)));
      for (const law of laws) {
        for (const u1 of [0, 2 ** -53, 0.5, ALMOST_ONE]) {
          for (const u2 of [0, ALMOST_ONE]) {
            const id = law.draw(u1, u2);
            expect(Number.isInteger(id) && id >= 0 && id < n).toBe(true);
          }
        }
      }
    },
  );

  it("has probability 1 and log 0 for the only class", () => {
    for (const law of [new UniformLaw(1), new LogUniformLaw(1), unigram([3])]) {
      expect([law.probability(0), law.logProbability(0), law.draw(ALMOST_ONE, ALMOST_ONE)]).toEqual([1, 0, 0]);
    }
  });
});

describe("log-uniform", () => {
  it("is TensorFlow's p(c) = log((c + 2)/(c + 1))/log(n + 1) to 1e-13", () => {
    const law = new LogUniformLaw(1000);
    for (let c = 0; c < 1000; c++) {
      const wanted = Math.log((c + 2) / (c + 1)) / Math.log(1001);
      expect(Math.abs(law.probability(c) / wanted - 1)).toBeLessThan(1e-12);
    }
  });

  it("gives class c the uniforms from log(c + 1)/log(n + 1) to log(c + 2)/log(n + 1), to 1e-12", () => {
    const law = new LogUniformLaw(1000);
    for (const c of [0, 1, 2, 10, 500, 999]) {
      expect(law.draw(Math.log(c + 1) / Math.log(1001) + 1e-12, 0)).toBe(c);
      expect(law.draw(Math.log(c + 2) / Math.log(1001) - 1e-12, 0)).toBe(c);
    }
  });

  it("keeps all digits of rare classes: relative error below 1e-15 at n = 2^31 − 1", () => {
    const law = new LogUniformLaw(LARGEST);
    const x = 1 / LARGEST;
    const wanted = (x - x ** 2 / 2 + x ** 3 / 3) / Math.log(2 ** 31);
    expect(Math.abs(law.probability(LARGEST - 1) / wanted - 1)).toBeLessThan(1e-15);
    expect(Math.abs(law.logProbability(LARGEST - 1) - Math.log(wanted))).toBeLessThan(1e-14);
  });
});

describe("unigram", () => {
  const counts = [5, 0, 1, 100, 20];

  it("is count^distortion over its sum, to 1e-15", () => {
    for (const distortion of [0.5, 0.75, 1, 2]) {
      const law = unigram(counts, distortion);
      const total = counts.reduce((sum, count) => sum + count ** distortion, 0);
      counts.forEach((count, id) => {
        expect(Math.abs(law.probability(id) - count ** distortion / total)).toBeLessThan(1e-15);
      });
    }
  });

  it("is uniform at distortion 0, over all classes, those that never occur too", () => {
    const law = unigram(counts, 0);
    expect(counts.map((_, id) => law.probability(id))).toEqual(counts.map(() => 0.2));
    expect(law.support).toBe(5);
    expect(unigram([0, 0], 0).support).toBe(2);
  });

  it("adds smoothing before the exponent", () => {
    const law = unigram(counts, 2, 3);
    expect(Math.abs(law.probability(1) - 9 / (64 + 9 + 16 + 103 ** 2 + 23 ** 2))).toBeLessThan(1e-15);
    expect(law.support).toBe(5);
  });

  it("bears counts from 1e-300 to 1e300 without overflow: what is negligible has no mass and is never drawn", () => {
    const law = unigram([1e300, 1e-300, 1e300, 5e-324]);
    expect([0, 1, 2, 3].map((id) => law.probability(id))).toEqual([0.5, 0, 0.5, 0]);
    expect(law.support).toBe(2);
    expect(law.logProbability(1)).toBe(-Infinity);
    for (let i = 0; i < 1000; i++) expect(law.draw(i / 1000, ALMOST_ONE) % 2).toBe(0);
  });

  it("refuses counts that are NaN, infinite or negative, too few, or all zero", () => {
    expect(() => unigram([1, Number.NaN])).toThrow(NotFiniteError);
    expect(() => unigram([1, Infinity])).toThrow(NotFiniteError);
    expect(() => unigram([1, -2])).toThrow(expect.objectContaining({ values: { index: 1, value: -2 } }));
    expect(() => unigram([0, 0])).toThrow(SamplerError);
    expect(() => createSamplerState({ name: "unigram" }, 3, { counts: [1, 2] })).toThrow(ShapeError);
    expect(unigram([0, 0], 1, 0.1).support).toBe(2);
  });
});
