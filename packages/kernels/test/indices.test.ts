import { AWKWARD_SIZES, TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { BACKENDS, type Backend } from "./support/backends.js";
import { onBench } from "./support/bench.js";

const LARGEST = 2 ** 31 - 1;

function sort(backend: Backend, keys: ArrayLike<number>, values: ArrayLike<number>, maxKey: number) {
  return onBench(backend, (bench) => {
    const { indices } = bench.kernels;
    const k = bench.ints(keys);
    const v = bench.ints(values);
    const scratch = bench.bytes(indices.sortScratchBytes(keys.length));
    indices.sortPairs(k.address, v.address, keys.length, maxKey, scratch);
    return { keys: [...k.read()], values: [...v.read()] };
  });
}

describe.each(BACKENDS)("sortPairs: $name", (backend) => {
  const limits = [0, 1, 7, 255, 256, 257, 65_535, 65_536, 1_000_000, 2 ** 24 - 1, 2 ** 24, LARGEST];

  it.each(limits)("sorts by keys up to %d, stably, every count from 0 on", (maxKey) => {
    for (const count of [0, ...AWKWARD_SIZES, 1000, 5001]) {
      const random = new TestRandom(count + maxKey);
      const keys = Array.from({ length: count }, () => random.integer(maxKey + 1));
      if (count > 1) keys[count >> 1] = maxKey;
      // The values are places, so that the result tells whether equal keys kept their order.
      const places = Array.from({ length: count }, (_, j) => j);
      const order = [...places].sort((a, b) => keys[a]! - keys[b]! || a - b);
      const got = sort(backend, keys, places, maxKey);
      expect(got.values).toEqual(order);
      expect(got.keys).toEqual(order.map((j) => keys[j]));
    }
  });

  it("is stable where nearly all keys are equal, and where maxKey is only an upper bound", () => {
    const random = new TestRandom(1);
    for (const maxKey of [3, 300, 70_000, LARGEST]) {
      const keys = Array.from({ length: 4000 }, () => random.integer(3));
      const places = keys.map((_, j) => j);
      const order = [...places].sort((a, b) => keys[a]! - keys[b]! || a - b);
      expect(sort(backend, keys, places, maxKey).values).toEqual(order);
    }
  });

  it("carries values of any sign and leaves sorted and reversed input sorted", () => {
    const keys = Array.from({ length: 300 }, (_, j) => j * 1000);
    const values = keys.map((key) => -key - 1);
    expect(sort(backend, keys, values, 300_000)).toEqual({ keys, values });
    const reversed = sort(backend, [...keys].reverse(), [...values].reverse(), 300_000);
    expect(reversed).toEqual({ keys, values });
  });

  it("needs scratch in proportion to the count, at most", () => {
    const { sortScratchBytes } = backend.kernels.indices;
    expect(sortScratchBytes(0)).toBeGreaterThanOrEqual(0);
    expect(sortScratchBytes(1_000_000)).toBeLessThanOrEqual(16 * 1_000_000 + 65_536);
  });
});

describe.each(BACKENDS)("uniqueRuns: $name", (backend) => {
  function runs(keys: number[], alias: boolean) {
    return onBench(backend, (bench) => {
      const k = bench.ints(keys);
      const unique = alias ? k : bench.ints(new Int32Array(keys.length).fill(-7));
      const offsets = bench.ints(new Int32Array(keys.length + 1).fill(-7));
      const found = bench.kernels.indices.uniqueRuns(unique.address, offsets.address, k.address, keys.length);
      return {
        found,
        unique: [...unique.read().subarray(0, found)],
        offsets: [...offsets.read().subarray(0, found + 1)],
        unusedOffsets: [...offsets.read().subarray(found + 1)],
      };
    });
  }

  it("finds the distinct keys and where their runs start, also when unique is keys", () => {
    const random = new TestRandom(9);
    for (const count of [0, ...AWKWARD_SIZES, 2000]) {
      for (const below of [1, 5, 100, LARGEST]) {
        const keys = Array.from({ length: count }, () => random.integer(below)).sort((a, b) => a - b);
        const distinct = [...new Set(keys)];
        const starts = [...distinct.map((key) => keys.indexOf(key)), count];
        for (const alias of [false, true]) {
          const got = runs(keys, alias);
          expect(got).toMatchObject({ found: distinct.length, unique: distinct, offsets: starts });
          expect(got.unusedOffsets.every((value) => value === -7)).toBe(true);
        }
      }
    }
  });

  it("tells 0 from nothing: a run of zeros, and an empty set", () => {
    expect(runs([0, 0, 0], false)).toMatchObject({ found: 1, unique: [0], offsets: [0, 3] });
    expect(runs([], false)).toMatchObject({ found: 0, unique: [], offsets: [0] });
    expect(runs([LARGEST], true)).toMatchObject({ found: 1, unique: [LARGEST], offsets: [0, 1] });
  });
});

describe.each(BACKENDS)("mergeKeys: $name", (backend) => {
  function merge(list: number[], keys: number[], entries: number[]) {
    return onBench(backend, (bench) => {
      const room = list.length + keys.length;
      const l = bench.ints([...list, ...new Array<number>(keys.length).fill(-7)]);
      const k = bench.ints(keys);
      const e = bench.ints(entries);
      const place = bench.ints(new Int32Array(keys.length).fill(-7));
      const sorted = bench.ints(new Int32Array(keys.length).fill(-7));
      const offsets = bench.ints(new Int32Array(room + 1).fill(-7));
      const { indices } = bench.kernels;
      const U = indices.mergeKeys(
        l.address,
        list.length,
        k.address,
        e.address,
        keys.length,
        place.address,
        sorted.address,
        offsets.address,
      );
      return {
        list: [...l.read().subarray(0, U)],
        place: [...place.read()],
        sorted: [...sorted.read()],
        offsets: [...offsets.read().subarray(0, U + 1)],
        unused: [...l.read().subarray(U), ...offsets.read().subarray(U + 1)],
      };
    });
  }

  it("appends what is missing in ascending order and lists the entries of each place in their order", () => {
    for (const [i, count] of [0, ...AWKWARD_SIZES, 700].entries()) {
      const random = new TestRandom(count + 1);
      const below = [3, 40, 5000, LARGEST][i % 4]!;
      const C = [0, 1, 17, 300][(i >> 1) % 4]!;
      const list = [...new Set(Array.from({ length: C }, () => random.integer(below)))].sort((a, b) => a - b);
      const order = Array.from({ length: count }, (_, j) => j);
      const unsorted = order.map(() => random.integer(below));
      const entries = order.toSorted((a, b) => unsorted[a]! - unsorted[b]! || a - b);
      const keys = entries.map((entry) => unsorted[entry]!);
      const got = merge(list, keys, entries);
      const missing = [...new Set(keys.filter((key) => !list.includes(key)))];
      const whole = [...list, ...missing];
      expect(got.list).toEqual(whole);
      expect(got.place).toEqual(unsorted.map((key) => whole.indexOf(key)));
      const runs = whole.map((id) => entries.filter((entry) => unsorted[entry] === id));
      expect(got.sorted).toEqual(runs.flat());
      expect(got.offsets).toEqual([0, ...runs.map((_, u) => runs.slice(0, u + 1).flat().length)]);
      expect(got.unused.every((value) => value === -7)).toBe(true);
    }
  });
});
