import { type Key, philox, STREAM, stepLow, streamWord } from "@logq/core";
import { crossSparsely, expectBinomial, TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { BACKENDS, type Backend } from "./support/backends.js";
import { onBench } from "./support/bench.js";

const KEY: Key = { low: 0x1234567, high: 0x89abcdef };
const SENTINEL = 0x7fa5;

const SHAPES = crossSparsely(
  { D: [1, 2, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 65, 128], count: [0, 1, 2, 17, 35], indexed: [0, 1] },
  2,
);

const ROWS = 41;

/** The bits of float32 numbers. */
function bitsOf(values: ArrayLike<number>): Uint32Array {
  return new Uint32Array(Float32Array.from(values).buffer);
}

function fromBits(bits: ArrayLike<number>): Float32Array {
  return new Float32Array(Uint32Array.from(bits).buffer);
}

/** Rounding as its definition says, element by element. */
function roundTruth(x: number, row: number, d: number, step: number, table: number): number {
  const words = new Uint32Array(4);
  philox(KEY, table * 2 ** 24 + Math.floor(d / 8), row, stepLow(step), streamWord(STREAM.rounding, step), words);
  const word = words[Math.floor(d / 2) % 4]!;
  const random = d % 2 === 0 ? word % 65536 : Math.floor(word / 65536);
  const [bits] = bitsOf([x]);
  if (!Number.isFinite(x)) return bits! >>> 16;
  const lower = Math.floor(bits! / 65536);
  return bits! % 65536 > 65535 - random ? lower + 1 : lower;
}

interface Rounding {
  readonly rows?: ArrayLike<number> | undefined;
  readonly ids: ArrayLike<number>;
  readonly step?: number;
  readonly table?: number;
}

/** The whole table (ROWS, ld) of 16-bit halves after a rounding. */
function round(backend: Backend, source: ArrayLike<number>, D: number, ld: number, of: Rounding): Uint16Array {
  const count = of.ids.length;
  return onBench(backend, (bench) => {
    const from = bench.matrix(source, count, D, count > 1 ? 3 : 0);
    const indices = of.rows === undefined ? 0 : bench.ints(of.rows).address;
    const ids = bench.ints(of.ids).address;
    const table = bench.bytes(2 * ROWS * ld);
    const halves = new Uint16Array(bench.memory.u8.buffer, table, ROWS * ld).fill(SENTINEL);
    const draw = { key: KEY, step: of.step ?? 0, table: of.table ?? 0 };
    bench.kernels.narrow.roundRows(table, ld, indices, from.address, from.ld, count, D, ids, draw);
    const after = halves.slice();
    // The bench looks for its own sentinels.
    new Uint32Array(halves.buffer, table, (ROWS * ld) / 2).fill(0x7fa5a5a5);
    return after;
  });
}

describe.each(BACKENDS)("bfloat16 rows: $name", (backend) => {
  it("are widened exactly, infinities and NaN too, and nothing else is written", () => {
    for (const { D, count, indexed } of SHAPES) {
      const random = new TestRandom(100 * D + count);
      const ld = 8 * Math.ceil(D / 8);
      const halves = Uint16Array.from(random.integers(ROWS * ld, 65536));
      const rows = indexed === 1 ? random.integers(count, ROWS) : undefined;
      const got = onBench(backend, (bench) => {
        const table = bench.bytes(2 * ROWS * ld);
        new Uint16Array(bench.memory.u8.buffer, table, ROWS * ld).set(halves);
        const indices = rows === undefined ? 0 : bench.ints(rows).address;
        const out = bench.output(count, D, count > 1 ? 5 : 0);
        bench.kernels.narrow.widenRows(out.address, out.ld, table, ld, indices, count, D);
        const words = Array.from({ length: count * D }, (_, i) => {
          return bench.memory.u32[(out.address >>> 2) + Math.floor(i / D) * out.ld + (i % D)];
        });
        return words;
      });
      const truth = Array.from({ length: count * D }, (_, i) => {
        const j = Math.floor(i / D);
        return halves[(rows === undefined ? j : rows[j]!) * ld + (i % D)]! * 65536;
      });
      expect(got).toEqual(truth);
    }
  });

  it("are rounded by the bits that (key, step, table, id, element) names, and other elements stay", () => {
    for (const { D, count, indexed } of SHAPES) {
      const random = new TestRandom(100 * D + count + 1);
      const ld = 8 * Math.ceil(D / 8);
      const source = random.normalFloats(count * D, 0.1);
      const rows = indexed === 1 ? Int32Array.from(random.distinctIntegers(count, ROWS)) : undefined;
      const ids = random.integers(count, 2 ** 31 - 1);
      const [step, table] = [3 + 2 ** 33, 17];
      const got = round(backend, source, D, ld, { rows, ids, step, table });
      const truth = new Uint16Array(ROWS * ld).fill(SENTINEL);
      for (let i = 0; i < count * D; i++) {
        const [j, d] = [Math.floor(i / D), i % D];
        truth[(rows === undefined ? j : rows[j]!) * ld + d] = roundTruth(source[i]!, ids[j]!, d, step, table);
      }
      expect(got).toEqual(truth);
    }
  });

  it("keep what bfloat16 can hold, whatever the bits, and what is no finite number", () => {
    const words = [0, 0x80000000, 0x3f800000, 0xbf810000, 0x00010000, 0x7f7f0000, 0x7f800000, 0xff800000, 0x7fc00000];
    for (let step = 0; step < 50; step++) {
      const got = round(backend, fromBits(words), words.length, 16, { ids: [step], step });
      expect(Array.from(got.subarray(0, words.length))).toEqual(words.map((word) => word >>> 16));
    }
    const nan = round(backend, fromBits([0x7fffffff, 0xffffffff]), 2, 8, { ids: [1] });
    expect(Array.from(nan.subarray(0, 2))).toEqual([0x7fff, 0xffff]);
  });

  it("round up as often as the distance asks for: unbiased, false-alarm rate 1e-9", () => {
    const D = 64;
    const shares = [1 / 65536, 0.001, 0.1, 0.25, 0.5, 0.9, 0.999, 65535 / 65536];
    const trials = 40 * 25 * (D / 8);
    for (const [s, share] of shares.entries()) {
      // Both signs and several binades; rounding is by magnitude.
      const uppers = [0x3f80, 0xbf80, 0x3e12, 0xc234, 0x3f7f, 0x0001, 0xbdff, 0x4000];
      const low = Math.round(share * 65536);
      const source = fromBits(Array.from({ length: 25 * D }, (_, i) => uppers[i % 8]! * 65536 + low));
      const ups = new Float64Array(8);
      for (let step = 0; step < 40; step++) {
        const ids = Int32Array.from({ length: 25 }, (_, j) => j);
        const got = round(backend, source, D, D, { ids, step: 1000 * s + step });
        for (let i = 0; i < 25 * D; i++) ups[i % 8]! += got[i]! - uppers[i % 8]!;
      }
      ups.forEach((count, u) => {
        expectBinomial(count, trials, low / 65536, 1e-9, 64, `share ${share}, upper ${uppers[u]!.toString(16)}`);
      });
    }
  });
});
