/** What learns from observed targets: estimators of frequency, and what every stateful sampler promises. */
import { ClassIdError, keyFromSeed, OptionError, SamplerError, ShapeError } from "@logq/core";
import { expectMean, Moments, TestRandom, zBound } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { Decay } from "../src/stateful/decay.js";
import {
  createFrequencyTables,
  createStatefulState,
  type FrequencyEstimator,
  type FrequencySpec,
  frequencyFrom,
  type StatefulSpec,
  statefulSamplerFrom,
  statefulStateBytes,
} from "../src/stateful/index.js";
import { Slots } from "../src/stateful/slots.js";

const FALSE_ALARM = 1e-6;
const KEY = keyFromSeed("stateful");

function zipf(n: number, exponent = 1): number[] {
  const weights = Array.from({ length: n }, (_, id) => (id + 1) ** -exponent);
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

/** Draws batches of targets from a law. */
class Stream {
  readonly #random: TestRandom;
  readonly #running: number[];

  constructor(seed: number, law: readonly number[]) {
    this.#random = new TestRandom(seed);
    let sum = 0;
    this.#running = law.map((p) => (sum += p));
    this.#running[law.length - 1] = 1;
  }

  batch(B: number): Int32Array {
    return Int32Array.from({ length: B }, () => {
      const u = this.#random.uniform();
      return this.#running.findIndex((sum) => u < sum);
    });
  }
}

function estimator(spec: FrequencySpec, n: number | null, counts?: number[]): FrequencyEstimator {
  return frequencyFrom(createFrequencyTables(spec, n, counts));
}

function feed(target: FrequencyEstimator, stream: Stream, B: number, steps: number): void {
  for (let k = 0; k < steps; k++) target.observe(target.nextStep, stream.batch(B), 0, B);
}

describe("decay", () => {
  it("is (1 − α)^k by squaring, to 1e-13, and 1 for no step", () => {
    const decay = new Decay(0.01);
    expect(decay.after(0)).toBe(1);
    for (const k of [1, 2, 3, 10, 1000, 4095]) expect(Math.abs(decay.after(k) / 0.99 ** k - 1)).toBeLessThan(1e-13);
    expect(decay.after(2 ** 50)).toBe(0);
    expect(new Decay(1).after(1)).toBe(0);
  });
});

describe("average: the moving average of multiplicities", () => {
  it("equals the average computed for every class at every step, to 1e-12", () => {
    const [n, B, rate] = [30, 7, 0.05];
    const lazy = estimator({ kind: "average", rate, floor: 0 }, n);
    const stream = new Stream(1, zipf(n));
    const eager = new Float64Array(n);
    let M = 0;
    for (let step = 0; step < 200; step++) {
      const size = 1 + (step % B);
      const ids = stream.batch(size);
      lazy.observe(step, ids, 0, size);
      for (let id = 0; id < n; id++) eager[id] *= 1 - rate;
      for (const id of ids) eager[id] += rate;
      M = M * (1 - rate) + rate * size;
      for (let id = 0; id < n; id++) expect(Math.abs(lazy.share(id) - eager[id] / M)).toBeLessThan(1e-12);
    }
    const sum = Array.from({ length: n }, (_, id) => lazy.share(id)).reduce((a, b) => a + b, 0);
    expect(Math.abs(sum - 1)).toBeLessThan(1e-12);
  });

  it.each([1, 5, 60])(`has the share as its mean after %i steps: z-bound, false alarms ${FALSE_ALARM}`, (steps) => {
    const law = zipf(6);
    const moments = new Moments(6);
    const stream = new Stream(2, law);
    for (let k = 0; k < 2000; k++) {
      const one = estimator({ kind: "average", rate: 0.1, floor: 0 }, 6);
      feed(one, stream, 8, steps);
      moments.add(law.map((_, id) => one.share(id)));
    }
    expectMean(moments, law, { falseAlarmRate: FALSE_ALARM, absolute: 1e-12 });
  });

  it(`converges on a Zipf stream to within its standard error √(α/(2−α)·f(1−f)/B): z-bound, false alarms ${FALSE_ALARM}`, () => {
    const [n, B, rate] = [1000, 64, 0.005];
    const law = zipf(n);
    const one = estimator({ kind: "average", rate }, n);
    feed(one, new Stream(3, law), B, 1500);
    const z = zBound(FALSE_ALARM, 50);
    for (let id = 0; id < 50; id++) {
      const error = Math.sqrt(((rate / (2 - rate)) * law[id] * (1 - law[id])) / B);
      expect(Math.abs(one.share(id) - law[id])).toBeLessThan(z * error);
      expect(one.expectedCount(id, B)).toBe(B * one.share(id));
    }
  });

  it("never says less than the floor, and 1/n before anything was seen", () => {
    const one = estimator({ kind: "average", rate: 0.5, floor: 0.01 }, 50);
    expect(one.share(3)).toBe(1 / 50);
    one.observe(0, Int32Array.of(3), 0, 1);
    for (let step = 1; step < 40; step++) one.observe(step, Int32Array.of(1), 0, 1);
    expect([one.share(3), one.share(7)]).toEqual([0.01, 0.01]);
    expect(one.share(1)).toBeGreaterThan(0.99);
  });

  it("forgets steps that were skipped as if nothing had come in them", () => {
    const [a, b] = [0, 1].map(() => estimator({ kind: "average", rate: 0.1, floor: 0 }, 4));
    for (const one of [a, b]) one.observe(0, Int32Array.of(1, 2), 0, 2);
    for (let step = 1; step < 9; step++) a.observe(step, Int32Array.of(), 0, 0);
    for (const one of [a, b]) one.observe(9, Int32Array.of(2), 0, 1);
    for (const id of [0, 1, 2]) expect(Math.abs(a.share(id) - b.share(id))).toBeLessThan(1e-14);
  });
});

describe("streaming (Yi et al. 2019): the moving average of gaps", () => {
  it("follows δ ← (1 − α)·δ + α·gap by hand", () => {
    const one = estimator({ kind: "streaming", rate: 0.25 }, 3);
    for (const [step, id] of [0, 1, 0, 1, 1, 0].entries()) one.observe(step, Int32Array.of(id), 0, 1);
    // Class 0 in steps 0, 2, 5; class 1 in steps 1, 3, 4; class 2 never, in 6 steps.
    expect(one.expectedCount(0, 1)).toBeCloseTo(1 / (0.75 * (0.75 * 1 + 0.25 * 2) + 0.25 * 3), 14);
    expect(one.expectedCount(1, 1)).toBeCloseTo(1 / (0.75 * (0.75 * 2 + 0.25 * 2) + 0.25 * 1), 14);
    expect(one.expectedCount(2, 1)).toBe(1 / 7);
  });

  it(`has the mean gap as the mean of δ, to 3% beside noise: z-bound, false alarms ${FALSE_ALARM}`, () => {
    const [n, B, steps] = [8, 4, 300];
    const law = zipf(n);
    const gaps = law.map((f) => 1 / (1 - (1 - f) ** B));
    const stream = new Stream(4, law);
    const moments = new Moments(n);
    for (let k = 0; k < 400; k++) {
      const one = estimator({ kind: "streaming", rate: 0.05 }, n);
      feed(one, stream, B, steps);
      moments.add(gaps.map((gap, id) => 1 / one.expectedCount(id, B) / gap));
    }
    expectMean(moments, new Array(n).fill(1), { falseAlarmRate: FALSE_ALARM, absolute: 0.03 });
  });

  it("saturates at one a batch, where the average of multiplicities does not", () => {
    const [B, steps] = [64, 400];
    const law = [0.5, 0.3, 0.1, 0.1];
    const [streaming, average] = (["streaming", "average"] as const).map((kind) => {
      const one = estimator({ kind, rate: 0.02 }, 4);
      feed(one, new Stream(5, law), B, steps);
      return one;
    });
    expect(streaming.expectedCount(0, B)).toBe(1);
    expect(streaming.expectedCount(1, B)).toBe(1);
    expect(average.expectedCount(0, B)).toBeGreaterThan(30);
    expect(Math.abs(average.expectedCount(0, B) / 32 - 1)).toBeLessThan(0.05);
    expect(Math.abs(average.expectedCount(2, B) / 6.4 - 1)).toBeLessThan(0.15);
  });

  it("counts a class that comes twice in a batch once", () => {
    const [once, twice] = [0, 1].map(() => estimator({ kind: "streaming", rate: 0.5 }, 3));
    for (let step = 0; step < 5; step++) {
      once.observe(step, Int32Array.of(0, 1, 1), 0, 3);
      twice.observe(step, Int32Array.of(0, 0, 1), 0, 3);
    }
    for (const id of [0, 1]) expect(once.share(id)).toBe(twice.share(id));
  });

  it.each(["average", "streaming"] as const)("%s follows a law that changes", (kind) => {
    const one = estimator({ kind, rate: 0.05 }, 10);
    const early = zipf(10);
    feed(one, new Stream(6, early), 4, 600);
    expect(one.share(0) > one.share(9)).toBe(true);
    feed(one, new Stream(7, early.toReversed()), 4, 600);
    expect(one.share(0) < one.share(9)).toBe(true);
  });
});

describe("hash arrays", () => {
  it("spread ids over slots, each array in its own way, within its own range", () => {
    const slots = new Slots(97, 3, true);
    const used = [0, 1, 2].map((array) => new Set(Array.from({ length: 3000 }, (_, id) => slots.of(id, array))));
    for (const [array, set] of used.entries()) {
      expect(set.size).toBe(97);
      for (const slot of set) expect(slot >= 97 * array && slot < 97 * (array + 1)).toBe(true);
    }
    const together = Array.from({ length: 3000 }, (_, id) => id).filter(
      (id) => slots.of(id, 0) === slots.of(0, 0) && slots.of(id, 1) - 97 === slots.of(0, 1) - 97,
    );
    expect(together.length).toBeLessThan(5);
  });

  it("average never says less than with a slot for each class, and errs less with more arrays", () => {
    const n = 400;
    const law = zipf(n);
    const make = (spec: Partial<FrequencySpec>, m: number | null = n) => {
      const one = estimator({ kind: "average", rate: 0.01, floor: 0, ...spec }, m);
      feed(one, new Stream(8, law), 32, 500);
      return one;
    };
    const exact = make({});
    const error = (one: FrequencyEstimator) => {
      let sum = 0;
      for (let id = 0; id < n; id++) {
        expect(one.share(id)).toBeGreaterThanOrEqual(exact.share(id) * (1 - 1e-12));
        sum += one.share(id) - exact.share(id);
      }
      return sum;
    };
    const errors = [1, 2, 4].map((arrays) => error(make({ slots: 300, arrays }, null)));
    expect(errors[1]).toBeLessThan(0.7 * errors[0]);
    expect(errors[2]).toBeLessThan(0.7 * errors[1]);
  });

  it("streaming takes the longest gap: with arrays enough, nearly that of the class alone", () => {
    const law = zipf(50);
    const [exact, one, many] = [{}, { slots: 100, arrays: 1 }, { slots: 100, arrays: 6 }].map((spec) => {
      const made = estimator({ kind: "streaming", rate: 0.05, ...spec }, 50);
      feed(made, new Stream(9, law), 2, 2000);
      return made;
    });
    const errors = [one, many].map((made) =>
      law.reduce((sum, _, id) => sum + Math.abs(Math.log(made.share(id) / exact.share(id))), 0),
    );
    expect(errors[1]).toBeLessThan(0.2 * errors[0]);
  });

  it("take ids of an open set", () => {
    const one = estimator({ kind: "average", slots: 64 }, null);
    one.observe(0, Int32Array.of(2 ** 31 - 1, 0), 0, 2);
    expect(one.share(2 ** 31 - 1)).toBeCloseTo(0.5, 12);
    expect(() => one.observe(1, Int32Array.of(-1), 0, 1)).toThrow(ClassIdError);
  });
});

describe("given", () => {
  it("is the smoothed share of the counts, whatever is observed", () => {
    const one = estimator({ kind: "given", smoothing: 1 }, 3, [5, 0, 2]);
    for (let step = 0; step < 3; step++) one.observe(step, Int32Array.of(1, 1), 0, 2);
    expect([0, 1, 2].map((id) => one.share(id))).toEqual([6 / 10, 1 / 10, 3 / 10]);
    expect(one.expectedCount(2, 20)).toBe(6);
  });

  it("refuses to observe a class without mass", () => {
    const one = estimator({ kind: "given" }, 2, [1, 0]);
    const before = one.exportState();
    expect(() => one.observe(5, Int32Array.of(1), 0, 1)).toThrow(SamplerError);
    expect(one.exportState()).toEqual(before);
  });
});

describe("bad options of a frequency", () => {
  const bad: [string, unknown, number | null][] = [
    ["an unknown kind", { kind: "exact" }, 5],
    ["an unknown field", { kind: "average", alpha: 0.1 }, 5],
    ["a rate of 0", { kind: "average", rate: 0 }, 5],
    ["a rate above 1", { kind: "streaming", rate: 1.5 }, 5],
    ["a rate that is no number", { kind: "streaming", rate: Number.NaN }, 5],
    ["an open set without slots", { kind: "average" }, null],
    ["arrays without slots", { kind: "average", arrays: 2 }, 5],
    ["no slots", { kind: "average", slots: 0 }, 5],
    ["a floor above 1", { kind: "average", floor: 2 }, 5],
    ["a rate for given counts", { kind: "given", rate: 0.1 }, 5],
    ["smoothing of what is not given", { kind: "average", smoothing: 1 }, 5],
    ["given without counts", { kind: "given" }, 5],
    ["no classes", { kind: "average" }, 0],
    ["no object", null, 5],
  ];
  it.each(bad)("%s is an OptionError", (_, spec, n) => {
    expect(() => createFrequencyTables(spec as FrequencySpec, n)).toThrow(OptionError);
  });

  it("counts that are too few, negative or all 0 are refused", () => {
    expect(() => estimator({ kind: "given" }, 3, [1, 2])).toThrow(ShapeError);
    expect(() => estimator({ kind: "given" }, 3, [1, -2, 1])).toThrow(SamplerError);
    expect(() => estimator({ kind: "given" }, 3, [0, 0, 0])).toThrow(SamplerError);
  });
});

const n = 40;
const B = 6;
const counts = Array.from({ length: n }, (_, id) => 1 + ((7 * id) % 11));
const specs: Record<string, StatefulSpec> = {
  "learned-unigram": { name: "learned-unigram" },
  "learned-unigram by alias": { name: "learned-unigram", structure: "alias", journal: 20 },
  "learned-unigram without replacement": { name: "learned-unigram", replacement: false, increment: 3 },
  "in-batch": { name: "in-batch" },
  "in-batch, streaming, hashed": { name: "in-batch", frequency: { kind: "streaming", slots: 16, arrays: 2 } },
  mixed: { name: "mixed", frequency: { kind: "average", rate: 0.05 }, extra: { name: "unigram", distortion: 0.5 } },
  "mixed, given counts": {
    name: "mixed",
    frequency: { kind: "given" },
    extra: { name: "uniform", replacement: false },
  },
  "cross-batch": { name: "cross-batch", batches: 3, labels: B },
};

describe.each(Object.entries(specs))("every stateful sampler: %s", (_title, spec) => {
  const S = 5;
  const make = () => statefulSamplerFrom(createStatefulState(spec, n, { counts }));
  const stream = new Stream(11, zipf(n));
  const batches = Array.from({ length: 12 }, () => stream.batch(B));
  const ids = new Int32Array(200);
  const logQ = new Float64Array(200);
  const drawn = (sampler: ReturnType<typeof make>, step: number): number[] => {
    const draw = sampler.draw({ key: KEY, step, item: 0, S, labels: batches[step], from: 0, to: B }, ids, logQ);
    expect(draw.S).toBe(sampler.count(S, B));
    expect(draw.S).toBeLessThanOrEqual(sampler.most(S, B));
    for (let i = 0; i < draw.S; i++) expect(draw.logQ(ids[i])).toBe(logQ[i]);
    return [...ids.subarray(0, draw.S), ...logQ.subarray(0, draw.S), draw.targetLogQ(0)];
  };
  const run = (sampler: ReturnType<typeof make>, from: number, to: number): number[][] =>
    batches.slice(from, to).map((batch, k) => {
      const result = drawn(sampler, from + k);
      sampler.observe(from + k, batch, 0, B);
      return result;
    });

  it("draws on after export and import as if nothing had happened, bit for bit", () => {
    const whole = run(make(), 0, 12);
    const first = make();
    expect(run(first, 0, 7)).toEqual(whole.slice(0, 7));
    const snapshot = first.exportState();
    expect(JSON.parse(JSON.stringify(snapshot.head))).toEqual(snapshot.head);
    run(first, 7, 9);
    const second = make();
    run(second, 0, 2);
    second.importState(structuredClone(snapshot));
    expect(second.nextStep).toBe(7);
    expect(run(second, 7, 12)).toEqual(whole.slice(7));
    expect(second.exportState()).not.toEqual(snapshot);
  });

  it("is seen as one thread left it by all others", () => {
    const state = createStatefulState(spec, n, { counts });
    const [writer, reader] = [statefulSamplerFrom(state), statefulSamplerFrom(state)];
    run(writer, 0, 8);
    expect(reader.nextStep).toBe(8);
    expect(drawn(reader, 8)).toEqual(drawn(writer, 8));
    expect(reader.exportState()).toEqual(writer.exportState());
  });

  it("draws the same for the same step and state, and learns from what was observed", () => {
    const sampler = make();
    run(sampler, 0, 5);
    const before = drawn(sampler, 9);
    expect(drawn(sampler, 9)).toEqual(before);
    run(sampler, 5, 8);
    const given = "frequency" in spec && spec.frequency?.kind === "given";
    if (given) expect(drawn(sampler, 9)).toEqual(before);
    else expect(drawn(sampler, 9)).not.toEqual(before);
  });

  it("refuses steps out of order, ids out of range and ranges that are none, and stays as it was", () => {
    const sampler = make();
    run(sampler, 0, 4);
    const before = sampler.exportState();
    expect(() => sampler.observe(3, batches[3], 0, B)).toThrow(OptionError);
    expect(() => sampler.observe(4.5, batches[3], 0, B)).toThrow(OptionError);
    expect(() => sampler.observe(4, batches[3], 0, B + 1)).toThrow(OptionError);
    expect(() => sampler.observe(4, batches[3], 3, 2)).toThrow(OptionError);
    expect(() => sampler.observe(4, Int32Array.of(1, n), 0, 2)).toThrow(ClassIdError);
    expect(() => sampler.observe(4, Int32Array.of(1, -1), 0, 2)).toThrow(ClassIdError);
    expect(sampler.exportState()).toEqual(before);
    expect(() => drawn(sampler, 3)).toThrow(SamplerError);
    const request = { key: KEY, step: 4, item: 0, S, labels: batches[4], from: 0, to: B };
    expect(() => sampler.draw(request, new Int32Array(3), new Float64Array(3))).toThrow(ShapeError);
  });

  it("refuses the state of another kind, of other options, of other lengths, and stays as it was", () => {
    const sampler = make();
    run(sampler, 0, 4);
    const before = sampler.exportState();
    expect(() => sampler.importState({ ...before, kind: "another" })).toThrow(OptionError);
    const [name] = Object.keys(before.head);
    expect(() => sampler.importState({ ...before, head: { ...before.head, [name]: "another" } })).toThrow(OptionError);
    for (const [array, values] of Object.entries(before.arrays)) {
      if (values.length === 0) continue;
      const wrong = (values: unknown) =>
        ({ ...before, arrays: { ...before.arrays, [array]: values } }) as typeof before;
      expect(() => sampler.importState(wrong(values.subarray(1)))).toThrow(ShapeError);
      expect(() => sampler.importState(wrong(undefined))).toThrow(ShapeError);
      expect(() => sampler.importState(wrong(new Float32Array(values.length)))).toThrow(OptionError);
      expect(() => sampler.importState(wrong(values.map(() => -1)))).toThrow();
    }
    expect(sampler.exportState()).toEqual(before);
  });

  it("tells its bytes before it is made", () => {
    const state = createStatefulState(spec, n, { counts });
    const arrays = new Set<ArrayBufferLike>();
    const collect = (value: unknown): void => {
      if (ArrayBuffer.isView(value)) arrays.add(value.buffer);
      else if (typeof value === "object" && value !== null) for (const inner of Object.values(value)) collect(inner);
    };
    collect(state);
    const bytes = [...arrays].reduce((sum, buffer) => sum + buffer.byteLength, 0);
    expect(statefulStateBytes(spec, n)).toBe(bytes);
  });
});
