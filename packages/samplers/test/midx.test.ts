import { NotFiniteError, OptionError, SamplerError, ShapeError } from "@logq/core";
import { KernelMemory } from "@logq/kernels";
import { TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { midxFrom, planMidx } from "../src/contextual/midx.js";
import { Codebooks } from "../src/contextual/midx-codebooks.js";
import { midxScratch, midxTable, packedBytes } from "../src/contextual/midx-layout.js";
import { type MidxInputs, type MidxOptions, validateMidxOptions } from "../src/contextual/midx-options.js";
import { CONTEXTUAL_BACKENDS, ContextualBench, type ContextualMaker, FASTEST } from "./contextual-bench.js";
import { contextualContract } from "./contextual-contract.js";
import { clusteredTable, exactLogs, klFrom } from "./midx-divergence.js";

type Choices = Omit<MidxOptions, "name">;

function maker(choices: Choices, inputs: Partial<MidxInputs> = {}, unigram?: (n: number) => number[]): ContextualMaker {
  const options: MidxOptions = { name: "midx", ...choices };
  return {
    plan: (n, D) => planMidx(options, n, D),
    create: (n, D, kernels, table, scratch) =>
      midxFrom(options, n, D, kernels, table, scratch, {
        scale: 1,
        hasBiases: true,
        ...inputs,
        ...(unigram === undefined ? {} : { unigram: unigram(n) }),
      }),
  };
}

/** Every third class but the first has no mass. */
const counts = (n: number) => Array.from({ length: n }, (_, id) => (id % 3 === 1 ? 0 : 100 / (id + 1)));
const withoutMass = (n: number) => counts(n).flatMap((count, id) => (count === 0 ? [id] : []));

const MANY = [{ n: 1000, D: 23, S: 64 }];
const SOME = [{ n: 33, D: 16, S: 20 }, ...MANY];

contextualContract("midx, residual codes", maker({ K: 8, refreshSteps: 5 }), {
  refreshSteps: 5,
  refreshIsBuild: false,
});
contextualContract(
  "midx, product codes, τ = 0.8",
  maker({ K: 4, codes: "product", refreshSteps: 2 }, { scale: 1.25 }),
  {
    refreshSteps: 2,
    refreshIsBuild: false,
    shapes: SOME,
  },
);
contextualContract(
  "midx, unigram masses, fewer classes than codes",
  maker({ classFactor: "unigram", refreshSteps: 1 }, {}, counts),
  { refreshSteps: 1, refreshIsBuild: false, withoutMass, shapes: [{ n: 4, D: 3, S: 9 }, ...SOME] },
);
contextualContract("midx, classes alike", maker({ K: 16, refreshSteps: 9 }, { hasBiases: false }), {
  refreshSteps: 9,
  refreshIsBuild: false,
  shapes: MANY,
});

const backend = FASTEST;
const S = 8;

function benchOf(choices: Choices, n: number, D: number, inputs: Partial<MidxInputs> = {}): ContextualBench {
  return new ContextualBench(backend, maker(choices, inputs), n, D, S);
}

describe("the law of midx", () => {
  it("is the softmax of the logits of its codes: with a code for each class the exact softmax, log Q within 1e-4", () => {
    const bench = benchOf({ K: 32 }, 32, 9, { scale: 0.7 });
    bench.sampler.build(bench.reader);
    bench.draw(0, 4);
    for (let row = 0; row < 4; row++) {
      const exact = exactLogs(bench, row, 0.7);
      bench.enumerate(row).forEach((logQ, id) => {
        expect(Math.abs(logQ - Math.log(S) - exact[id])).toBeLessThan(1e-4);
      });
    }
  });

  it("is near the softmax: KL divergence below the unigram's, lower with more codes, lowest with residual ones", () => {
    const kl = (choices: Choices) => {
      const bench = benchOf(choices, 2000, 24);
      clusteredTable(bench, 60);
      bench.sampler.build(bench.reader);
      return klFrom(bench, 16, (row) => bench.enumerate(row));
    };
    const reference = benchOf({ K: 1 }, 2000, 24);
    clusteredTable(reference, 60);
    const total = reference.reader.biases.reduce((sum, bias) => sum + Math.exp(bias), 0);
    const unigram = klFrom(reference, 16, () => reference.reader.biases.map((bias) => bias + Math.log(S / total)));
    // One code in each book: nothing but the factor is left.
    expect(Math.abs(kl({ K: 1 }) - unigram)).toBeLessThan(1e-4);
    const residual = kl({ K: 32 });
    const product = kl({ K: 32, codes: "product" });
    expect(residual).toBeLessThan(product);
    expect(product).toBeLessThan(0.8 * unigram);
    expect(kl({ K: 64 })).toBeLessThan(residual);
    expect(kl({ K: 32, classFactor: "none" })).toBeGreaterThan(1.2 * residual);
  });

  it("is nearer to the softmax since codes are fitted to frequent classes first: KL divergence", () => {
    const kl = (inputs: Partial<MidxInputs>) => {
      const bench = benchOf({ K: 16 }, 2000, 24, inputs);
      clusteredTable(bench, 400);
      // Hidden vectors half as long: as with words, most of the mass stays with frequent classes.
      for (let i = 0; i < 16 * bench.ld; i++) bench.memory.f32[(bench.hidden >>> 2) + i] /= 2;
      bench.sampler.build(bench.reader);
      return klFrom(bench, 16, (row) => bench.enumerate(row));
    };
    const masses = Array.from({ length: 2000 }, (_, id) => 1 / (id + 5));
    const alike = kl({ unigram: new Array(2000).fill(1) });
    expect(kl({})).toBeLessThan(0.95 * alike);
    expect(kl({ unigram: masses })).toBeLessThan(0.95 * alike);
  });

  it("survives logits whose exponentials underflow unless cells are weighed together", () => {
    const bench = benchOf({ K: 2, codes: "product" }, 2, 2, { scale: 5000, hasBiases: false });
    // The best first code is that of class 0, the best second that of class 1, and no class has both.
    bench.reader.rows.set([1, -1, -1, 1]);
    bench.memory.f32.set([1, 1, 1, 0.9999], bench.hidden >>> 2);
    bench.memory.f32.set([1, 0.9999], (bench.hidden >>> 2) + bench.ld);
    bench.sampler.build(bench.reader);
    const drawn = new Set(bench.draw(0, 2).ids);
    expect(drawn.size).toBe(2);
    expect(Math.abs(bench.enumerate(0)[0] - Math.log(S / 2))).toBeLessThan(1e-6);
    const margin = 2 * 5000 * (1 - Math.fround(0.9999));
    const [a, b] = bench.enumerate(1);
    expect(Math.abs(a - b - margin)).toBeLessThan(1e-3);
    expect(Math.abs(Math.exp(a) + Math.exp(b) - S)).toBeLessThan(1e-5 * S);
  });

  it("gives no mass to a class whose factor underflows", () => {
    const bench = benchOf({ K: 2 }, 20, 4);
    bench.reader.biases[7] = -2000;
    bench.sampler.build(bench.reader);
    for (let step = 0; step < 50; step++) expect(bench.draw(step, 2).ids).not.toContain(7);
    const logQ = bench.enumerate(1);
    expect(logQ[7]).toBe(-Infinity);
    expect(Math.abs(logQ.reduce((sum, log) => sum + Math.exp(log), 0) - S)).toBeLessThan(1e-5 * S);
  });

  it("answers ids in range even for hidden vectors that are not finite", () => {
    const bench = benchOf({ K: 8 }, 50, 4);
    bench.sampler.build(bench.reader);
    for (const value of [Number.NaN, Infinity, -Infinity]) {
      bench.memory.f32[bench.hidden >>> 2] = value;
      for (const id of bench.draw(0, 1).ids) expect(id >= 0 && id < 50).toBe(true);
    }
  });
});

describe("the codes of midx", () => {
  it.each(["residual", "product"] as const)(
    "are the best second given the first, and nearly the best pair, by float64 enumeration: %s",
    (codes) => {
      const [K, D, count] = [8, 6, 300];
      const options = validateMidxOptions({ name: "midx", codes, K }, count, D);
      const memory = KernelMemory.create(2 ** 20, false);
      const kernels = CONTEXTUAL_BACKENDS[0].bind(memory);
      const [table, tableBytes] = midxTable(options, count, D, 64);
      const [scratch, scratchBytes] = midxScratch(options, D, 64 + tableBytes);
      expect(64 + tableBytes + scratchBytes).toBeLessThan(memory.bytes);
      const codebooks = new Codebooks(options, D, kernels, table, scratch);
      const rows = new TestRandom(4).normalFloats(count * D);
      const read = (first: number, wanted: number, out: number) =>
        memory.f32.set(rows.subarray(first * D, (first + wanted) * D), out >>> 2);
      codebooks.build({ count, D, read });
      const cells = new Int32Array(count);
      read(0, count, scratch.rows);
      codebooks.encode(count, cells, 0, 1);
      const code = memory.floats(table.codebooks, 2 * K * D);
      const error = (i: number, k: number, l: number) => {
        let sum = 0;
        for (let d = 0; d < D; d++) sum += (rows[i * D + d] - code[k * D + d] - code[(K + l) * D + d]) ** 2;
        return sum;
      };
      let chosen = 0;
      let best = 0;
      cells.forEach((cell, i) => {
        const k = Math.floor(cell / K);
        const errors = Array.from({ length: K * K }, (_, other) => error(i, Math.floor(other / K), other % K));
        expect(errors[cell]).toBeLessThan(Math.min(...errors.slice(k * K, (k + 1) * K)) + 1e-4);
        chosen += errors[cell];
        best += Math.min(...errors);
      });
      expect(chosen).toBeLessThan((codes === "product" ? 1.0001 : 1.1) * best);
    },
  );
});

describe("the refresh of midx", () => {
  it("keeps the law until the pass ends, then has one as near to the new softmax as a build's", () => {
    const refreshed = benchOf({ K: 16, refreshSteps: 6 }, 2000, 12);
    refreshed.sampler.build(refreshed.reader);
    const before = refreshed.draw(9, 2);
    clusteredTable(refreshed, 40);
    for (let step = 6; step < 11; step++) {
      refreshed.refresh(step);
      expect(refreshed.draw(9, 2)).toEqual(before);
    }
    refreshed.refresh(11);
    expect(refreshed.draw(9, 2)).not.toEqual(before);
    for (let step = 12; step < 60; step++) refreshed.refresh(step);
    const fresh = benchOf({ K: 16 }, 2000, 12);
    clusteredTable(fresh, 40);
    fresh.sampler.build(fresh.reader);
    const [a, b] = [refreshed, fresh].map((bench) => {
      bench.draw(0, 16);
      return klFrom(bench, 16, (row) => bench.enumerate(row));
    });
    expect(a).toBeLessThan(1.3 * b);
  });

  it("that begins within a pass waits for the next", () => {
    const bench = benchOf({ K: 4, refreshSteps: 4 }, 300, 6);
    bench.sampler.build(bench.reader);
    const before = bench.draw(9, 2);
    bench.reader.rows.reverse();
    for (let step = 2; step < 7; step++) bench.refresh(step);
    expect(bench.draw(9, 2)).toEqual(before);
    bench.refresh(7);
    expect(bench.draw(9, 2)).not.toEqual(before);
  });
});

describe("the border of midx", () => {
  it("plans enough for what back-ends pack", () => {
    for (const { bind } of CONTEXTUAL_BACKENDS) {
      const { matrix } = bind(KernelMemory.create(1, false));
      for (const [K, N] of [
        [1, 2],
        [3, 31],
        [128, 33],
        [64, 512],
      ]) {
        expect(matrix.packedBytes(K, N)).toBeLessThanOrEqual(packedBytes(K, N));
      }
    }
  });

  const plan = (options: object, n = 10, D = 4) => planMidx(options as MidxOptions, n, D);

  it("refuses options out of range, unknown ones, and shapes that cannot be", () => {
    const wrong: object[] = [
      {},
      { name: "lsh" },
      { name: "midx", codebooks: 3 },
      { name: "midx", K: 48 },
      { name: "midx", K: 512 },
      { name: "midx", codes: "hashed" },
      { name: "midx", classFactor: "counts" },
      { name: "midx", refreshSteps: 0 },
    ];
    for (const options of wrong) expect(() => plan(options)).toThrow(OptionError);
    expect(() => plan({ name: "midx" }, 0)).toThrow(OptionError);
    expect(() => plan({ name: "midx" }, 10, 0)).toThrow(OptionError);
    expect(() => plan({ name: "midx", codes: "product" }, 10, 1)).toThrow(OptionError);
    expect(() => benchOf({}, 10, 4, { scale: 0 })).toThrow(OptionError);
  });

  it("refuses unigram masses that are absent, too few, not finite, negative or all 0", () => {
    const build = (unigram?: number[]) => {
      const bench = benchOf({ classFactor: "unigram" }, 3, 4, unigram === undefined ? {} : { unigram });
      bench.sampler.build(bench.reader);
    };
    expect(() => build()).toThrow(OptionError);
    expect(() => build([1, 2])).toThrow(ShapeError);
    expect(() => build([1, 2, Number.NaN])).toThrow(NotFiniteError);
    expect(() => build([1, -2, 1])).toThrow(SamplerError);
    expect(() => build([0, 0, 0])).toThrow(SamplerError);
  });
});
