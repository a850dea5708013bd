import { OptionError, SamplerError } from "@logq/core";
import { describe, expect, it } from "vitest";
import { lshFrom, planLsh } from "../src/contextual/lsh.js";
import type { LshInputs, LshOptions } from "../src/contextual/lsh-options.js";
import { ContextualBench, type ContextualMaker, FASTEST } from "./contextual-bench.js";
import { contextualContract } from "./contextual-contract.js";
import { KEY } from "./contract.js";
import { clusteredTable, klFrom } from "./midx-divergence.js";

type Choices = Omit<LshOptions, "name">;

function maker(choices: Choices, unigram?: (n: number) => number[]): ContextualMaker {
  const options: LshOptions = { name: "lsh", ...choices };
  return {
    plan: (n, D) => planLsh(options, n, D),
    create(n, D, kernels, table, scratch) {
      const inputs: LshInputs = { key: KEY, ...(unigram === undefined ? {} : { unigram: unigram(n) }) };
      return lshFrom(options, n, D, kernels, table, scratch, inputs);
    },
  };
}

/** Every third class but the first has no mass. */
const counts = (n: number) => Array.from({ length: n }, (_, id) => (id % 3 === 1 ? 0 : 100 / (id + 1)));
const withoutMass = (n: number) => counts(n).flatMap((count, id) => (count === 0 ? [id] : []));

const SOME = [
  { n: 33, D: 16, S: 20 },
  { n: 1000, D: 23, S: 64 },
];

// A pass begins at a multiple of its steps: after twice as many but one, a whole one lies within any run of steps.
contextualContract("lsh, simhash", maker({ tables: 4, bits: 5, refreshSteps: 5 }), { refreshSteps: 9 });
contextualContract(
  "lsh, winner-take-all, unigram masses",
  maker({ hash: "winner-take-all", tables: 5, bits: 6, classFactor: "unigram", refreshSteps: 1 }, counts),
  { refreshSteps: 1, shapes: SOME, withoutMass },
);
contextualContract("lsh, slide", maker({ candidates: "slide", tables: 4, refreshSteps: 2 }), { refreshSteps: 3 });

const backend = FASTEST;

function benchOf(choices: Choices, n: number, D: number, S: number, unigram?: number[]): ContextualBench {
  const bench = new ContextualBench(backend, maker(choices, unigram && (() => unigram)), n, D, S);
  return bench;
}

describe("the law of lsh", () => {
  it.each(["simhash", "winner-take-all"] as const)(
    "gives a class whose row is the hidden vector the most: %s",
    (hash) => {
      const bench = benchOf({ hash, tables: 8 }, 400, 16, 8);
      for (let row = 2; row < 40; row++) {
        const at = (bench.hidden >>> 2) + row * bench.ld;
        bench.reader.rows.set(bench.memory.f32.subarray(at, at + 16), 10 * row * 16);
      }
      bench.sampler.build(bench.reader);
      bench.draw(0, 40);
      for (let row = 2; row < 40; row++) {
        const logQ = bench.enumerate(row);
        expect(logQ[10 * row]).toBe(Math.max(...logQ));
      }
    },
  );

  it("is nearer to the softmax than the law of the weights alone: KL divergence", () => {
    const bench = benchOf({ tables: 32 }, 2000, 24, 8);
    clusteredTable(bench, 60);
    bench.reader.biases.fill(0);
    bench.sampler.build(bench.reader);
    const uniform = klFrom(bench, 16, () => new Float32Array(2000).fill(Math.log(8 / 2000)));
    expect(klFrom(bench, 16, (row) => bench.enumerate(row))).toBeLessThan(0.85 * uniform);
  });

  it("is that of the weights where all buckets are empty, or all is mixed in", () => {
    const bench = benchOf({ tables: 1, bits: 16 }, 3, 40, 8);
    bench.sampler.build(bench.reader);
    const all = benchOf({ tables: 3, mixture: 1 }, 3, 40, 8);
    all.sampler.build(all.reader);
    for (const { enumerate, draw } of [bench, all].map((one) => ({
      enumerate: () => one.enumerate(0),
      draw: () => one.draw(0, 1),
    }))) {
      draw();
      for (const logQ of enumerate()) expect(Math.abs(logQ - Math.log(8 / 3))).toBeLessThan(1e-6);
    }
  });
});

describe("slide's candidates", () => {
  it("say that they are biased, and are the classes that most tables found, each once, with one log Q for all", () => {
    const S = 30;
    const slide = benchOf({ candidates: "slide", tables: 12, bits: 4 }, 500, 16, S);
    expect(slide.sampler.biased).toBe(true);
    const honest = benchOf({ tables: 12, bits: 4 }, 500, 16, S);
    expect(honest.sampler.biased).toBe(false);
    for (const bench of [slide, honest]) bench.sampler.build(bench.reader);
    const { ids, logQ } = slide.draw(0, 8);
    honest.draw(0, 8);
    for (let row = 0; row < 8; row++) {
      // Classes weigh alike, so the honest law rises with the number of tables.
      const matches = honest.enumerate(row);
      const taken = ids.subarray(row * S, (row + 1) * S);
      expect(new Set(taken).size).toBe(S);
      const least = Math.min(...[...taken].map((id) => matches[id]));
      const passedOver = matches.filter((_, id) => !taken.includes(id));
      expect(Math.max(...passedOver)).toBeLessThanOrEqual(least);
      const told = new Set([...logQ.subarray(row * S, (row + 1) * S), ...slide.enumerate(row)]);
      expect(told.size).toBe(1);
      expect([...told][0]).toBeLessThan(0);
    }
  });

  it("are filled up where tables find too few", () => {
    const bench = benchOf({ candidates: "slide", tables: 1, bits: 16 }, 5, 30, 12);
    bench.sampler.build(bench.reader);
    const { ids, logQ } = bench.draw(0, 1);
    for (const id of ids) expect(id >= 0 && id < 5).toBe(true);
    expect([...logQ]).toEqual(new Array(12).fill(0));
  });
});

describe("the border of lsh", () => {
  it("refuses options out of range, unknown ones, and shapes that cannot be", () => {
    const plan = (options: object, n = 10, D = 16) => planLsh({ name: "lsh", ...options } as LshOptions, n, D);
    const wrong: object[] = [
      { name: "midx" },
      { L: 3 },
      { hash: "minhash" },
      { tables: 0 },
      { tables: 257 },
      { bits: 17 },
      { hash: "winner-take-all", bits: 4 },
      { candidates: "best" },
      { mixture: 0 },
      { mixture: 1.5 },
      { classFactor: "bias" },
      { refreshSteps: 0 },
    ];
    for (const options of wrong) expect(() => plan(options)).toThrow(OptionError);
    expect(() => plan({}, 0)).toThrow(OptionError);
    expect(() => plan({ hash: "winner-take-all" }, 10, 7)).toThrow(OptionError);
  });

  it("refuses unigram masses that are absent or all 0", () => {
    const build = (unigram?: number[]) => {
      const bench = benchOf({ classFactor: "unigram" }, 3, 4, 2, unigram);
      bench.sampler.build(bench.reader);
    };
    expect(() => build()).toThrow(OptionError);
    expect(() => build([0, 0, 0])).toThrow(SamplerError);
  });
});
