import { buildAliasTable, drawAlias, KeyedPermutation, portableExp, RandomStream, STREAM } from "@logq/core";
import { AWKWARD_SIZES, expectAllClose, TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { ALIAS_RECORD_BYTES, type DrawAddress } from "../src/index.js";
import { BACKENDS, type Backend } from "./support/backends.js";
import { type Bench, onBench } from "./support/bench.js";

const KEY = { low: 0x9abcdef0, high: 0x12345678 };
const DRAWS: readonly DrawAddress[] = [
  { key: KEY, stream: STREAM.candidates, step: 0, item: 0 },
  { key: { low: 0, high: 0xffffffff }, stream: STREAM.rowCandidates, step: 2 ** 40 + 2 ** 31 + 5, item: 2 ** 32 - 1 },
];

/** Both uniforms of pair `index`: what the samplers take for a try. */
function pair({ key, stream, step, item }: DrawAddress, index: number): [number, number] {
  const random = new RandomStream(key, stream, step, item);
  return [random.uniform(2 * index), random.uniform(2 * index + 1)];
}

function expectedBy(
  draw: DrawAddress,
  first: number,
  count: number,
  law: (u1: number, u2: number) => number,
): number[] {
  return Array.from({ length: count }, (_, i) => law(...pair(draw, first + i)));
}

const COUNTS = [0, ...AWKWARD_SIZES.filter((size) => size <= 130), 1000];

describe.each(BACKENDS)("uniformPairs: $name", (backend) => {
  it("are the addressed uniforms, bit for bit, for any count and first pair, and nothing beyond them is written", () => {
    for (const [d, draw] of DRAWS.entries()) {
      for (const [at, count] of COUNTS.entries()) {
        const first = [0, 3, 2 ** 24][(at + d) % 3]!;
        const got = onBench(backend, (bench) => {
          const out = bench.doubles(new Float64Array(2 * count + 2).fill(-1));
          bench.kernels.draws.uniformPairs(out.address, count, draw, first);
          return [...out.read()];
        });
        const pairs = Array.from({ length: count }, (_, i) => pair(draw, first + i));
        expect(got).toEqual([...pairs.flat(), -1, -1]);
      }
    }
  });
});

describe.each(BACKENDS)("uniformIds: $name", (backend) => {
  it("is ⌊u·range⌋ of the addressed uniforms, bit for bit, for any count, range and first pair", () => {
    for (const [d, draw] of DRAWS.entries()) {
      for (const [at, count] of COUNTS.entries()) {
        const range = [1, 2, 1000, 2 ** 31 - 1][at % 4]!;
        const first = [0, 3, 2 ** 24][(at + d) % 3]!;
        const ids = onBench(backend, (bench) => {
          const out = bench.ints(new Int32Array(count));
          bench.kernels.draws.uniformIds(out.address, count, range, draw, first);
          return [...out.read()];
        });
        expect(ids).toEqual(expectedBy(draw, first, count, (u) => Math.floor(u * range)));
      }
    }
  });
});

describe.each(BACKENDS)("the log-uniform law: $name", (backend) => {
  function drawn(count: number, n: number, logRange: number, draw: DrawAddress, first: number): number[] {
    return onBench(backend, (bench) => {
      const ids = bench.ints(new Int32Array(count).fill(-1));
      bench.kernels.draws.logUniformIds(ids.address, count, n, logRange, draw, first);
      return [...ids.read()];
    });
  }

  function expectDrawn(count: number, n: number, logRange: number, draw: DrawAddress, first: number): void {
    const law = (u: number) => (Math.floor(portableExp(u * logRange)) - 1) % n;
    expect(drawn(count, n, logRange, draw, first)).toEqual(expectedBy(draw, first, count, law));
  }

  it("logUniformIds has the bits of portableExp, for any count, number of classes and first pair", () => {
    for (const [at, n] of [1, 2, 31, 33, 1000, 1_000_000, 2 ** 31 - 3, 2 ** 31 - 2].entries()) {
      for (const [c, count] of COUNTS.entries()) {
        expectDrawn(count, n, Math.log(n + 1), DRAWS[(at + c) % 2]!, [0, 3, 2 ** 24][(at + c) % 3]!);
      }
    }
  });

  it("logUniformIds has them to the last one: exponentials within some steps of float64 of an integer", () => {
    for (let first = 0; first < 300; first++) {
      const [u] = pair(DRAWS[0]!, first);
      const logRange = Math.log(2 + first) / u;
      for (const by of [-2, -1, 0, 1]) expectDrawn(1, 2 ** 31 - 2, logRange * (1 + by * 2 ** -52), DRAWS[0]!, first);
    }
  });

  it("logUniformIds has class 0 where the exponential comes to n + 1", () => {
    for (const n of [1, 2, 33]) {
      const logRange = Math.log(n + 1.99);
      expectDrawn(1000, n, logRange, DRAWS[0]!, 0);
      const exponentials = expectedBy(DRAWS[0]!, 0, 1000, (u) => Math.floor(portableExp(u * logRange)));
      expect(exponentials).toContain(n + 1);
    }
  });

  it("logUniformLogs is offset + log log((c + 2)/(c + 1)), rounded to float32, for small classes and large ones", () => {
    const near = Array.from({ length: 32 }, (_, bits) => [-3, -2, -1, 0, 1].map((by) => 2 ** bits + by)).flat();
    const ids = [...Array.from({ length: 70 }, (_, id) => id), ...near.filter((id) => id >= 0 && id < 2 ** 31 - 2)];
    const truth = (id: number, offset: number) => offset + Math.log(Math.log1p(1 / (id + 1)));
    for (const [at, count] of [...COUNTS.filter((count) => count <= ids.length), ids.length].entries()) {
      const some = ids.slice(ids.length - count);
      for (const offset of [0, [0.5, 6.25, -3][at % 3]!]) {
        const logs = onBench(backend, (bench) => {
          const out = bench.output(1, count);
          bench.kernels.draws.logUniformLogs(out.address, bench.ints(some).address, count, offset);
          return out.read();
        });
        const exact = some.map((id) => truth(id, offset));
        expectAllClose(logs, exact, { relative: 1.2e-7, absolute: 1e-7 });
      }
    }
  });
});

/** Writes an alias table of `weights` and answers where it lies. */
function placeTable(bench: Bench, weights: readonly number[]): number {
  const table = buildAliasTable(weights);
  const total = weights.reduce((a, b) => a + b, 0);
  const address = bench.doubles(new Float64Array((weights.length * ALIAS_RECORD_BYTES) / 8)).address;
  for (const [id, weight] of weights.entries()) {
    const record = address + ALIAS_RECORD_BYTES * id;
    bench.memory.f64[record / 8] = table.threshold[id]!;
    bench.memory.f64[record / 8 + 1] = Math.log(weight / total);
    bench.memory.i32[record / 4 + 4] = table.alias[id]!;
  }
  return address;
}

describe.each(BACKENDS)("alias tables: $name", (backend) => {
  function drawn(backend: Backend, weights: readonly number[], count: number, draw: DrawAddress, first: number) {
    return onBench(backend, (bench) => {
      const table = placeTable(bench, weights);
      const ids = bench.ints(new Int32Array(count));
      const logs = bench.output(1, count);
      const scratch = bench.bytes(bench.kernels.draws.scratchBytes);
      bench.kernels.draws.aliasIds(ids.address, count, table, weights.length, draw, first, scratch);
      bench.kernels.draws.aliasLogs(logs.address, ids.address, count, table, 0.25);
      return { ids: [...ids.read()], logs: [...logs.read()] };
    });
  }

  it("aliasIds draws what drawAlias draws, bit for bit, and aliasLogs tells offset + log p", () => {
    for (const [at, count] of COUNTS.entries()) {
      const n = [1, 2, 37, 5000][at % 4]!;
      const random = new TestRandom(n + count);
      const weights = Array.from({ length: n }, () => (random.uniform() < 0.2 ? 0 : random.uniform() ** 3));
      weights[n >> 1] = 1;
      const table = buildAliasTable(weights);
      const draw = DRAWS[at % 2]!;
      const got = drawn(backend, weights, count, draw, at);
      expect(got.ids).toEqual(expectedBy(draw, at, count, (u1, u2) => drawAlias(table, u1, u2)));
      const total = weights.reduce((a, b) => a + b, 0);
      expect(got.logs).toEqual(got.ids.map((id) => Math.fround(0.25 + Math.log(weights[id]! / total))));
    }
  });
});

describe.each(BACKENDS)("permuted: $name", (backend) => {
  it("sends every position where KeyedPermutation sends it, sizes 1 to 2^31", () => {
    for (const size of [1, 2, 3, 5, 63, 64, 65, 1000, 16_385, 65_535, 65_536, 65_537, 2 ** 31 - 1, 2 ** 31]) {
      for (const most of [1300, 1, 7, 17]) {
        const permutation = new KeyedPermutation(size, KEY, most);
        const count = Math.min(size, most);
        const first = size - count;
        const got = onBench(backend, (bench) => {
          const out = bench.ints(new Int32Array(count));
          bench.kernels.draws.permuted(
            out.address,
            count,
            permutation,
            first,
            bench.ints(new Int32Array(count)).address,
          );
          return [...out.read()];
        });
        expect(got).toEqual(Array.from({ length: count }, (_, i) => permutation.at(first + i)));
        if (count === size) expect(new Set(got).size).toBe(size);
      }
    }
  });
});
