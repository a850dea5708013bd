import { keyFromSeed } from "@logq/core";
import { expectChiSquare, expectMean, Moments } from "@logq/testing";
import { describe, expect, it } from "vitest";
import {
  CONTEXTUAL_BACKENDS,
  type ContextualBackend,
  ContextualBench,
  type ContextualMaker,
  TestTable,
} from "./contextual-bench.js";
import { FALSE_ALARM, valuesOf } from "./contract.js";

export interface ContextualContractOptions {
  /** Steps after which every class has been refreshed once. */
  readonly refreshSteps: number;
  /** Whether a whole pass of refreshes leaves the bits of a build from the same table. Default true. */
  readonly refreshIsBuild?: boolean;
  /** Classes of the sampler made for n classes that have no mass. Default: none. */
  readonly withoutMass?: (n: number) => readonly number[];
  /** Shapes to try. Default: one class, two, one more than a block, many. */
  readonly shapes?: readonly ContextualShape[];
  /** Steps of each statistical test, five times as many below 33 classes. Default 200. */
  readonly steps?: number;
  /** How far log Q of a draw may be from `logQ` of its id. Default 0: the same bits. */
  readonly logQTolerance?: number;
}

export interface ContextualShape {
  readonly n: number;
  readonly D: number;
  readonly S: number;
}

const SHAPES: readonly ContextualShape[] = [
  { n: 1, D: 3, S: 2 },
  { n: 2, D: 5, S: 9 },
  { n: 33, D: 16, S: 20 },
  { n: 1000, D: 23, S: 64 },
];

/** Rows of the blocks that statistics are made of; the second is zeros. */
const ROWS = 4;

/** What every contextual sampler promises. Those that say they are biased are not held to log Q. */
export function contextualContract(title: string, maker: ContextualMaker, options: ContextualContractOptions): void {
  for (const backend of CONTEXTUAL_BACKENDS) {
    for (const shape of options.shapes ?? SHAPES) {
      describe(`${title} on ${backend.name}, n = ${shape.n}, D = ${shape.D}, S = ${shape.S}`, () => {
        contractOf(backend, maker, shape, options);
      });
    }
  }
}

function contractOf(
  backend: ContextualBackend,
  maker: ContextualMaker,
  { n, D, S }: ContextualShape,
  options: ContextualContractOptions,
): void {
  const { refreshSteps, refreshIsBuild = true, logQTolerance = 0 } = options;
  // Two classes draw few: more steps, so that the rarer one is seen often enough.
  const steps = (options.steps ?? 200) * (n < 33 ? 5 : 1);
  const withoutMass = new Set(options.withoutMass?.(n) ?? []);
  const make = (seed = 1) => new ContextualBench(backend, maker, n, D, S, seed);
  const built = (seed = 1) => {
    const bench = make(seed);
    bench.sampler.build(bench.reader);
    return bench;
  };
  const { biased } = make().sampler;

  it("plans whole cache lines and says what it is", () => {
    const { tableBytes, scratchBytes } = maker.plan(n, D);
    expect([tableBytes % 64, scratchBytes % 64]).toEqual([0, 0]);
    const { sampler } = make();
    expect([sampler.n, sampler.D]).toEqual([n, D]);
  });

  it("draws ids in range, never a class without mass", () => {
    const bench = built();
    for (let step = 0; step < 20; step++) {
      const { ids } = bench.draw(step, ROWS);
      expect(ids.filter((id) => !(id >= 0 && id < n) || withoutMass.has(id))).toEqual(new Int32Array(0));
    }
  });

  if (!biased) {
    it("has a law for every row: Σ e^{log Q}/S = 1, −∞ without mass and only there", () => {
      const bench = built();
      bench.draw(0, ROWS);
      for (let row = 0; row < ROWS; row++) {
        const logQ = bench.enumerate(row);
        let sum = 0;
        const wrong: number[] = [];
        for (let id = 0; id < n; id++) {
          if (logQ[id] > -Infinity === withoutMass.has(id)) wrong.push(id);
          sum += Math.exp(logQ[id]) / S;
        }
        expect(wrong).toEqual([]);
        expect(Math.abs(sum - 1)).toBeLessThan(3e-6);
      }
    });

    it(`draws by the law it tells: chi-square over ${steps} steps a row, false alarms ${FALSE_ALARM}`, () => {
      const bench = built();
      const observed = Array.from({ length: ROWS }, () => new Float64Array(n));
      for (let step = 0; step < steps; step++) {
        const { ids } = bench.draw(step, ROWS);
        for (let i = 0; i < ids.length; i++) observed[Math.floor(i / S)][ids[i]]++;
      }
      for (let row = 0; row < ROWS; row++) {
        const total = steps * S;
        const q = Float64Array.from(bench.enumerate(row), (logQ) => Math.exp(logQ) / S);
        const mass = q.reduce((sum, value) => sum + value, 0);
        if (n === 1) expect(observed[row][0]).toBe(total);
        else
          expectChiSquare(
            observed[row],
            q.map((value) => (value / mass) * total),
            { falseAlarmRate: FALSE_ALARM / ROWS, name: `row ${row}` },
          );
      }
    });

    it("writes the log Q that logQ tells of the ids it drew", () => {
      const bench = built();
      const { ids, logQ } = bench.draw(3, ROWS);
      for (let row = 0; row < ROWS; row++) {
        const told = bench.logQ(row, ids.subarray(row * S, (row + 1) * S));
        for (let j = 0; j < S; j++) {
          expect(Math.abs(told[j] - logQ[row * S + j])).toBeLessThanOrEqual(logQTolerance);
        }
      }
    });

    it(`makes Σ f/Q over candidates unbiased: z-bound, false alarms ${FALSE_ALARM}`, () => {
      const bench = built();
      bench.draw(0, ROWS);
      // Classes that come too seldom for the central limit theorem are left to the chi-square.
      const value = valuesOf(n);
      const f = Array.from({ length: ROWS }, (_, row) =>
        bench.enumerate(row).map((logQ, id) => (steps * Math.exp(logQ) < 10 ? 0 : value[id])),
      );
      const moments = new Moments(ROWS);
      for (let step = 0; step < steps; step++) {
        const { ids, logQ } = bench.draw(step + 10_000, ROWS);
        const estimate = new Float64Array(ROWS);
        for (let i = 0; i < ids.length; i++) {
          const row = Math.floor(i / S);
          estimate[row] += f[row][ids[i]] / Math.exp(logQ[i]);
        }
        moments.add(estimate);
      }
      const exact = f.map((values) => values.reduce((sum, one) => sum + one, 0));
      const absolute = 1e-5 * value.reduce((sum, one) => sum + Math.abs(one), 0);
      expectMean(moments, exact, { falseAlarmRate: FALSE_ALARM, absolute });
    });
  }

  it("answers the same for a row whoever draws it and in whatever block", () => {
    const bench = built();
    const block = bench.draw(7, 64);
    expect(bench.draw(7, 64, 0, bench.other)).toEqual(block);
    for (const [first, R] of [
      [0, 1],
      [1, 1],
      [5, 3],
      [17, 33],
      [63, 1],
    ] as const) {
      const part = bench.draw(7, R, first, first % 2 === 0 ? bench.sampler : bench.other);
      expect(part.ids).toEqual(block.ids.subarray(first * S, (first + R) * S));
      expect(part.logQ).toEqual(block.logQ.subarray(first * S, (first + R) * S));
    }
  });

  if (n >= 33)
    it("draws something else for another step, far step, row or key", () => {
      const bench = built();
      const first = bench.draw(7, 1).ids;
      expect(bench.draw(8, 1).ids).not.toEqual(first);
      expect(bench.draw(7 + 2 ** 32, 1).ids).not.toEqual(first);
      expect(bench.draw(7, 1, 0, bench.sampler, keyFromSeed("another")).ids).not.toEqual(first);
      const zeros = bench.draw(7, 2).ids;
      expect(zeros.subarray(0, S)).not.toEqual(zeros.subarray(S));
    });

  it("keeps its law while the class table moves on", () => {
    const bench = built();
    const before = bench.draw(2, ROWS);
    bench.reader.rows.fill(3);
    bench.reader.biases.fill(-1);
    expect(bench.draw(2, ROWS)).toEqual(before);
  });

  it("is refreshed to the same bits in any order of units, by any thread", () => {
    const benches = [built(), built()];
    for (const [i, bench] of benches.entries()) {
      changeTable(bench);
      for (let step = 0; step < refreshSteps; step++) bench.refresh(step, i === 1);
    }
    const [a, b] = benches.map((bench) => bench.draw(5, ROWS));
    expect(a).toEqual(b);
    if (biased) return;
    for (let row = 0; row < ROWS; row++) expect(benches[0].enumerate(row)).toEqual(benches[1].enumerate(row));
  });

  if (refreshIsBuild)
    it("has the law of a fresh build once every class was refreshed, from whatever step on", () => {
      const refreshed = built();
      const fresh = make();
      changeTable(refreshed);
      changeTable(fresh);
      fresh.sampler.build(fresh.reader);
      for (let step = 0; step < refreshSteps; step++) refreshed.refresh(step + 3 * refreshSteps + 1);
      expect(refreshed.draw(5, ROWS)).toEqual(fresh.draw(5, ROWS));
      if (biased) return;
      for (let row = 0; row < ROWS; row++) expect(refreshed.enumerate(row)).toEqual(fresh.enumerate(row));
    });

  if (!biased)
    it("does not change when all biases grow by the same", () => {
      const zero = make();
      const shifted = make();
      zero.reader.biases.fill(0);
      shifted.reader.biases.fill(2.5);
      zero.sampler.build(zero.reader);
      shifted.sampler.build(shifted.reader);
      zero.draw(1, ROWS);
      shifted.draw(1, ROWS);
      for (let row = 0; row < ROWS; row++) {
        const a = zero.enumerate(row);
        const b = shifted.enumerate(row);
        const moved = a.filter((logQ, id) => logQ !== b[id] && !(Math.abs(logQ - b[id]) < 1e-5));
        expect(moved).toEqual(new Float32Array(0));
      }
    });
}

/** Other rows and biases, the same for every bench of a shape. */
function changeTable({ reader, memory, n, D }: ContextualBench): void {
  const changed = new TestTable(memory, n, D, 77);
  reader.rows.set(changed.rows);
  reader.biases.set(changed.biases);
}
