import { describe, expect, it } from "vitest";
import { type AliasTable, buildAliasTable, drawAlias, keyFromSeed, RandomStream, SamplerError } from "../src/index.js";

/** The law a table draws, computed from the table alone. */
function lawOf({ threshold, alias }: AliasTable): Float64Array {
  const law = new Float64Array(threshold.length);
  threshold.forEach((keep, i) => {
    law[i]! += keep / threshold.length;
    law[alias[i]!]! += (1 - keep) / threshold.length;
  });
  return law;
}

describe("alias table", () => {
  it.each([
    ["one class", [3]],
    ["equal weights", [1, 1, 1, 1, 1]],
    ["two classes", [0.1, 0.9]],
    ["zeros at both ends and inside", [0, 2, 0, 0, 5, 1, 0]],
    ["one possible class", [0, 0, 7, 0]],
    ["huge weights whose sum overflows", [1.7e308, 1.7e308, 0.85e308]],
    ["subnormal weights", [5e-324, 1e-323, 1.5e-323]],
    ["Zipf over 1,000", Array.from({ length: 1000 }, (_, i) => 1 / (i + 1))],
  ])("draws the law asked for: %s, each probability within 1e-15", (_, weights) => {
    const greatest = Math.max(...weights);
    const sum = weights.reduce((total, weight) => total + weight / greatest, 0);
    lawOf(buildAliasTable(weights)).forEach((probability, i) => {
      expect(Math.abs(probability - weights[i]! / greatest / sum)).toBeLessThan(1e-15);
    });
  });

  it("keeps a class of weight 0 out of reach, however many equal weights leave columns over", () => {
    const weights = Float64Array.from({ length: 30_001 }, (_, i) => (i % 3 === 0 ? 0 : 0.1));
    const { threshold, alias } = buildAliasTable(weights);
    for (let i = 0; i < weights.length; i++) {
      expect(weights[i] === 0 && threshold[i] !== 0).toBe(false);
      expect(threshold[i]! < 1 && weights[alias[i]!] === 0).toBe(false);
    }
  });

  it("holds a Zipf law of a million classes, each probability within 1e-9 relative", () => {
    const n = 1_000_000;
    const weights = Float64Array.from({ length: n }, (_, i) => 1 / (i + 1));
    const sum = weights.reduceRight((total, weight) => total + weight, 0);
    const law = lawOf(buildAliasTable(weights));
    let worst = 0;
    for (let i = 0; i < n; i++) worst = Math.max(worst, Math.abs((law[i]! * sum) / weights[i]! - 1));
    expect(worst).toBeLessThan(1e-9);
  });

  it("draws by chi-square: 100,000 draws over 10 classes stay below 27.9 (9 degrees, false alarm 0.1%)", () => {
    const weights = [10, 9, 8, 7, 6, 5, 4, 3, 2, 1];
    const table = buildAliasTable(weights);
    const stream = new RandomStream(keyFromSeed("alias"), 11);
    const seen = new Float64Array(10);
    const draws = 100_000;
    for (let i = 0; i < draws; i++) seen[drawAlias(table, stream.uniform(2 * i), stream.uniform(2 * i + 1))]!++;
    const chiSquare = weights.reduce((total, weight, i) => {
      const expected = (draws * weight) / 55;
      return total + (seen[i]! - expected) ** 2 / expected;
    }, 0);
    expect(chiSquare).toBeLessThan(27.9);
  });

  it.each([
    ["no weight", [], { length: 0 }],
    ["only zeros", [0, 0], { length: 2 }],
    ["a negative weight", [1, -1], { index: 1, value: -1 }],
    ["NaN", [1, Number.NaN], { index: 1, value: Number.NaN }],
    ["infinity", [Infinity], { index: 0, value: Infinity }],
  ])("refuses %s with a SamplerError that carries it", (_, weights, values) => {
    expect(() => buildAliasTable(weights)).toThrow(SamplerError);
    try {
      buildAliasTable(weights);
    } catch (error) {
      expect((error as SamplerError).values).toEqual(values);
    }
  });
});
