/** Mistakes that other software shipped, each with the test that would have found it here. */
import { keyFromSeed, MissingLogQError, OptionError, SamplerError } from "@logq/core";
import { expectChiSquare, TestRandom, zBound } from "@logq/testing";
import { describe, expect, it } from "vitest";
import {
  createSamplerState,
  frequencyOrder,
  HitFinder,
  MAX_CLASSES,
  requireMass,
  type SamplerSpec,
  samplerFrom,
} from "../src/index.js";
import { Bench, FALSE_ALARM, KEY, probabilities } from "./contract.js";

const counts = [40, 30, 20, 5, 3, 1, 1];
const laws: SamplerSpec[] = [{ name: "uniform" }, { name: "log-uniform" }, { name: "unigram", distortion: 0.75 }];

describe("MXNet: an expected count without its factor S", () => {
  it.each(laws)("twice the candidates are twice the count: log Q rises by log 2 to 1e-14 ($name)", (spec) => {
    const logQ = (S: number) => new Bench(spec, 7, S, { counts }).draw(0).logQ(4);
    for (const S of [1, 3, 500]) expect(Math.abs(logQ(2 * S) - logQ(S) - Math.LN2)).toBeLessThan(1e-14);
  });
});

describe("Transformers4Rec: truncation of sorted distinct candidates kept the most frequent classes", () => {
  it.each(laws)(
    `each place of a distinct draw follows successive sampling, the first the law itself ($name)`,
    (spec) => {
      const repetitions = 20000;
      const bench = new Bench({ ...spec, replacement: false }, 7, 4, { counts });
      const p = probabilities(bench.law);
      const places = [0, 1].map(() => new Array<number>(7).fill(0));
      for (let step = 0; step < repetitions; step++) {
        bench.draw(step);
        for (const place of [0, 1]) places[place][bench.ids[place]]++;
      }
      const second = p.map((value, id) =>
        p.reduce((sum, first, other) => (other === id ? sum : sum + (first * value) / (1 - first)), 0),
      );
      for (const [place, law] of [p, second].entries()) {
        expectChiSquare(
          places[place],
          law.map((value) => value * repetitions),
          { falseAlarmRate: FALSE_ALARM, name: `place ${place}` },
        );
      }
    },
  );
});

describe("Merlin: a popularity sampler without log Q", () => {
  it("every sampler with a law writes a finite log Q for every candidate", () => {
    for (const spec of laws) {
      for (const replacement of [true, false]) {
        const bench = new Bench({ ...spec, replacement }, 7, 4, { counts });
        bench.draw(0);
        expect(bench.sampler.hasLogQ && bench.sampler.hasTargetLogQ).toBe(true);
        expect(bench.logQ.every(Number.isFinite)).toBe(true);
      }
    }
  });

  it("given candidates without log Q say so, write NaN and refuse to correct a target", () => {
    const sampler = samplerFrom(createSamplerState({ name: "given" }, 7, { given: { S: 2, ids: [1, 5] } }));
    const logQ = new Float64Array(2);
    const draw = sampler.draw({ key: KEY, step: 0, item: 0, S: 2 }, new Int32Array(2), logQ);
    expect([sampler.hasLogQ, sampler.hasTargetLogQ]).toEqual([false, false]);
    expect([...logQ]).toEqual([Number.NaN, Number.NaN]);
    expect(() => draw.targetLogQ(3)).toThrow(MissingLogQError);
  });
});

describe("Merlin: log-uniform on ids that are not sorted by frequency", () => {
  it("is told by the order of the counts", () => {
    const zipf = Array.from({ length: 1000 }, (_, id) => Math.ceil(1e5 / (id + 1)));
    expect(frequencyOrder(zipf).verdict).toBe("sorted");
    expect(frequencyOrder(new TestRandom(1).shuffle([...zipf])).verdict).toBe("unsorted");
  });
});

describe("TensorFlow: duplicates of a target survived the removal of hits", () => {
  it("every occurrence of a target among candidates drawn with replacement is found", () => {
    const bench = new Bench({ name: "unigram" }, 7, 200, { counts });
    bench.draw(0);
    const hits = new HitFinder();
    hits.prepare(bench.ids, 200);
    const occurrences = [...bench.ids].filter((id) => id === 1).length;
    expect(occurrences).toBeGreaterThan(30);
    expect(hits.find([0, 1], Int32Array.of(1), 0, 1)).toBe(occurrences);
  });
});

describe("TensorFlow: the reservation of random numbers overflowed at 1,048,576 candidates", () => {
  it.each([2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1])(
    "%i candidates repeat no more than chance: z-bound, false alarms 1e-6",
    (S) => {
      const n = MAX_CLASSES;
      const bench = new Bench({ name: "uniform" }, n, S);
      bench.draw(0);
      const repeats = S - distinct(bench.ids);
      const expected = (S * (S - 1)) / (2 * n);
      expect(Math.abs(repeats - expected)).toBeLessThan(zBound(FALSE_ALARM) * Math.sqrt(expected) + 1);
    },
  );

  it("1,048,577 distinct candidates of 2^31 − 1 classes are distinct, by either law", () => {
    const S = 2 ** 20 + 1;
    for (const name of ["uniform", "log-uniform"] as const) {
      const bench = new Bench({ name, replacement: false }, MAX_CLASSES, S);
      bench.draw(0);
      expect(distinct(bench.ids)).toBe(S);
      expect(bench.ids.every((id) => id >= 0 && id < MAX_CLASSES)).toBe(true);
      expect(bench.logQ.every((logQ) => logQ <= 0 && logQ > -Infinity)).toBe(true);
    }
  }, 180_000);
});

describe("TensorFlow: aborts and endless loops on bad sizes", () => {
  it("more classes than int32 ids, more candidates than classes, and targets out of range are refused by name", () => {
    expect(() => createSamplerState({ name: "uniform" }, 2 ** 31)).toThrow(OptionError);
    expect(() => createSamplerState({ name: "uniform" }, 0)).toThrow(OptionError);
    const bench = new Bench({ name: "log-uniform", replacement: false }, 3, 4);
    expect(() => bench.draw(0)).toThrow(SamplerError);
    expect(() => requireMass(bench.law, [0, 3])).toThrow(expect.objectContaining({ code: "LOGQ_CLASS_ID" }));
  });

  it("a law with all mass in one class still gives distinct candidates", () => {
    const bench = new Bench({ name: "unigram", replacement: false }, 5, 4, {
      counts: [1, 1e-280, 1e-100, 1e-50, 1e-200],
    });
    const draw = bench.draw(0);
    expect(draw.continued).toBe(true);
    expect([...bench.ids]).toEqual([0, 3, 2, 4]);
    expect(draw.logQ(1)).toBeLessThan(-100);
    const like = new Bench({ name: "unigram", replacement: false, expectedCount: "tensorflow" }, 5, 4, {
      counts: [1, 1e-280, 1e-100, 1e-50, 1e-200],
    });
    like.draw(0);
    expect([...like.ids]).toEqual([0, 3, 2, 4]);
    expect(like.logQ.every((logQ) => logQ <= 0 && logQ > -Infinity)).toBe(true);
  });
});

describe("gensim and word2vec ports: a seed that does not settle the draw", () => {
  it("two samplers made apart draw the same, and the text of a number is the same seed", () => {
    const draw = (seed: number | string) => {
      const bench = new Bench({ name: "log-uniform" }, 1e6, 50);
      bench.sampler.draw({ key: keyFromSeed(seed), step: 3, item: 0, S: 50 }, bench.ids, bench.logQ);
      return [...bench.ids];
    };
    expect(draw(12)).toEqual(draw("12"));
    expect(draw(12)).not.toEqual(draw(13));
  });
});

/** How many different ids; sorts them. */
function distinct(ids: Int32Array): number {
  ids.sort();
  let count = 0;
  for (let i = 0; i < ids.length; i++) if (i === 0 || ids[i] !== ids[i - 1]) count++;
  return count;
}
