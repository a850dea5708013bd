import seedrandom from "seedrandom";
import { describe, expect, it } from "vitest";
import { keyFromSeed } from "../src/index.js";

describe("keyFromSeed", () => {
  it("is what seedrandom makes of the text after its length", () => {
    const random = seedrandom("6:hello.");
    expect(keyFromSeed("hello.")).toEqual({ low: random.int32() >>> 0, high: random.int32() >>> 0 });
  });

  it("never changes: a seed is part of a result", () => {
    expect(keyFromSeed(1)).toEqual({ low: 2335416295, high: 1525326480 });
    expect(keyFromSeed("hello.")).toEqual({ low: 1982409103, high: 551394849 });
  });

  it("tells texts apart that are repetitions of one word, which ARC4 alone would not", () => {
    const keys = [1, 11, 111, 12, 1212, "ab", "abab", "", "1:", "1:1:"].map((seed) => keyFromSeed(seed));
    expect(new Set(keys.map(({ low }) => low)).size).toBe(keys.length);
  });

  it("answers two unsigned 32-bit words", () => {
    for (const seed of [0, 1, -5, 2.5, "", "a", "ä", "a longer seed with spaces"]) {
      const { low, high } = keyFromSeed(seed);
      for (const word of [low, high]) {
        expect(Number.isInteger(word)).toBe(true);
        expect(word).toBeGreaterThanOrEqual(0);
        expect(word).toBeLessThan(2 ** 32);
      }
    }
  });

  it("takes a number and its decimal text for the same seed, and repeats", () => {
    expect(keyFromSeed(42)).toEqual(keyFromSeed("42"));
    expect(keyFromSeed(42)).toEqual(keyFromSeed(42));
  });

  it("gives different keys for 10,000 consecutive seeds, in both words", () => {
    const keys = Array.from({ length: 10_000 }, (_, seed) => keyFromSeed(seed));
    expect(new Set(keys.map(({ low, high }) => `${low} ${high}`)).size).toBe(10_000);
    // 10^8 / 2^33 pairs would agree by chance: 0.012 expected in each word.
    expect(new Set(keys.map(({ low }) => low)).size).toBeGreaterThan(9_997);
    expect(new Set(keys.map(({ high }) => high)).size).toBeGreaterThan(9_997);
  });
});
