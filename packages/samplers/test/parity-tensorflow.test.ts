import { keyFromSeed } from "@logq/core";
import { expectAllClose, expectChiSquare } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { DistinctSet } from "../src/distinct-set.js";
import {
  createSamplerState,
  createStatefulState,
  HitFinder,
  type Law,
  type Sampler,
  type SamplerSpec,
  samplerFrom,
  statefulSamplerFrom,
} from "../src/index.js";
import { DistinctDraw } from "../src/samplers/distinct-draw.js";
import { orders } from "./enumeration.js";
import vectors from "./fixtures/tensorflow-samplers.json" with { type: "json" };

const FALSE_ALARM = 1e-6;
const KEY = keyFromSeed("parity");
/** TensorFlow's expected counts are float32, made of float32 probabilities. */
const FLOAT32 = 1e-6;

interface Counts {
  readonly ids: readonly number[];
  readonly expected: readonly number[];
  readonly trueClasses: readonly number[];
  readonly trueExpected: readonly number[];
}

interface FixedUnigram {
  readonly unigrams: readonly number[];
  readonly distortion: number;
  readonly num_reserved_ids?: number;
  readonly num_shards?: number;
  readonly shard?: number;
}

interface TensorFlowDraw extends Counts {
  readonly n: number;
  readonly S: number;
  readonly unique: boolean;
}

/** The counts that give TensorFlow's classes: 0 for reserved ids, then the unigrams; of these, what lies in the shard. */
function countsOf({ unigrams, num_reserved_ids = 0, num_shards = 1, shard = 0 }: FixedUnigram): number[] {
  const all = [...new Array<number>(num_reserved_ids).fill(0), ...unigrams];
  return all.filter((_, id) => id % num_shards === shard);
}

function samplerOf(spec: SamplerSpec, n: number, counts?: readonly number[]): Sampler {
  return samplerFrom(createSamplerState(spec, n, counts ? { counts } : {}));
}

/** Each class of a draw with the expected count that TensorFlow states, those without mass left out. */
function statements({ ids, expected, trueClasses, trueExpected }: Counts): { id: number; count: number }[] {
  const all = [...trueClasses.map((id, i) => ({ id, count: trueExpected[i] }))];
  all.push(...ids.map((id, i) => ({ id, count: expected[i] })));
  return all.filter(({ count }) => count > 0);
}

/** E = 1 − (1 − p)^T solved for T. */
function triesBehind(p: number, count: number): number {
  return Math.log1p(-count) / Math.log1p(-p);
}

/** How many tries a unique draw took, inferred from its least expected count: the rounding of float32 matters least there. */
function inferTries(law: Law, draw: Counts, S: number): number {
  const stated = statements(draw);
  const proportional = stated.every(({ id, count }) => Math.abs(count / (S * law.probability(id)) - 1) < FLOAT32);
  if (proportional) return S;
  const least = stated.reduce((a, b) => (b.count < a.count ? b : a));
  const tries = triesBehind(law.probability(least.id), least.count);
  expect(Math.abs(tries - Math.round(tries))).toBeLessThan(0.01);
  return Math.round(tries);
}

/** The expected counts that logq states for the classes of a draw, as `expectedCount: "tensorflow"` does after T tries. */
function countsAfter(law: Law, S: number, tries: number): (id: number) => number {
  const draw = new DistinctDraw(law, new DistinctSet());
  draw.begin(S, 0, new Int32Array(0), 0, 0);
  draw.setTries(tries);
  return (id) => Math.exp(draw.targetLogQ(id));
}

function expectStated(draw: Counts, count: (id: number) => number, name: string): void {
  expectAllClose(draw.expected, draw.ids.map(count), { relative: FLOAT32, name: `${name}, candidates` });
  expectAllClose(draw.trueExpected, draw.trueClasses.map(count), { relative: FLOAT32, name: `${name}, true classes` });
}

/** With replacement by the sampler itself; unique by its formula, after as many tries as TensorFlow must have made. Answers T. */
function expectSameCounts(draw: TensorFlowDraw, spec: SamplerSpec, counts?: readonly number[]): number {
  const { n, S, unique } = draw;
  const name = `${spec.name}, n = ${n}, S = ${S}`;
  if (!unique) {
    const own = samplerOf(spec, n, counts).draw(
      { key: KEY, step: 0, item: 0, S },
      new Int32Array(S),
      new Float64Array(S),
    );
    expectStated(draw, (id) => Math.exp(own.targetLogQ(id)), name);
    return S;
  }
  const law = samplerOf({ ...spec, replacement: false, expectedCount: "tensorflow" }, n, counts).law!;
  const tries = inferTries(law, draw, S);
  expect(tries).toBeGreaterThanOrEqual(S);
  expect(new Set(draw.ids).size).toBe(S);
  expectStated(draw, countsAfter(law, S, tries), `${name}, T = ${tries}`);
  return tries;
}

describe("expected counts of TensorFlow's samplers are logq's at the ids it drew, to float32", () => {
  it.each([
    ["log-uniform", vectors.logUniform],
    ["uniform", vectors.uniform],
  ] as const)(
    "%s: S·p with replacement; unique, a whole number of tries explains every class of a draw",
    (name, draws) => {
      const tries = draws.map((draw) => expectSameCounts(draw, { name }));
      // Draws of both kinds are among them: as many tries as candidates, and more.
      expect(draws.some(({ unique, S }, i) => unique && tries[i] === S)).toBe(true);
      expect(draws.some(({ unique, S }, i) => unique && tries[i] > S)).toBe(true);
    },
  );

  const fixedUnigram = vectors.fixedUnigram as (TensorFlowDraw & FixedUnigram)[];
  const ofShards = ({ num_reserved_ids, num_shards }: FixedUnigram) => num_reserved_ids && num_shards;

  it("fixed unigram: distortion, reserved ids as counts of 0, a shard as the counts of its own classes", () => {
    const draws = fixedUnigram.filter((draw) => !ofShards(draw));
    expect(draws).toHaveLength(10);
    for (const draw of draws) {
      expectSameCounts(draw, { name: "unigram", distortion: draw.distortion }, countsOf(draw));
    }
  });

  it("fixed unigram with reserved ids and shards: TensorFlow numbers the first unigram by the reserved ids of the shard, not of all", () => {
    const draws = fixedUnigram.filter(ofShards);
    expect(draws).toHaveLength(2);
    for (const draw of draws) {
      const { unigrams, num_reserved_ids = 0, num_shards = 1, shard = 0, distortion } = draw;
      const reserved = Array.from({ length: num_reserved_ids }, (_, id) => id).filter(
        (id) => id % num_shards === shard,
      );
      const shifted = unigrams.filter((_, i) => (reserved.length + i) % num_shards === shard);
      const theirs = [...reserved.map(() => 0), ...shifted];
      expectSameCounts(draw, { name: "unigram", distortion }, theirs);
      // The counts that lie in the shard are others: logq takes counts by class, so that there is nothing to number.
      expect(countsOf(draw)).toEqual([0, 40, 8, 2, 7]);
      expect(theirs).toEqual([0, 90, 21, 5, 1]);
    }
  });

  it.each(vectors.learnedUnigram)(
    "learned unigram, unique: $unique: each draw by the counts of the true classes before it, from 1 each",
    ({ n, S, unique, steps }) => {
      const state = createStatefulState({ name: "learned-unigram", replacement: !unique, initial: 1, increment: 1 }, n);
      const sampler = statefulSamplerFrom(state);
      const law = sampler.law!;
      steps.forEach((draw, step) => {
        const tries = unique ? inferTries(law, draw, S) : S;
        expectStated(draw, unique ? countsAfter(law, S, tries) : (id) => S * law.probability(id), `draw ${step}`);
        sampler.observe(step, Int32Array.from(draw.trueClasses), 0, draw.trueClasses.length);
      });
      expect(sampler.nextStep).toBe(steps.length);
    },
  );

  it("T = S: both state p·S, which leaps from 1 − (1 − p)^S and may pass 1, though no class can come twice", () => {
    const law = samplerOf({ name: "log-uniform" }, 1000).law!;
    const draws = vectors.logUniform.filter(({ n, S, unique }) => n === 1000 && S === 2 && unique);
    expect(draws.length).toBeGreaterThan(0);
    for (const { trueExpected } of draws) {
      const p = law.probability(0);
      expectAllClose([trueExpected[0]], [2 * p], { relative: FLOAT32 });
      expect(trueExpected[0] / (1 - (1 - p) ** 2)).toBeGreaterThan(1.05);
    }
    const above = vectors.learnedUnigram[1].steps.flatMap(statements).filter(({ count }) => count > 1);
    expect(above.length).toBeGreaterThan(0);
    // What logq states by default for distinct classes is a probability.
    const exact = samplerOf({ name: "log-uniform", replacement: false }, 6);
    const logQ = new Float64Array(2);
    for (let step = 0; step < 200; step++) {
      exact.draw({ key: KEY, step, item: 0, S: 2 }, new Int32Array(2), logQ);
      expect(Math.max(...logQ)).toBeLessThanOrEqual(0);
    }
  });
});

describe(`TensorFlow draws by logq's laws: chi-square, false alarms ${FALSE_ALARM}`, () => {
  it("log-uniform and fixed unigram with distortion, with replacement", () => {
    const { logUniform, fixedUnigram } = vectors.counts;
    const laws = [
      { ...logUniform, law: samplerOf({ name: "log-uniform" }, logUniform.n).law! },
      {
        ...fixedUnigram,
        law: samplerOf({ name: "unigram", distortion: fixedUnigram.distortion }, fixedUnigram.n, fixedUnigram.unigrams)
          .law!,
      },
    ];
    for (const { law, counts, draws } of laws) {
      const expected = counts.map((_, id) => draws * law.probability(id));
      expectChiSquare(counts, expected, { falseAlarmRate: FALSE_ALARM, name: law.name });
    }
  });

  it("log-uniform, unique: both draw sets of distinct classes as the enumeration says", () => {
    const { n, S, draws, sets } = vectors.sets;
    const sampler = samplerOf({ name: "log-uniform", replacement: false, expectedCount: "tensorflow" }, n);
    const p = Array.from({ length: n }, (_, id) => sampler.law!.probability(id));
    const expected = new Map<string, number>();
    for (const { ids, probability } of orders(p, S)) {
      const key = nameOf(ids);
      expected.set(key, (expected.get(key) ?? 0) + draws * probability);
    }
    const own = new Map<string, number>();
    const ids = new Int32Array(S);
    for (let step = 0; step < draws; step++) {
      sampler.draw({ key: KEY, step, item: 0, S }, ids, new Float64Array(S));
      own.set(nameOf(ids), (own.get(nameOf(ids)) ?? 0) + 1);
    }
    const theirs = new Map(Object.entries(sets));
    for (const [name, drawn] of [["TensorFlow", theirs] as const, ["logq", own] as const]) {
      const observed = Array.from(expected.keys(), (key) => drawn.get(key) ?? 0);
      expectChiSquare(observed, Array.from(expected.values()), { falseAlarmRate: FALSE_ALARM, name });
    }
  });

  function nameOf(ids: Iterable<number>): string {
    return Array.from(ids)
      .sort((a, b) => a - b)
      .join(" ");
  }
});

describe("accidental hits", () => {
  /** "row position", in order. */
  function pairsOf(rows: ArrayLike<number>, positions: ArrayLike<number>, count: number): string[] {
    return Array.from({ length: count }, (_, k) => `${rows[k]} ${positions[k]}`).sort();
  }

  function find(trueClasses: readonly number[][], ids: readonly number[]): string[] {
    const finder = new HitFinder();
    finder.prepare(Int32Array.from(ids), ids.length);
    const offsets = [0];
    for (const row of trueClasses) offsets.push(offsets.at(-1)! + row.length);
    const count = finder.find(offsets, Int32Array.from(trueClasses.flat()), 0, trueClasses.length);
    return pairsOf(finder.rows, finder.positions, count);
  }

  it("among distinct candidates are the same pairs as compute_accidental_hits'", () => {
    const cases = vectors.accidentalHits.filter(({ unique }) => unique);
    expect(cases.map(({ T }) => T)).toEqual([1, 3]);
    for (const { trueClasses, ids, rows, positions } of cases) {
      expect(find(trueClasses, ids)).toEqual(pairsOf(rows, positions, rows.length));
    }
  });

  it("among repeated candidates differ on purpose: TensorFlow finds the last of each class, logq all of them", () => {
    const cases = vectors.accidentalHits.filter(({ unique }) => !unique);
    let missed = 0;
    for (const { trueClasses, ids, rows, positions } of cases) {
      const theirs = pairsOf(rows, positions, rows.length);
      const own = find(trueClasses, ids);
      const all = trueClasses.flatMap((row, r) => ids.flatMap((id, at) => (row.includes(id) ? [`${r} ${at}`] : [])));
      expect(own).toEqual(all.sort());
      expect(theirs).toEqual(
        own.filter((pair) => {
          const at = Number(pair.split(" ")[1]);
          return ids.lastIndexOf(ids[at]) === at;
        }),
      );
      missed += own.length - theirs.length;
    }
    expect(missed).toBeGreaterThan(0);
  });
});
