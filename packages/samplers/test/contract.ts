import { keyFromSeed, OptionError, SamplerError, ShapeError } from "@logq/core";
import { expectChiSquare, expectMean, Moments } from "@logq/testing";
import { describe, expect, it } from "vitest";
import {
  createSamplerState,
  type Draw,
  type DrawRequest,
  type Law,
  NO_IDS,
  type Sampler,
  type SamplerInputs,
  type SamplerSpec,
  samplerFrom,
} from "../src/index.js";

/** Share of honest runs in which a statistical test fails. Seeds are fixed: a test that passed once passes always. */
export const FALSE_ALARM = 1e-6;

export const KEY = keyFromSeed("samplers");

export interface ContractCase {
  readonly spec: SamplerSpec;
  readonly n: number;
  readonly S: number;
  readonly inputs?: SamplerInputs;
  /** Sorted ids for the draws that exclude. */
  readonly excluded: readonly number[];
  readonly repetitions: number;
}

/** A sampler with a law, and buffers for its draws. */
export class Bench {
  readonly sampler: Sampler;
  readonly law: Law;
  readonly S: number;
  readonly ids: Int32Array;
  readonly logQ: Float64Array;

  constructor(spec: SamplerSpec, n: number, S: number, inputs: SamplerInputs = {}) {
    this.sampler = samplerFrom(createSamplerState(spec, n, inputs));
    this.law = this.sampler.law!;
    this.S = S;
    this.ids = new Int32Array(S);
    this.logQ = new Float64Array(S);
  }

  draw(step: number, item = 0, excluded: Int32Array = NO_IDS): Draw {
    const request = { key: KEY, step, item, S: this.S };
    return this.sampler.drawExcluding(request, excluded, 0, excluded.length, this.ids, this.logQ);
  }
}

/** Every class's probability. */
export function probabilities(law: Law): number[] {
  return Array.from({ length: law.n }, (_, id) => law.probability(id));
}

/** Arbitrary values of the classes, of both signs, of which the estimates must find the sum. */
export function valuesOf(n: number): number[] {
  return Array.from({ length: n }, (_, id) => 1 + Math.sin(3 * id) * 1.5);
}

/** What every sampler that has a law promises, whatever the law. */
export function samplerContract(title: string, one: ContractCase): void {
  const { spec, n, S, repetitions } = one;
  const excluded = Int32Array.from(one.excluded);
  const make = (size = S) => new Bench(spec, n, size, one.inputs);
  const unbiased = spec.replacement !== false || spec.expectedCount !== "tensorflow";

  describe(`${title}, n = ${n}, S = ${S}`, () => {
    it("has a law that sums to 1 within 1e-12, with its logs and its support", () => {
      const { law } = make();
      const p = probabilities(law);
      expect(Math.abs(p.reduce((sum, value) => sum + value, 0) - 1)).toBeLessThan(1e-12);
      expect(law.support).toBe(p.filter((value) => value > 0).length);
      for (let id = 0; id < n; id++) {
        const wanted = Math.log(p[id]);
        const got = law.logProbability(id);
        expect(got === wanted || Math.abs(got - wanted) < 1e-13).toBe(true);
      }
    });

    it(`draws by its law: chi-square, false alarms ${FALSE_ALARM}`, () => {
      const bench = make();
      const { observed, total } = tally(bench, repetitions, NO_IDS);
      const expected = probabilities(bench.law).map((p) => p * total);
      expectChiSquare(observed, expected, { falseAlarmRate: FALSE_ALARM, name: title });
    });

    it(`draws by the conditional law when classes are excluded, and never those: chi-square, false alarms ${FALSE_ALARM}`, () => {
      const bench = make();
      const { observed, total } = tally(bench, repetitions, excluded);
      const p = probabilities(bench.law);
      for (const id of excluded) p[id] = 0;
      const mass = p.reduce((sum, value) => sum + value, 0);
      const expected = p.map((value) => (value / mass) * total);
      expectChiSquare(observed, expected, { falseAlarmRate: FALSE_ALARM, name: title });
    });

    it("writes the log Q that the Draw tells, and tells the same for targets unless they are excluded", () => {
      const bench = make();
      for (const list of [NO_IDS, excluded]) {
        const draw = bench.draw(3, 0, list);
        for (let i = 0; i < S; i++) expect(draw.logQ(bench.ids[i])).toBe(bench.logQ[i]);
        for (let id = 0; id < n; id++) {
          const isExcluded = list.includes(id);
          expect(draw.logQ(id)).toBe(isExcluded ? -Infinity : draw.targetLogQ(id));
          expect(draw.targetLogQ(id) > -Infinity).toBe(bench.law.probability(id) > 0);
        }
      }
    });

    if (unbiased)
      it(`makes Σ f/Q over candidates unbiased: z-bound, false alarms ${FALSE_ALARM}`, () => {
        const bench = make();
        const f = valuesOf(n);
        for (const list of [NO_IDS, excluded]) {
          const moments = new Moments(1);
          let exact = 0;
          for (let id = 0; id < n; id++) if (bench.law.probability(id) > 0 && !list.includes(id)) exact += f[id];
          for (let step = 0; step < repetitions; step++) {
            bench.draw(step, 1, list);
            let sum = 0;
            for (let i = 0; i < S; i++) sum += f[bench.ids[i]] / Math.exp(bench.logQ[i]);
            moments.add([sum]);
          }
          expectMean(moments, [exact], { falseAlarmRate: FALSE_ALARM, absolute: 1e-9 });
        }
      });

    if (unbiased)
      it(`states as mean Q the mean count of every class: z-bound, false alarms ${FALSE_ALARM}`, () => {
        const bench = make();
        for (const list of [NO_IDS, excluded]) {
          const moments = new Moments(n);
          const difference = new Float64Array(n);
          for (let step = 0; step < repetitions; step++) {
            const draw = bench.draw(step, 2, list);
            for (let id = 0; id < n; id++) difference[id] = -Math.exp(draw.logQ(id));
            for (let i = 0; i < S; i++) difference[bench.ids[i]]++;
            moments.add(difference);
          }
          expectMean(moments, new Float64Array(n), { falseAlarmRate: FALSE_ALARM, absolute: 1e-9 });
        }
      });

    it("gives distinct classes without replacement, in range always", () => {
      const bench = make();
      for (let step = 0; step < 50; step++) {
        bench.draw(step);
        for (const id of bench.ids) expect(id >= 0 && id < n).toBe(true);
        if (!bench.sampler.replacement) expect(new Set(bench.ids).size).toBe(S);
      }
    });

    it("answers the same draw for the same address, whatever was drawn before, and another for another", () => {
      const fresh = make();
      const used = make();
      for (let step = 0; step < 5; step++) used.draw(step, step, step % 2 ? excluded : NO_IDS);
      const snapshot = (bench: Bench, request: Partial<DrawRequest>) => {
        bench.sampler.draw({ key: KEY, step: 7, item: 3, S, ...request }, bench.ids, bench.logQ);
        return [...bench.ids, ...bench.logQ];
      };
      const first = snapshot(fresh, {});
      expect(snapshot(used, {})).toEqual(first);
      expect(snapshot(fresh, {})).toEqual(first);
      const far = [{ step: 8 }, { step: 7 + 2 ** 32 }, { item: 0 }, { item: 4 }, { key: keyFromSeed("another") }];
      if (S < mostDistinct(fresh)) for (const other of far) expect(snapshot(fresh, other)).not.toEqual(first);
    });

    it("writes at an offset and nowhere else", () => {
      const bench = make();
      bench.draw(1);
      const ids = new Int32Array(S + 5).fill(-7);
      const logQ = new Float64Array(S + 5).fill(-7);
      bench.sampler.draw({ key: KEY, step: 1, item: 0, S }, ids, logQ, 3);
      expect([...ids]).toEqual([-7, -7, -7, ...bench.ids, -7, -7]);
      expect([...logQ]).toEqual([-7, -7, -7, ...bench.logQ, -7, -7]);
    });

    it("draws the same in a thread that received its state", () => {
      const state = createSamplerState(spec, n, one.inputs);
      const here = make();
      here.draw(5);
      const ids = new Int32Array(S);
      const logQ = new Float64Array(S);
      samplerFrom(structuredClone(state)).draw({ key: KEY, step: 5, item: 0, S }, ids, logQ);
      expect(ids).toEqual(here.ids);
      expect(logQ).toEqual(here.logQ);
    });

    it("refuses S that is no count, buffers that are too short, and more classes than there are", () => {
      const bench = make();
      const draw = (size: number, at = 0) =>
        bench.sampler.draw({ key: KEY, step: 0, item: 0, S: size }, bench.ids, bench.logQ, at);
      for (const size of [0, -1, 1.5, Number.NaN, 2 ** 24 + 1]) {
        expect(() => draw(size)).toThrow(OptionError);
        expect(() => bench.sampler.requireDrawable(size)).toThrow(OptionError);
      }
      expect(() => draw(S, 1)).toThrow(ShapeError);
      if (bench.sampler.replacement) return;
      const { support } = bench.law;
      expect(() => draw(support + 1)).toThrow(SamplerError);
      expect(() => bench.sampler.requireDrawable(support + 1)).toThrow(
        expect.objectContaining({ values: expect.objectContaining({ S: support + 1, available: support, n }) }),
      );
      bench.sampler.requireDrawable(support);
    });

    if (spec.replacement === false)
      it("enumerates with log Q = 0 when all classes are drawn", () => {
        for (const list of [NO_IDS, excluded]) {
          const { law } = make();
          const all = Array.from({ length: n }, (_, id) => id).filter(
            (id) => law.probability(id) > 0 && !list.includes(id),
          );
          const bench = make(all.length);
          bench.draw(0, 0, list);
          expect([...bench.ids].sort((a, b) => a - b)).toEqual(all);
          for (const logQ of bench.logQ) expect(Math.abs(logQ)).toBeLessThan(1e-14);
        }
      });
  });
}

function mostDistinct(bench: Bench): number {
  return bench.sampler.replacement ? Infinity : bench.law.support;
}

/** Counts of independent draws of the law: all candidates with replacement, the first of each draw without. */
function tally(bench: Bench, repetitions: number, excluded: Int32Array): { observed: number[]; total: number } {
  const observed = new Array<number>(bench.law.n).fill(0);
  const used = bench.sampler.replacement ? bench.S : 1;
  for (let step = 0; step < repetitions; step++) {
    bench.draw(step, 0, excluded);
    for (let i = 0; i < used; i++) observed[bench.ids[i]]++;
  }
  return { observed, total: repetitions * used };
}
