import { keyFromSeed } from "@logq/core";
import { expectChiSquare, TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import type { StretchSpec, WindowSourceSpec } from "../dist/sources/source.js";
import { keepThresholds, Stretches } from "../dist/sources/stretches.js";

const KEY = keyFromSeed(3);
const ALL = 2 ** 32;

function spec(of: Partial<WindowSourceSpec> & { tokens: Int32Array }): WindowSourceSpec {
  return { kind: "window", window: 5, mode: "neighbours", eos: 0, withinLine: true, filled: false, ...of };
}

function keepAll(n: number, dynamicWindow = false): StretchSpec {
  return { keep: new Float64Array(n).fill(ALL), dynamicWindow };
}

/** "word > neighbours" of every row of a batch. */
function rowsOf(source: Stretches, batch: number): string[] {
  const ids = new Int32Array(20);
  const weights = new Float32Array(20);
  return Array.from({ length: source.seek(batch) }, (_, row) => {
    const inputs = Array.from(ids.subarray(0, source.inputs(row, ids, weights, 0)));
    const targets = Array.from(ids.subarray(0, source.targets(row, ids, 0)));
    return `${inputs.join(" ")} > ${targets.join(" ")}`;
  });
}

describe("rows of a stretch", () => {
  // Two lines, "5 6 7 8" and "9", that end with 0.
  const tokens = Int32Array.of(5, 6, 7, 8, 0, 9, 0);

  it("are words with the neighbours on their line; a word without any is no row", () => {
    const source = new Stretches(spec({ tokens, window: 2 }), keepAll(10), 7, KEY);
    expect(rowsOf(source, 0)).toEqual(["5 > 6 7", "6 > 5 7 8", "7 > 5 6 8", "8 > 6 7"]);
    expect([0, 1, 2, 3].map((row) => source.weight(row))).toEqual([2, 3, 3, 2]);
  });

  it("have the neighbours as inputs in mode around", () => {
    const source = new Stretches(spec({ tokens, window: 1, mode: "around" }), keepAll(10), 7, KEY);
    expect(rowsOf(source, 0)).toEqual(["6 > 5", "5 7 > 6", "6 8 > 7", "7 > 8"]);
    expect(source.weight(0)).toBe(1);
  });

  it("reach over line ends, which are words then, if windows do", () => {
    const source = new Stretches(spec({ tokens, window: 1, withinLine: false }), keepAll(10), 7, KEY);
    expect(rowsOf(source, 0)).toEqual(["5 > 6", "6 > 5 7", "7 > 6 8", "8 > 7 0", "0 > 8 9", "9 > 0 0", "0 > 9"]);
  });

  it("name a neighbour twice that stands there twice", () => {
    const source = new Stretches(spec({ tokens: Int32Array.of(4, 5, 4), window: 2 }), keepAll(6), 3, KEY);
    expect(rowsOf(source, 0)).toContain("5 > 4 4");
  });

  it("lose words before windows are formed: a window reaches over what was left out", () => {
    const keep = new Float64Array(10).fill(ALL);
    keep[6] = 0;
    const source = new Stretches(spec({ tokens, window: 1 }), { keep, dynamicWindow: false }, 7, KEY);
    expect(rowsOf(source, 0)).toEqual(["5 > 7", "7 > 5 8", "8 > 7"]);
  });
});

describe("an epoch", () => {
  const n = 30;
  const tokens = new TestRandom(2).integers(500, n);
  const stretches: StretchSpec = {
    keep: Float64Array.from({ length: n }, (_, id) => ALL * Math.min(1, 0.2 + id / n)),
    dynamicWindow: true,
  };

  /** All rows of an epoch, sorted. */
  function epoch(B: number, number: number): string[] {
    const source = new Stretches(spec({ tokens }), stretches, B, KEY);
    const perEpoch = Math.ceil(tokens.length / B);
    return Array.from({ length: perEpoch }, (_, i) => rowsOf(source, number * perEpoch + i))
      .flat()
      .sort();
  }

  it.each([1, 7, 64, 499])("has the same rows in stretches of %i tokens as in one of all", (B) => {
    expect(epoch(B, 0)).toEqual(epoch(500, 0));
  });

  it("has other rows than the next one", () => {
    expect(epoch(64, 1)).not.toEqual(epoch(64, 0));
  });

  it("has its stretches in an order of its own, and any of them can be made alone", () => {
    const source = new Stretches(spec({ tokens }), keepAll(n), 50, KEY);
    const inOrder = Array.from({ length: 20 }, (_, batch) => rowsOf(source, batch));
    expect(inOrder.slice(0, 10)).not.toEqual(inOrder.slice(10));
    expect(inOrder.slice(0, 10).flat().sort()).toEqual(inOrder.slice(10).flat().sort());
    for (const batch of [13, 4, 4]) expect(rowsOf(source, batch)).toEqual(inOrder[batch]);
  });
});

describe("random draws", () => {
  it("keep each word with probability √(t/f) + t/f, at most 1: chi-square over 8 words, false alarm 1e-6", () => {
    const counts = [40_000, 20_000, 10_000, 5000, 2000, 500, 50, 10];
    const t = 0.01;
    const total = counts.reduce((sum, count) => sum + count, 0);
    const tokens = Int32Array.from(counts.flatMap((count, id) => new Array<number>(count).fill(id)));
    const keep = keepThresholds(counts, t, new Float64Array(counts.length));
    const source = new Stretches(spec({ tokens, eos: -1 }), { keep, dynamicWindow: false }, total, KEY);
    const kept = new Array<number>(8).fill(0);
    for (const row of rowsOf(source, 0)) kept[Number(row.split(" ")[0])]!++;
    const wanted = counts.map((count) => {
      const f = count / total;
      return count * Math.min(1, Math.sqrt(t / f) + t / f);
    });
    expectChiSquare(
      [...kept, ...kept.map((k, id) => counts[id]! - k)],
      [...wanted, ...wanted.map((k, id) => counts[id]! - k)],
      { falseAlarmRate: 1e-6 },
    );
    expect(kept.slice(5)).toEqual(counts.slice(5));
  });

  it("keep everything for t = 0", () => {
    expect(Array.from(keepThresholds([5, 0, 9], 0, new Float64Array(3)))).toEqual([ALL, ALL, ALL]);
  });

  it.each([1, 0.3])(
    "make widths uniform in 1 … 5, of words that stay with probability %d too: chi-square, false alarm 1e-6",
    (probability) => {
      const tokens = new Int32Array(100_000).fill(1);
      const keep = new Float64Array(2).fill(probability * ALL);
      const source = new Stretches(spec({ tokens }), { keep, dynamicWindow: true }, tokens.length, KEY);
      const widths = [0, 0, 0, 0, 0];
      const rows = source.seek(0);
      const ids = new Int32Array(10);
      // The ends of the text cut windows.
      for (let row = 5; row < rows - 5; row++) widths[source.targets(row, ids, 0) / 2 - 1]!++;
      expectChiSquare(widths, new Array<number>(5).fill((rows - 10) / 5), { falseAlarmRate: 1e-6 });
    },
  );
});
