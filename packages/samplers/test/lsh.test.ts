import { NotFiniteError, OptionError, SamplerError, ShapeError } from "@logq/core";
import { MAX_MEMORY_BYTES, MemoryPlan } from "@logq/kernels";
import { describe, expect, it } from "vitest";
import { lshFrom, planLsh } from "../src/contextual/lsh.js";
import { storedClasses, storeWeights } from "../src/contextual/lsh-class-law.js";
import { type BucketsLayout, lshTable } from "../src/contextual/lsh-layout.js";
import { type LshHash, type LshInputs, type LshOptions, validateLshOptions } from "../src/contextual/lsh-options.js";
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

/** From 1e-12 to 1e12, so that most classes weigh the least there is. */
const decades = (n: number) => Array.from({ length: n }, (_, id) => 10 ** (12 - 6 * (id % 5)));

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
contextualContract(
  "lsh, masses of 24 decades",
  maker({ tables: 4, bits: 3, classFactor: "unigram", refreshSteps: 2 }, decades),
  { refreshSteps: 3, shapes: [{ n: 1, D: 3, S: 2 }, ...SOME] },
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

const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

/** The stored weights of a unigram law. */
function stored(weights: readonly number[]) {
  const n = weights.length;
  const plan = new MemoryPlan();
  const running = plan.reserve("running sums", 4 * n);
  const memory = plan.allocate(false);
  storeWeights(weights, n, memory, running);
  const law = storedClasses(n, memory, running);
  return { law, k: weights.map((_, id) => law.weight(id)) };
}

describe("unigram weights of lsh", () => {
  const some: readonly (readonly [string, readonly number[]])[] = [
    ["one class", [0.3]],
    ["one class of three", [0, 1e-300, 0]],
    ["equal ones", new Array(1000).fill(7)],
    ["counts, some of them 0", counts(1000)],
    ["24 decades", decades(1003)],
    ["one heavy class before many light ones", [1, ...new Array(50_000).fill(2 ** -54)]],
    ["halves of a unit", Array.from({ length: 5000 }, (_, id) => id + 0.5)],
  ];

  it.each(some)("are whole numbers of a sum below 2^32, nearest to their shares, 0 only of 0: %s", (_, weights) => {
    const { law, k } = stored(weights);
    const sum = total(weights);
    const R = 2 ** 32 - 1 - 2 * weights.filter((weight) => weight > 0).length;
    const wrong = weights.filter((weight, id) => {
      if (weight === 0) return k[id] !== 0;
      return !(Number.isInteger(k[id]) && Math.abs(k[id] - Math.max(1, (R * weight) / sum)) < 0.5 + 1e-5);
    });
    expect(wrong).toEqual([]);
    expect(law.total()).toBe(total(k));
    expect(law.total()).toBeLessThan(2 ** 32);
  });

  it("of equal classes are equal", () => {
    expect(new Set(stored(new Array(1000).fill(0.1)).k).size).toBe(1);
    // 1e12, 1e6, and all others 1 unit.
    expect(new Set(stored(decades(1003)).k).size).toBe(3);
  });

  it.each(some)("give each class the uniforms of its own k units of K, and no other: %s", (_, weights) => {
    const { law, k } = stored(weights);
    const K = law.total();
    let before = 0;
    const wrong = k.filter((units, id) => {
      const first = law.draw((before + 0.001) / K);
      before += units;
      return units > 0 && (first !== id || law.draw((before - 0.001) / K) !== id);
    });
    expect(wrong).toEqual([]);
    expect(law.draw(0)).toBe(k.findIndex((units) => units > 0));
    expect(law.draw(1 - 2 ** -53)).toBe(k.findLastIndex((units) => units > 0));
  });
});

/** Tables of 400 classes, of which class 10·row has the hidden vector of row `row` in ROWS, so that its buckets are those of the row. */
class WeightedTables {
  static readonly ROWS = [2, 3, 4, 5, 6, 7, 8, 9];
  static readonly MIXTURE = 0.3;
  readonly n = 400;
  readonly S = 8;
  readonly T = 6;
  /** Buckets of a table. */
  readonly C = 8;
  readonly bench: ContextualBench;
  /** What the classes weigh. */
  readonly k: readonly number[];
  readonly #buckets: BucketsLayout;

  /** @param generation of the tables to look at: 0 is that of the build, 1 that of the first refresh */
  constructor(hash: LshHash, generation: number) {
    const { n, S, T } = this;
    const D = 16;
    const weights = decades(n).map((weight, id) => (id % 7 === 3 ? 0 : weight + 1e11 / (id + 1)));
    const tables: Choices = { hash, tables: T, bits: Math.log2(this.C), mixture: WeightedTables.MIXTURE };
    const choices: Choices = { ...tables, classFactor: "unigram", refreshSteps: 1 };
    this.bench = benchOf(choices, n, D, S, weights);
    const { reader, memory, hidden, ld, table, sampler } = this.bench;
    for (const row of WeightedTables.ROWS) {
      const at = (hidden >>> 2) + row * ld;
      reader.rows.set(memory.f32.subarray(at, at + D), 10 * row * D);
    }
    sampler.build(reader);
    if (generation === 1) this.bench.refresh(0);
    this.k = stored(weights).k;
    const [layout] = lshTable(validateLshOptions({ name: "lsh", ...choices }, n, D), n, D, table);
    this.#buckets = layout.buckets[generation];
  }

  /** The bucket of a class in table t. */
  code(id: number, t: number): number {
    const u16 = new Uint16Array(this.bench.memory.memory.buffer);
    return u16[(this.#buckets.codes >>> 1) + id * this.T + t];
  }

  /** The members of a bucket in order, and the running sums beside them. */
  bucket(t: number, code: number): { ids: Int32Array; running: Uint32Array } {
    const { i32, u32 } = this.bench.memory;
    const { offsets, members, running } = this.#buckets;
    const at = (offsets >>> 2) + t * (this.C + 1) + code;
    const [from, to] = [t * this.n + i32[at], t * this.n + i32[at + 1]];
    return {
      ids: i32.subarray((members >>> 2) + from, (members >>> 2) + to),
      running: u32.subarray((running >>> 2) + from, (running >>> 2) + to),
    };
  }

  /** q(i | h) of every class for a row, from the codes and from whole numbers alone. */
  law(row: number): number[] {
    const { k, T } = this;
    const matches = k.map((_, id) => {
      let tables = 0;
      for (let t = 0; t < T; t++) if (this.code(id, t) === this.code(10 * row, t)) tables++;
      return tables;
    });
    const M = total(k.map((units, id) => units * matches[id]));
    const { MIXTURE } = WeightedTables;
    return k.map((units, id) => units * (MIXTURE / total(k) + ((1 - MIXTURE) * matches[id]) / M));
  }
}

describe.each([
  ["simhash", 0],
  ["simhash", 1],
  ["winner-take-all", 0],
  ["winner-take-all", 1],
] as const)("tables of weighted classes, %s, generation %d", (hash, generation) => {
  it("hold every class once, and the exact sums of each bucket", () => {
    const tables = new WeightedTables(hash, generation);
    for (let t = 0; t < tables.T; t++) {
      const found: number[] = [];
      for (let code = 0; code < tables.C; code++) {
        const { ids, running } = tables.bucket(t, code);
        let sum = 0;
        expect([...running]).toEqual(Array.from(ids, (id) => (sum += tables.k[id])));
        for (const id of ids) expect(tables.code(id, t)).toBe(code);
        found.push(...ids);
      }
      expect(new Set(found).size).toBe(tables.n);
      expect(found.length).toBe(tables.n);
    }
  });

  it("have a law that sums to 1, to 1e-12, and is the one told, to half a unit of a float32", () => {
    const tables = new WeightedTables(hash, generation);
    tables.bench.draw(0, 10);
    for (const row of WeightedTables.ROWS) {
      const q = tables.law(row);
      expect(Math.abs(total(q) - 1)).toBeLessThan(1e-12);
      const told = tables.bench.enumerate(row);
      const wrong = q.filter((value, id) => {
        const logQ = Math.log(tables.S * value);
        return told[id] !== logQ && !(Math.abs(told[id] - logQ) <= 2 ** -24 * Math.abs(logQ) + 1e-12);
      });
      expect(wrong).toEqual([]);
    }
  });
});

describe("the memory of lsh", () => {
  const bytes = (choices: Choices, n: number) => planLsh({ name: "lsh", ...choices }, n, 128).tableBytes;

  it.each([1, 16, 50])(
    "is 12 bytes a class and table, 20 if classes weigh something, and 4 a class: %d tables",
    (T) => {
      const perClass = (choices: Choices) => (bytes(choices, 1_640_000) - bytes(choices, 640_000)) / 1_000_000;
      expect(perClass({ tables: T })).toBe(12 * T);
      expect(perClass({ tables: T, classFactor: "unigram" })).toBe(20 * T + 4);
    },
  );

  it("fits one memory at ten million classes that weigh something, with room for a step's draws", () => {
    const plan = planLsh({ name: "lsh", classFactor: "unigram" }, 10_000_000, 128);
    expect(plan.tableBytes + plan.scratchBytes).toBeLessThan(0.76 * MAX_MEMORY_BYTES);
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

  it("refuses unigram masses that are absent, all 0, negative or not finite, of another number or of no finite sum", () => {
    const build = (unigram?: number[]) => {
      const bench = benchOf({ classFactor: "unigram" }, 3, 4, 2, unigram);
      bench.sampler.build(bench.reader);
    };
    expect(() => build()).toThrow(OptionError);
    expect(() => build([0, 0, 0])).toThrow(SamplerError);
    expect(() => build([1, -1, 2])).toThrow(SamplerError);
    expect(() => build([1, Infinity, 2])).toThrow(NotFiniteError);
    expect(() => build([1, Number.NaN, 2])).toThrow(NotFiniteError);
    expect(() => build([1, 2, 3, 4])).toThrow(ShapeError);
    expect(() => build([1e308, 1e308, 0])).toThrow("sum of the unigram weights");
  });
});
