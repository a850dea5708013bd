import { keyFromSeed, OptionError, SamplerError } from "@logq/core";
import { expectChiSquare, expectMean, Moments, TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { CountTree, paddedLength, sumsLength } from "../src/stateful/count-tree.js";
import {
  createLearnedTables,
  createStatefulState,
  LearnedUnigramSampler,
  type LearnedUnigramSpec,
  STRUCTURES,
  statefulSamplerFrom,
} from "../src/stateful/index.js";
import { inclusions } from "./enumeration.js";

const FALSE_ALARM = 1e-6;
const KEY = keyFromSeed("learned");
const ALMOST_ONE = 1 - 2 ** -53;

function make(spec: Omit<LearnedUnigramSpec, "name">, n: number, counts?: ArrayLike<number>): LearnedUnigramSampler {
  return new LearnedUnigramSampler(createLearnedTables({ name: "learned-unigram", ...spec }, n, counts));
}

/** Skewed targets: class id about as often as (id + 1)^−1, scattered over the ids. */
function targets(random: TestRandom, count: number, n: number): Int32Array {
  return Int32Array.from({ length: count }, () => (Math.floor((n + 1) ** random.uniform() - 1) * 7) % n);
}

/** Observes `steps` batches of B and answers how often each class came. */
function teach(sampler: LearnedUnigramSampler, seed: number, steps: number, B: number): number[] {
  const random = new TestRandom(seed);
  const seen = new Array<number>(sampler.n).fill(0);
  for (let step = 0; step < steps; step++) {
    const ids = targets(random, B, sampler.n);
    for (const id of ids) seen[id]++;
    sampler.observe(step, ids, 0, B);
  }
  return seen;
}

describe("the tree of sums", () => {
  it.each([1, 15, 16, 17, 255, 256, 257, 4097])(
    "finds, for every threshold, the class a plain scan finds, n = %i",
    (n) => {
      const random = new TestRandom(n);
      const counts = new Float64Array(paddedLength(n));
      const tree = new CountTree(counts, new Float64Array(sumsLength(n)));
      for (let id = 0; id < n; id++) counts[id] = 1 + random.integer(3);
      tree.rebuild();
      for (let k = 0; k < 500; k++) {
        const id = random.integer(n);
        counts[id] += 2;
        tree.add(id, 2);
      }
      let x = 0;
      for (let id = 0; id < n; id++) {
        for (const inside of [x, x + counts[id] - 1, x + counts[id] - 0.5]) expect(tree.find(inside)).toBe(id);
        x += counts[id];
      }
    },
  );

  it("has the same sums after updates as after a rebuild, exactly, in any order", () => {
    const n = 5000;
    const random = new TestRandom(1);
    const ids = targets(random, 20000, n);
    const build = (order: Int32Array) => {
      const counts = new Float64Array(paddedLength(n));
      const sums = new Float64Array(sumsLength(n));
      const tree = new CountTree(counts, sums);
      for (const id of order) {
        counts[id] += 3;
        tree.add(id, 3);
      }
      const updated = sums.slice();
      tree.rebuild();
      expect(updated).toEqual(sums);
      return sums;
    };
    expect(build(ids)).toEqual(build(ids.toReversed()));
  });
});

describe.each(STRUCTURES)("learned-unigram by %s", (structure) => {
  const journal = structure === "alias" ? { journal: 700 } : {};

  it(`draws by initial + increment·count after many updates: chi-square, false alarms ${FALSE_ALARM}`, () => {
    const n = 300;
    const sampler = make({ structure, ...journal, initial: 2, increment: 3 }, n);
    const seen = teach(sampler, 1, 150, 32);
    const weights = seen.map((count) => 2 + 3 * count);
    const total = weights.reduce((a, b) => a + b, 0);
    expect(sampler.law.total).toBe(total);
    const S = 1000;
    const observed = new Array<number>(n).fill(0);
    const [ids, logQ] = [new Int32Array(S), new Float64Array(S)];
    for (let step = 150; step < 300; step++) {
      sampler.draw({ key: KEY, step, item: 0, S }, ids, logQ);
      for (const id of ids) observed[id]++;
    }
    expectChiSquare(
      observed,
      weights.map((weight) => (weight / total) * 150 * S),
      { falseAlarmRate: FALSE_ALARM, name: structure },
    );
    for (let i = 0; i < S; i++) expect(logQ[i]).toBeCloseTo(Math.log((S * weights[ids[i]]) / total), 12);
  });

  it(`draws by the counts of every moment, between rebuilds and after: chi-square, false alarms ${FALSE_ALARM}`, () => {
    const n = 6;
    const sampler = make({ structure, ...(structure === "alias" ? { journal: 5 } : {}) }, n);
    const random = new TestRandom(2);
    const [ids, logQ] = [new Int32Array(3000), new Float64Array(3000)];
    const weights = new Array<number>(n).fill(1);
    for (let step = 0; step < 12; step++) {
      sampler.draw({ key: KEY, step, item: 0, S: 3000 }, ids, logQ);
      const observed = new Array<number>(n).fill(0);
      for (const id of ids) observed[id]++;
      const total = weights.reduce((a, b) => a + b, 0);
      expectChiSquare(
        observed,
        weights.map((weight) => (weight / total) * 3000),
        { falseAlarmRate: FALSE_ALARM / 12, name: `step ${step}` },
      );
      const batch = targets(random, 1 + (step % 7), n);
      for (const id of batch) weights[id]++;
      sampler.observe(step, batch, 0, batch.length);
    }
  });

  it("draws classes in [0, n) at both ends of the uniforms, and starts uniform", () => {
    for (const n of [1, 2, 16, 17, 300]) {
      const sampler = make({ structure }, n);
      expect(sampler.law.probability(n - 1)).toBe(1 / n);
      teach(sampler, 3, 5, 8);
      for (const u1 of [0, 0.3, ALMOST_ONE]) {
        for (const u2 of [0, ALMOST_ONE]) {
          const id = sampler.law.draw(u1, u2);
          expect(Number.isInteger(id) && id >= 0 && id < n).toBe(true);
        }
      }
    }
  });

  it(`excludes and makes distinct as other laws do: chi-square and z-bound, false alarms ${FALSE_ALARM}`, () => {
    const n = 6;
    const counts = [10, 0, 3, 5, 1, 0];
    const weights = counts.map((count) => count + 1);
    const sampler = make({ structure, replacement: false }, n, counts);
    const [ids, logQ] = [new Int32Array(3), new Float64Array(3)];
    const moments = new Moments(n);
    for (let step = 0; step < 4000; step++) {
      sampler.draw({ key: KEY, step, item: 0, S: 3 }, ids, logQ);
      moments.add(weights.map((_, id) => Number(ids.includes(id))));
    }
    const total = weights.reduce((a, b) => a + b, 0);
    const p = weights.map((weight) => weight / total);
    expectMean(moments, inclusions(p, 3), { falseAlarmRate: FALSE_ALARM });
    const independent = make({ structure }, n, counts);
    const observed = new Array<number>(n).fill(0);
    for (let step = 0; step < 3000; step++) {
      independent.drawExcluding({ key: KEY, step, item: 1, S: 3 }, Int32Array.of(0, 3), 0, 2, ids, logQ);
      for (const id of ids) observed[id]++;
    }
    const left = 1 - p[0] - p[3];
    expectChiSquare(
      observed,
      p.map((value, id) => (id === 0 || id === 3 ? 0 : (value / left) * 9000)),
      { falseAlarmRate: FALSE_ALARM },
    );
  });

  it("does not tell the order of the targets within a batch, but for which uniform gives which id", () => {
    const batch = targets(new TestRandom(4), 50, 40);
    const [forwards, backwards] = [batch, batch.toReversed()].map((ids) => {
      const sampler = make({ structure }, 40);
      sampler.observe(0, ids, 0, 50);
      return sampler;
    });
    for (let id = 0; id < 40; id++) expect(forwards.law.probability(id)).toBe(backwards.law.probability(id));
  });

  it("resumes from its state bit for bit, at every fill of a journal", () => {
    const n = 50;
    const spec = { structure, ...(structure === "alias" ? { journal: 37 } : {}) };
    const whole = make(spec, n);
    const random = new TestRandom(5);
    const [a, b] = [new Int32Array(64), new Int32Array(64)];
    const logQ = new Float64Array(64);
    for (let step = 0; step < 30; step++) {
      const resumed = make(spec, n);
      resumed.importState(structuredClone(whole.exportState()));
      whole.draw({ key: KEY, step, item: 0, S: 64 }, a, logQ);
      resumed.draw({ key: KEY, step, item: 0, S: 64 }, b, logQ);
      expect(b).toEqual(a);
      whole.observe(step, targets(random, 9, n), 0, 9);
    }
  });

  it("refuses a total above 2^53 − 1 before anything changes", () => {
    const sampler = make({ structure, increment: 2 ** 31 - 1 }, 2, [2 ** 21, 2 ** 20]);
    const before = sampler.exportState();
    const many = new Int32Array(2 ** 21);
    expect(() => sampler.observe(0, many, 0, many.length)).toThrow(SamplerError);
    expect(sampler.exportState()).toEqual(before);
  });
});

describe("learned-unigram", () => {
  it("has the same law whatever the structure", () => {
    const [tree, alias] = STRUCTURES.map((structure) => {
      const sampler = make({ structure }, 200, new Array(200).fill(4));
      teach(sampler, 6, 20, 16);
      return sampler.law;
    });
    for (let id = 0; id < 200; id++) expect(tree.logProbability(id)).toBe(alias.logProbability(id));
  });

  const bad: [string, object][] = [
    ["an unknown field", { distortion: 0.75 }],
    ["an initial count of 0", { initial: 0 }],
    ["an initial count that is not whole", { initial: 0.5 }],
    ["an increment of 0", { increment: 0 }],
    ["an unknown structure", { structure: "list" }],
    ["a journal of a tree", { structure: "tree", journal: 5 }],
    ["a journal of nothing", { structure: "alias", journal: 0 }],
    ["replacement that is no truth", { replacement: 1 }],
  ];
  it.each(bad)("%s is an OptionError", (_, spec) => {
    expect(() => make(spec, 5)).toThrow(OptionError);
  });

  it("refuses counts that are negative or not whole, and no classes", () => {
    expect(() => make({}, 2, [1, -1])).toThrow(SamplerError);
    expect(() => make({}, 2, [1, 0.5])).toThrow(SamplerError);
    expect(() => make({}, 0)).toThrow(OptionError);
    expect(() => createStatefulState({ name: "learned" } as never, 3)).toThrow(OptionError);
  });

  it("rebuilds the alias table only when the journal has no room, and empties it then", () => {
    const sampler = make({ structure: "alias", journal: 10 }, 8);
    const noted = [4, 4, 2, 1, 12, 3].map((size, step) => {
      sampler.observe(step, new Int32Array(size), 0, size);
      return sampler.exportState().arrays.clock[2];
    });
    expect(noted).toEqual([4, 8, 10, 0, 0, 3]);
    expect(sampler.law.probability(0)).toBe(27 / 34);
  });

  it("refuses a saved state whose counts do not sum to its total", () => {
    const sampler = statefulSamplerFrom(createStatefulState({ name: "learned-unigram" }, 5));
    const saved = sampler.exportState();
    saved.arrays.counts[2]++;
    expect(() => sampler.importState(saved)).toThrow(SamplerError);
  });
});
