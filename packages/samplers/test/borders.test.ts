import { ClassIdError, OptionError, SamplerError, ShapeError } from "@logq/core";
import { TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import {
  createSamplerState,
  frequencyOrder,
  HitFinder,
  LogUniformLaw,
  massOf,
  requireMass,
  requireRemainingMass,
  type SamplerSpec,
  samplerFrom,
  samplerStateBytes,
  validateHitOptions,
  validateSamplerSpec,
  writeExclusion,
} from "../src/index.js";
import { Bench, KEY } from "./contract.js";

describe("a sampler spec", () => {
  it("gets its defaults", () => {
    expect(validateSamplerSpec({ name: "unigram" })).toEqual({
      name: "unigram",
      replacement: true,
      distortion: 1,
      smoothing: 0,
      expectedCount: "exact",
    });
  });

  it("stays as it is when validated again", () => {
    for (const name of ["uniform", "log-uniform", "unigram", "given"] as const) {
      const valid = validateSamplerSpec({ name });
      expect(createSamplerState(valid, 1, { counts: [1], given: { S: 1, ids: [0] } }).spec).toEqual(valid);
    }
  });

  it.each<[string, unknown]>([
    ["an unknown name", { name: "zipf" }],
    ["an unknown field", { name: "uniform", replace: true }],
    ["a replacement that is no boolean", { name: "uniform", replacement: 1 }],
    ["a distortion below 0", { name: "unigram", distortion: -0.1 }],
    ["a distortion that is NaN", { name: "unigram", distortion: Number.NaN }],
    ["a smoothing below 0", { name: "unigram", smoothing: -1 }],
    ["an unknown expected count", { name: "uniform", expectedCount: "tf" }],
    ["a distortion of a law without counts", { name: "uniform", distortion: 0.75 }],
    ["a replacement of given candidates", { name: "given", replacement: false }],
    ["nothing", null],
  ])("refuses %s", (_title, spec) => {
    expect(() => validateSamplerSpec(spec as SamplerSpec)).toThrow(OptionError);
  });
});

describe("a sampler state", () => {
  it("needs counts for unigram and lists for given", () => {
    expect(() => createSamplerState({ name: "unigram" }, 2)).toThrow(OptionError);
    expect(() => createSamplerState({ name: "given" }, 2)).toThrow(OptionError);
  });

  it("shares its tables with the threads it is posted to, and takes the bytes it says", () => {
    const spec = { name: "unigram" } as const;
    const { unigram } = createSamplerState(spec, 3, { counts: [1, 2, 3] });
    const tables = [unigram!.probability, unigram!.threshold, unigram!.alias];
    expect(tables.every((table) => table.buffer instanceof SharedArrayBuffer)).toBe(true);
    expect(tables.reduce((sum, table) => sum + table.byteLength, 0)).toBe(samplerStateBytes(spec, 3));
    expect(samplerStateBytes({ name: "log-uniform" }, 1e9)).toBe(0);
  });
});

describe("given candidates", () => {
  const given = { S: 2, ids: [4, 0, 3, 3], logQ: [-1, -2, -3, -4], classLogQ: [-2, -Infinity, -5, -3, -1] };
  const sampler = samplerFrom(createSamplerState({ name: "given" }, 5, { given }));
  const ids = new Int32Array(2);
  const logQ = new Float64Array(2);
  const draw = (step: number) => sampler.draw({ key: KEY, step, item: 0, S: 2 }, ids, logQ);

  it("come list by list with the log Q that was given", () => {
    for (const step of [0, 1, 2, 3, 2 ** 40 + 1]) {
      const { S } = draw(step);
      expect([S, ...ids, ...logQ]).toEqual(step % 2 ? [2, 3, 3, -3, -4] : [2, 4, 0, -1, -2]);
    }
    expect([0, 1, 2].map((id) => draw(0).targetLogQ(id))).toEqual([-2, -Infinity, -5]);
  });

  it("cannot be drawn in another number or without some classes", () => {
    expect(() => sampler.requireDrawable(3)).toThrow(SamplerError);
    expect(() =>
      sampler.drawExcluding({ key: KEY, step: 0, item: 0, S: 2 }, Int32Array.of(1), 0, 1, ids, logQ),
    ).toThrow(SamplerError);
  });

  it.each([
    ["ids out of range", { ...given, ids: [4, 0, 3, 5] }, ClassIdError],
    ["ids that are no integers", { ...given, ids: [4, 0, 3, 0.5] }, ClassIdError],
    ["half a list", { ...given, ids: [4, 0, 3] }, OptionError],
    ["no list", { ...given, ids: [] }, OptionError],
    ["too few log Q", { ...given, logQ: [-1] }, ShapeError],
    ["a candidate that is never drawn", { ...given, logQ: [-1, -2, -Infinity, 0] }, SamplerError],
    ["a log Q that is NaN", { ...given, classLogQ: [0, 0, 0, Number.NaN, 0] }, SamplerError],
  ])("with %s are refused", (_title, lists, error) => {
    expect(() => createSamplerState({ name: "given" }, 5, { given: lists })).toThrow(error);
  });
});

describe("exclusion lists", () => {
  it("are sorted and distinct, whatever comes in", () => {
    const random = new TestRandom(5);
    for (let length = 0; length < 40; length++) {
      const ids = random.integers(length + 2, 20);
      const out = new Int32Array(50).fill(-9);
      const count = writeExclusion(out, 3, ids, 1, 1 + length);
      const wanted = [...new Set(ids.subarray(1, 1 + length))].sort((a, b) => a - b);
      expect([...out.subarray(3, 3 + count)]).toEqual(wanted);
      expect([...out.subarray(0, 3), ...out.subarray(3 + length)].every((value) => value === -9)).toBe(true);
    }
  });

  it("that leave less than 1e-4 of the law are refused, with what remains", () => {
    const bench = new Bench({ name: "unigram" }, 3, 2, { counts: [1e6, 10, 10] });
    expect(() => bench.draw(0, 0, Int32Array.of(0))).toThrow(SamplerError);
    bench.draw(0, 0, Int32Array.of(1, 2));
    expect([...bench.ids]).toEqual([0, 0]);
    const mass = massOf(bench.law, Int32Array.of(0, 1, 2), 0, 2);
    expect(() => requireRemainingMass(mass, 2)).toThrow(
      expect.objectContaining({ values: expect.objectContaining({ excludedCount: 2, minimum: 1e-4 }) }),
    );
  });

  it("of all classes are refused by every sampler", () => {
    for (const name of ["uniform", "log-uniform"] as const) {
      for (const replacement of [true, false]) {
        const bench = new Bench({ name, replacement }, 3, 1);
        expect(() => bench.draw(0, 0, Int32Array.of(0, 1, 2))).toThrow(SamplerError);
      }
    }
  });
});

describe("requireMass", () => {
  it("names the first target that the law never draws", () => {
    const { law } = new Bench({ name: "unigram" }, 4, 1, { counts: [1, 0, 2, 0] });
    requireMass(law, [0, 2, 2, 0]);
    requireMass(law, [1, 2, 3], 1, 2);
    expect(() => requireMass(law, [0, 3])).toThrow(
      expect.objectContaining({ code: "LOGQ_SAMPLER", values: { index: 1, id: 3, law: "unigram" } }),
    );
    for (const id of [-1, 4, 0.5, Number.NaN]) expect(() => requireMass(law, [id])).toThrow(ClassIdError);
  });
});

describe("HitFinder", () => {
  it("finds what comparing every candidate with every listed class finds, in row order", () => {
    const random = new TestRandom(9);
    const finder = new HitFinder();
    for (let round = 0; round < 60; round++) {
      const n = 1 + random.integer(30);
      const S = 1 + random.integer(100);
      const rows = random.integer(12);
      const ids = random.integers(S + 1, n);
      const offsets = [2];
      for (let row = 0; row < rows; row++) offsets.push(offsets[row] + random.integer(6));
      const listed = random.integers(offsets[rows] + 1, n + 1).map((id) => id - 1);
      finder.prepare(ids, S, 1);
      const middle = random.integer(rows + 1);
      for (const [from, to] of [
        [0, middle],
        [middle, rows],
      ]) {
        const wanted = new Set<string>();
        for (let row = from; row < to; row++) {
          for (const id of listed.subarray(offsets[row], offsets[row + 1])) {
            for (let c = 0; c < S; c++) if (ids[1 + c] === id) wanted.add(`${row},${c}`);
          }
        }
        const count = finder.find(offsets, listed, from, to);
        const found = Array.from({ length: count }, (_, i) => `${finder.rows[i]},${finder.positions[i]}`);
        expect(found).toEqual([...wanted]);
        expect([...finder.rows.subarray(0, count)]).toEqual([...finder.rows.subarray(0, count)].sort((a, b) => a - b));
      }
    }
  });
});

describe("hit options", () => {
  it("get their defaults and refuse contradictions", () => {
    expect(validateHitOptions({})).toEqual({ accidentalHits: "keep", exclude: "none" });
    expect(validateHitOptions({ exclude: "seen" })).toEqual({ accidentalHits: "remove", exclude: "seen" });
    expect(() => validateHitOptions({ exclude: "target", accidentalHits: "keep" })).toThrow(OptionError);
    expect(() => validateHitOptions({ exclude: "positives" as "seen" })).toThrow(OptionError);
  });
});

describe("frequencyOrder", () => {
  it("is Goodman and Kruskal's γ of pairs that the law draws, ties apart, within 0.01", () => {
    const random = new TestRandom(3);
    for (let n = 1; n < 16; n++) {
      const counts = random.integers(n, 6);
      const law = new LogUniformLaw(n);
      let right = 0;
      let wrong = 0;
      for (let i = 0; i < n; i++) {
        for (let j = i + 1; j < n; j++) {
          const weight = law.probability(i) * law.probability(j);
          if (counts[i] > counts[j]) right += weight;
          if (counts[i] < counts[j]) wrong += weight;
        }
      }
      const gamma = right + wrong === 0 ? 1 : (right - wrong) / (right + wrong);
      expect(Math.abs(frequencyOrder(counts).gamma - gamma)).toBeLessThan(0.01);
    }
  });

  it("tells sorted, roughly sorted and reversed large vocabularies apart", () => {
    const random = new TestRandom(4);
    const zipf = Float64Array.from({ length: 200000 }, (_, id) => 1 / (id + 1));
    expect(frequencyOrder(zipf)).toEqual({ gamma: 1, verdict: "sorted" });
    const noisy = zipf.map((count) => count * Math.exp(2 * random.normal()));
    expect(frequencyOrder(noisy).verdict).toBe("roughly");
    expect(frequencyOrder(zipf.sort())).toEqual({ gamma: -1, verdict: "unsorted" });
    expect(() => frequencyOrder([])).toThrow(expect.objectContaining({ code: "LOGQ_EMPTY_INPUT" }));
  });
});
