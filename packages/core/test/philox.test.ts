import { describe, expect, it } from "vitest";
import { philox } from "../src/index.js";

function block(key: [number, number], counter: [number, number, number, number]): number[] {
  const out = new Uint32Array(4);
  philox({ low: key[0], high: key[1] }, ...counter, out);
  return [...out];
}

describe("philox", () => {
  // Random123, tests/kat_vectors, the three lines of philox4x32 with 10 rounds (Salmon et al. 2011).
  it.each([
    ["zeros", [0, 0], [0, 0, 0, 0], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]],
    [
      "ones",
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      "digits of π",
      [0xa4093822, 0x299f31d0],
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ] as const)("equals the published vector of %s", (_, key, counter, expected) => {
    expect(block([...key], [...counter])).toEqual(expected);
  });

  it("takes counter words modulo 2^32, also negative ones", () => {
    expect(block([1, 2], [2 ** 32 + 5, -1, 7, 2 ** 33])).toEqual(block([1, 2], [5, 0xffffffff, 7, 0]));
  });

  it("writes four words where it is told and nothing else", () => {
    const out = new Uint32Array(10).fill(77);
    philox({ low: 0, high: 0 }, 0, 0, 0, 0, out, 3);
    expect([...out]).toEqual([77, 77, 77, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8, 77, 77, 77]);
  });

  it("changes half of its 128 bits, within 6 standard deviations, when any one bit of key or counter changes", () => {
    const words = [3, 141, 592, 653, 589, 793];
    const run = (w: number[]) => block([w[0]!, w[1]!], [w[2]!, w[3]!, w[4]!, w[5]!]);
    const before = run(words);
    for (let bit = 0; bit < 192; bit++) {
      const changed = words.with(bit >> 5, (words[bit >> 5]! ^ (1 << (bit & 31))) >>> 0);
      const flips = run(changed).reduce((sum, word, i) => sum + ones(word ^ before[i]!), 0);
      expect(Math.abs(flips - 64)).toBeLessThan(6 * Math.sqrt(32));
    }
  });
});

function ones(word: number): number {
  let count = 0;
  for (let rest = word >>> 0; rest !== 0; rest &= rest - 1) count++;
  return count;
}
