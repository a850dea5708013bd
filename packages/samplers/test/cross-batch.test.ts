import { keyFromSeed, OptionError, SamplerError } from "@logq/core";
import { expectMean, Moments, TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { type BatchSpec, createStatefulState, statefulSamplerFrom } from "../src/stateful/index.js";

const FALSE_ALARM = 1e-6;
const KEY = keyFromSeed("cross-batch");
const counts = [6, 3, 1];
const f = [0.6, 0.3, 0.1];

class Crossed {
  readonly sampler;
  readonly ids = new Int32Array(64);
  readonly logQ = new Float64Array(64);

  constructor(spec: Partial<BatchSpec>, given: ArrayLike<number> = counts) {
    const whole: BatchSpec = { name: "cross-batch", frequency: { kind: "given" }, batches: 3, labels: 4, ...spec };
    this.sampler = statefulSamplerFrom(createStatefulState(whole, given.length, { counts: given }));
  }

  draw(labels: ArrayLike<number>) {
    const targets = Int32Array.from(labels);
    const step = this.sampler.nextStep;
    const request = { key: KEY, step, item: 0, S: 0, labels: targets, from: 0, to: targets.length };
    return this.sampler.draw(request, this.ids, this.logQ);
  }

  candidates(labels: ArrayLike<number>): number[] {
    return [...this.ids.subarray(0, this.draw(labels).S)];
  }

  observe(labels: ArrayLike<number>): void {
    this.sampler.observe(this.sampler.nextStep, Int32Array.from(labels), 0, labels.length);
  }
}

describe("the ring", () => {
  it("hands out the batch's own targets, then the last M batches, oldest first, whatever their sizes, round and round", () => {
    const classes = new Array(50).fill(1);
    const crossed = new Crossed({}, classes);
    const kept: number[][] = [];
    for (let step = 0; step < 20; step++) {
      const batch = Array.from({ length: step % 5 }, (_, i) => (3 * step + i) % 50);
      expect(crossed.candidates([49, 48])).toEqual([49, 48, ...kept.slice(-3).flat()]);
      expect(crossed.sampler.count(0, 2)).toBe(2 + kept.slice(-3).flat().length);
      crossed.observe(batch);
      kept.push(batch);
    }
    expect(crossed.sampler.most(0, 2)).toBe(2 + 3 * 4);
  });

  it("is as it was after a batch that does not fit", () => {
    const crossed = new Crossed({});
    crossed.observe([0, 1]);
    const before = crossed.sampler.exportState();
    expect(() => crossed.observe([0, 1, 2, 0, 1])).toThrow(SamplerError);
    expect(crossed.sampler.exportState()).toEqual(before);
  });

  it("goes on from a saved state at every place of the ring", () => {
    const random = new TestRandom(1);
    const whole = new Crossed({});
    for (let step = 0; step < 9; step++) {
      const resumed = new Crossed({});
      resumed.sampler.importState(structuredClone(whole.sampler.exportState()));
      const batches = Array.from({ length: 4 }, () => random.integers(1 + random.integer(4), 3));
      const other = new Crossed({});
      other.sampler.importState(whole.sampler.exportState());
      for (const batch of batches) {
        expect(resumed.candidates(batch)).toEqual(other.candidates(batch));
        for (const one of [resumed, other]) one.observe(batch);
      }
      whole.observe(batches[0]);
    }
  });
});

describe("the expected count", () => {
  it.each([0, 1, 2, 3, 7])(
    `is (B + held)·f after %i batches, M·B·f of the ring when it is full: z-bound, false alarms ${FALSE_ALARM}`,
    (before) => {
      const B = 4;
      const random = new TestRandom(2);
      const batch = () =>
        Array.from({ length: B }, () => {
          const u = random.uniform();
          return u < 0.6 ? 0 : u < 0.9 ? 1 : 2;
        });
      const moments = new Moments(3);
      const Q = f.map((share) => share * B * (1 + Math.min(3, before)));
      for (let k = 0; k < 2000; k++) {
        const crossed = new Crossed({});
        for (let step = 0; step < before; step++) crossed.observe(batch());
        const draw = crossed.draw(batch());
        const count = [0, 0, 0];
        for (let i = 0; i < draw.S; i++) count[crossed.ids[i]]++;
        for (let id = 0; id < 3; id++) expect(Math.abs(Math.exp(draw.logQ(id)) - Q[id])).toBeLessThan(1e-12);
        moments.add(count);
      }
      expectMean(moments, Q, { falseAlarmRate: FALSE_ALARM });
    },
  );

  it("of the ring alone, where a batch of one leaves itself out", () => {
    const crossed = new Crossed({ own: "left-out" });
    crossed.observe([0, 1, 1]);
    expect(Math.exp(crossed.draw([2]).logQ(1))).toBeCloseTo(3 * 0.3, 13);
  });
});

describe("cross-batch borders", () => {
  it.each([
    ["no number of batches", { batches: undefined }],
    ["no batch", { batches: 0 }],
    ["a share of a batch", { batches: 1.5 }],
    ["no labels", { labels: 0 }],
    ["more than 2^24 ids", { batches: 2 ** 13, labels: 2 ** 12 }],
    ["a law of draws", { extra: { name: "uniform" } }],
  ])("%s is an OptionError", (_, spec) => {
    expect(() => new Crossed(spec as never)).toThrow(OptionError);
  });

  it("refuses a saved ring with ids or lengths that cannot be", () => {
    const crossed = new Crossed({});
    crossed.observe([0, 1]);
    for (const [array, index, value] of [
      ["ring.ids", 0, 3],
      ["ring.ids", 0, -1],
      ["ring.lengths", 0, 5],
      ["ring.clock", 0, 3],
      ["ring.clock", 1, 3],
      ["frequency.value", 0, Number.NaN],
    ] as const) {
      const saved = crossed.sampler.exportState();
      saved.arrays[array][index] = value;
      expect(() => crossed.sampler.importState(saved)).toThrow();
    }
    expect(crossed.candidates([2])).toEqual([2, 0, 1]);
  });
});
