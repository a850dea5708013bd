import { AWKWARD_SIZES, expectChiSquare } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { KeyedPermutation, OptionError, STREAM } from "../src/index.js";

const KEY = { low: 17, high: 4 };

function values(permutation: KeyedPermutation): number[] {
  return Array.from({ length: permutation.size }, (_, i) => permutation.at(i));
}

describe("KeyedPermutation", () => {
  it("is fixed by its size and the keys of its rounds", () => {
    const permutation = new KeyedPermutation(1000, { low: 3, high: 4 }, 5);
    expect(values(KeyedPermutation.from(1000, permutation.roundKeys))).toEqual(values(permutation));
  });

  it("is a bijection at every awkward size and around powers of four", () => {
    for (const size of [...AWKWARD_SIZES, 255, 256, 257, 1023, 1024, 1025, 4097, 65_537]) {
      const seen = new Uint8Array(size);
      for (const value of values(new KeyedPermutation(size, KEY, 3))) seen[value]!++;
      expect(seen.every((count) => count === 1)).toBe(true);
    }
  });

  it("stays in range and without repeats for sizes beyond 2^32", () => {
    for (const size of [2 ** 32 + 1, 10 ** 12 + 7, 2 ** 52]) {
      const permutation = new KeyedPermutation(size, KEY, 0);
      const sample = Array.from({ length: 20_000 }, (_, i) => permutation.at(i < 10_000 ? i : size - 1 - i));
      expect(new Set(sample).size).toBe(sample.length);
      for (const value of sample) {
        expect(Number.isSafeInteger(value)).toBe(true);
        expect(value >= 0 && value < size).toBe(true);
      }
      expect(Math.max(...sample)).toBeGreaterThan(0.99 * size);
    }
  });

  it("depends on key, epoch and stream, and on nothing else", () => {
    const at = (key = KEY, epoch = 0, stream: 2 | 8 = STREAM.epochOrder) =>
      values(new KeyedPermutation(50, key, epoch, stream)).join();
    expect(at()).toBe(at());
    const all = [
      at(),
      at({ low: 18, high: 4 }),
      at({ low: 17, high: 5 }),
      at(KEY, 1),
      at(KEY, 2 ** 32),
      at(KEY, 0, STREAM.split),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  it.each([
    [3, 6],
    [4, 24],
    [5, 120],
  ])("of size %d shows all %d orders alike over epochs, 300 each (false-alarm rate 1e-4)", (size, orders) => {
    const epochs = 300 * orders;
    const counts = new Map<string, number>();
    for (let epoch = 0; epoch < epochs; epoch++) {
      const order = values(new KeyedPermutation(size, KEY, epoch)).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(orders);
    expectChiSquare([...counts.values()], new Float64Array(orders).fill(300), { falseAlarmRate: 1e-4 });
  });

  it("sends an index anywhere, alike over 30,000 epochs: sizes 17 and 100 (false-alarm rate 1e-4)", () => {
    for (const size of [17, 100]) {
      const counts = new Float64Array(size);
      for (let epoch = 0; epoch < 30_000; epoch++) counts[new KeyedPermutation(size, KEY, epoch).at(size - 2)]!++;
      expectChiSquare(counts, new Float64Array(size).fill(30_000 / size), { falseAlarmRate: 1e-4 });
    }
  });

  it("hides where an index came from, and the distance of neighbours: 100,003 indices (false-alarm rate 1e-4)", () => {
    const size = 100_003;
    const moved = values(new KeyedPermutation(size, KEY, 1));
    const cells = 16;
    const cell = (value: number) => Math.floor((cells * value) / size);
    const places = new Float64Array(cells * cells);
    const steps = new Float64Array(cells * cells);
    for (const [i, value] of moved.entries()) {
      places[cells * cell(i) + cell(value)]!++;
      const distance = (moved[(i + 1) % size]! - value + size) % size;
      steps[Math.floor((cells * cells * distance) / size)]!++;
    }
    const alike = new Float64Array(cells * cells).fill(size / cells ** 2);
    expectChiSquare(places, alike, { falseAlarmRate: 1e-4, name: "places" });
    expectChiSquare(steps, alike, { falseAlarmRate: 1e-4, name: "distances" });
  });

  it.each([0, -1, 1.5, Number.NaN, 2 ** 52 + 1])("refuses size %d", (size) => {
    expect(() => new KeyedPermutation(size, KEY, 0)).toThrow(OptionError);
  });
});
