/** Mistakes that other software shipped in samplers that learn, each with the test that would have found it here. */
import { ClassIdError, keyFromSeed, OptionError, SamplerError } from "@logq/core";
import { softmax, TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { HitFinder } from "../src/index.js";
import {
  createFrequencyTables,
  createStatefulState,
  frequencyFrom,
  type StatefulSampler,
  type StatefulSpec,
  statefulSamplerFrom,
} from "../src/stateful/index.js";

const KEY = keyFromSeed("mistakes");
const n = 20;
const counts = Array.from({ length: n }, (_, id) => n - id);
const specs: StatefulSpec[] = [
  { name: "learned-unigram" },
  { name: "learned-unigram", structure: "alias" },
  { name: "in-batch" },
  { name: "mixed" },
  { name: "cross-batch", batches: 2, labels: 16 },
];

function make(spec: StatefulSpec, classes = n): StatefulSampler {
  return statefulSamplerFrom(createStatefulState(spec, classes));
}

function drawn(sampler: StatefulSampler, labels: ArrayLike<number>, S = 8, step = sampler.nextStep) {
  const targets = Int32Array.from(labels);
  const size = sampler.count(S, targets.length);
  const [ids, logQ] = [new Int32Array(size), new Float64Array(size)];
  const draw = sampler.draw({ key: KEY, step, item: 0, S, labels: targets, from: 0, to: targets.length }, ids, logQ);
  return { draw, ids, logQ };
}

function teach(sampler: StatefulSampler, steps: number, seed = 1): void {
  const random = new TestRandom(seed);
  for (let k = 0; k < steps; k++) {
    const ids = Int32Array.from({ length: 16 }, () => Math.min(random.integer(n), random.integer(n)));
    sampler.observe(sampler.nextStep, ids, 0, 16);
  }
}

describe("TensorFlow: the learned sampler's state was missing from checkpoints", () => {
  it.each(specs)("$name goes on from its state, and not from a fresh one", (spec) => {
    const sampler = make(spec);
    teach(sampler, 30);
    const resumed = make(spec);
    resumed.importState(sampler.exportState());
    const labels = [0, 5, 19];
    expect(drawn(resumed, labels)).toEqual(drawn(sampler, labels));
    expect([...drawn(make(spec), labels, 8, 30).logQ]).not.toEqual([...drawn(sampler, labels).logQ]);
  });
});

describe("TensorFlow: targets that were thought to be excluded, or that told the draw of their own step", () => {
  it("the targets of the batch at hand do not change what learned-unigram draws: they are learned afterwards", () => {
    const sampler = make({ name: "learned-unigram" });
    teach(sampler, 10);
    expect(drawn(sampler, [1, 2, 3]).ids).toEqual(drawn(sampler, [7, 7, 7]).ids);
    sampler.observe(10, Int32Array.of(1, 2, 3), 0, 3);
    expect(() => drawn(sampler, [1, 2, 3], 8, 10)).toThrow(SamplerError);
  });

  it.each(specs)(
    "the log Q of $name does not look at the targets of the batch at hand, only at how many they are",
    (spec) => {
      const sampler = make(spec);
      teach(sampler, 10);
      const logQ = (labels: number[]) => {
        const { draw } = drawn(sampler, labels);
        return counts.map((_, id) => draw.logQ(id));
      };
      expect(logQ([0, 0, 0])).toEqual(logQ([19, 18, 17]));
    },
  );
});

describe("TensorFlow Recommenders: log Q added instead of subtracted", () => {
  it("log Q rises with the frequency of a class, so that subtracting it favours rare classes", () => {
    for (const spec of specs) {
      const sampler = make(spec);
      for (let step = 0; step < 50; step++) sampler.observe(step, Int32Array.of(0, 0, 0, 1, 1, 2), 0, 6);
      const { draw } = drawn(sampler, [0, 1, 2]);
      const logQ = [0, 1, 2, 3].map((id) => draw.logQ(id));
      expect(logQ).toEqual(logQ.toSorted((a, b) => b - a));
      expect(new Set(logQ).size).toBe(4);
    }
  });

  it("added, it doubles the bias of popular classes: the odds of a pair are f², not 1", () => {
    const sampler = make({ name: "in-batch" });
    for (let step = 0; step < 50; step++) sampler.observe(step, Int32Array.of(0, 0, 0, 1), 0, 4);
    const { draw } = drawn(sampler, [0, 0, 0, 1]);
    // Equal logits, candidates as often as the batch has them.
    const odds = (sign: number) => (3 / 1) * Math.exp(sign * (draw.logQ(0) - draw.logQ(1)));
    expect(odds(-1)).toBeCloseTo(1, 10);
    expect(odds(1)).toBeCloseTo(9, 10);
  });
});

describe("TensorFlow Recommenders #635: a probability where an expected count belongs, and gaps that saturate", () => {
  it("log Q of in-batch candidates grows by log 2 with twice the batch", () => {
    const sampler = make({ name: "in-batch" });
    teach(sampler, 20);
    const logQ = (B: number) => drawn(sampler, new Array(B).fill(3)).draw.logQ(3);
    expect(logQ(32) - logQ(16)).toBeCloseTo(Math.LN2, 13);
  });

  it("a class with 12 of 16 rows has expected count 12 by default; by gaps, as asked for, 1", () => {
    const rows = Int32Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4);
    const [average, streaming] = [{}, { frequency: { kind: "streaming" } } as const].map((frequency) => {
      const sampler = make({ name: "in-batch", ...frequency });
      for (let step = 0; step < 20; step++) sampler.observe(step, rows, 0, 16);
      return Math.exp(drawn(sampler, rows).draw.logQ(0));
    });
    expect(average).toBeCloseTo(12, 10);
    expect(streaming).toBeCloseTo(1, 10);
  });
});

describe("Merlin: a popularity sampler without log Q", () => {
  it.each(specs)("$name writes a finite log Q for every candidate and every class, from the first step on", (spec) => {
    const sampler = make(spec);
    for (const steps of [0, 1, 50]) {
      teach(sampler, steps);
      const { draw, logQ } = drawn(sampler, [19, 0]);
      expect([...logQ].every(Number.isFinite)).toBe(true);
      for (let id = 0; id < n; id++) expect(Number.isFinite(draw.targetLogQ(id))).toBe(true);
      expect(sampler.hasLogQ && sampler.hasTargetLogQ).toBe(true);
    }
  });
});

describe("keras-rs #206: the removal of hits was a no-op whose test compared x with x + 1e-40", () => {
  it("the row's own label, masked wherever it stands in the batch, has probability 0, and no other candidate has", () => {
    const labels = Int32Array.of(4, 7, 4, 9);
    const { ids, logQ } = drawn(make({ name: "in-batch" }), labels);
    const hits = new HitFinder();
    hits.prepare(ids, 4);
    const found = hits.find([0, 1], labels, 0, 1);
    const logits = Array.from(logQ, (value) => 1 - value);
    for (let k = 0; k < found; k++) logits[hits.positions[k]] = -Infinity;
    expect([...softmax([2, ...logits])].map((p) => p === 0)).toEqual([false, true, false, true, false]);
  });
});

describe("TensorFlow #23086: expected counts in float32", () => {
  it("a class of 1 in 10^12 counts keeps all digits, and one more target shows", () => {
    const tables = { name: "learned-unigram" } as const;
    const sampler = statefulSamplerFrom(createStatefulState(tables, 2, { counts: [1e12, 0] }));
    const before = sampler.law!.probability(0);
    expect(Math.abs(sampler.law!.probability(1) * (1e12 + 2) - 1)).toBeLessThan(1e-15);
    sampler.observe(0, Int32Array.of(1), 0, 1);
    expect(sampler.law!.probability(0)).toBeLessThan(before);
    expect(Math.abs(sampler.law!.probability(1) * (1e12 + 3) - 2)).toBeLessThan(1e-15);
  });
});

describe("TensorFlow: aborts, endless loops and int32 overflow of the learned sampler", () => {
  it("targets out of range, too many distinct candidates and no classes are refused by name", () => {
    const sampler = make({ name: "learned-unigram", replacement: false });
    expect(() => sampler.observe(0, Int32Array.of(3, n), 0, 2)).toThrow(ClassIdError);
    expect(() => drawn(sampler, [0], n + 1)).toThrow(SamplerError);
    expect(() => make({ name: "learned-unigram" }, 0)).toThrow(OptionError);
    expect(() => make({ name: "learned-unigram" }, 2 ** 31)).toThrow(OptionError);
    expect(drawn(sampler, [0], n).ids.toSorted()).toEqual(Int32Array.from({ length: n }, (_, id) => id));
  });

  it("counts beyond 2^31 go on counting", () => {
    const sampler = statefulSamplerFrom(
      createStatefulState({ name: "learned-unigram", increment: 2 ** 30 }, 3, { counts: [4, 0, 0] }),
    );
    sampler.observe(0, new Int32Array(64), 0, 64);
    expect(sampler.law!.probability(0)).toBe((68 * 2 ** 30 + 1) / (68 * 2 ** 30 + 3));
    expect(new Set(drawn(sampler, [], 500).ids)).toEqual(new Set([0]));
  });
});

describe("CogStack and gensim: tables of 10 to 100 million slots in every save", () => {
  it("the state of learned-unigram has 8 bytes a class, however much was counted", () => {
    const bytes = (sampler: StatefulSampler) =>
      Object.values(sampler.exportState().arrays).reduce((sum, array) => sum + array.byteLength, 0);
    const sampler = make({ name: "learned-unigram" }, 10000);
    const before = bytes(sampler);
    teach(sampler, 200);
    expect(bytes(sampler)).toBe(before);
    expect(before).toBeLessThan(8 * 10000 + 64);
  });
});

describe("estimates that forget: a rare class that comes back", () => {
  it("has the floor and not the ruins of an average, whose log Q would push its logit up by hundreds", () => {
    const frequency = frequencyFrom(createFrequencyTables({ kind: "average", rate: 0.1 }, 100));
    frequency.observe(0, Int32Array.of(42), 0, 1);
    for (let step = 1; step < 5000; step++) frequency.observe(step, Int32Array.of(step % 7), 0, 1);
    expect(frequency.share(42)).toBe(0.1 / 100);
  });
});
