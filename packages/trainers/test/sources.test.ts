import { keyFromSeed } from "@logq/core";
import { describe, expect, it } from "vitest";
import { createSource } from "../dist/sources/create.js";
import { EpochOrder, SequentialOrder } from "../dist/sources/order.js";
import type { SourceSpec, WindowSourceSpec } from "../dist/sources/source.js";

/** [inputs → targets] of every example; weights are checked by their own tests. */
function examplesOf(spec: SourceSpec): { inputs: number[]; targets: number[]; excluded: number[] }[] {
  const source = createSource(spec);
  const ids = new Int32Array(100);
  const weights = new Float32Array(100);
  return Array.from({ length: source.examples }, (_, e) => {
    // An offset of 10: nothing may be written before it.
    ids.fill(-7);
    const inputs = Array.from(ids.subarray(10, 10 + source.inputs(e, ids, weights, 10)));
    expect(ids[9]).toBe(-7);
    expect(inputs.length).toBeLessThanOrEqual(source.maxInputs);
    const targets = Array.from(ids.subarray(10, 10 + source.targets(e, ids, 10)));
    expect(targets.length).toBeLessThanOrEqual(source.maxTargets);
    const excluded = Array.from(ids.subarray(10, 10 + source.excluded(e, ids, 10)));
    expect(excluded.length).toBeLessThanOrEqual(source.maxExcluded);
    return { inputs, targets, excluded };
  });
}

function windows(of: Partial<WindowSourceSpec>): string[] {
  const spec: WindowSourceSpec = {
    kind: "window",
    // Two lines, "5 6 7" and "8 9", that end with 0.
    tokens: Int32Array.of(5, 6, 7, 0, 8, 9, 0),
    window: 2,
    mode: "previous",
    eos: 0,
    withinLine: true,
    filled: false,
    stretches: undefined,
    ...of,
  };
  return examplesOf(spec).map(({ inputs, targets }) => `${inputs.join(" ")} > ${targets.join(" ")}`);
}

describe("words from a window", () => {
  it("of the words before, within the line", () => {
    expect(windows({})).toEqual([" > 5", "5 > 6", "5 6 > 7", "6 7 > 0", " > 8", "8 > 9", "8 9 > 0"]);
  });

  it("of the words before, across lines", () => {
    const all = [" > 5", "5 > 6", "5 6 > 7", "6 7 > 0", "7 0 > 8", "0 8 > 9", "8 9 > 0"];
    expect(windows({ withinLine: false })).toEqual(all);
  });

  it("filled up with line ends at the front", () => {
    const filled = ["0 0 > 5", "0 5 > 6", "5 6 > 7", "6 7 > 0", "0 0 > 8", "0 8 > 9", "8 9 > 0"];
    expect(windows({ filled: true })).toEqual(filled);
  });

  it("of a text without line ends is filled with class 0 at its beginning", () => {
    expect(windows({ filled: true, eos: -1 })[0]).toBe("0 0 > 5");
    expect(windows({ filled: true, eos: -1 })[4]).toBe("7 0 > 8");
  });

  it("of the words on both sides, in the order of the text", () => {
    const around = ["6 7 > 5", "5 7 0 > 6", "5 6 0 > 7", "6 7 > 0", "9 0 > 8", "8 0 > 9", "8 9 > 0"];
    expect(windows({ mode: "around" })).toEqual(around);
    expect(windows({ mode: "around", withinLine: false, window: 1 })[3]).toBe("7 8 > 0");
  });

  it("one neighbour at a time, slots beyond the line being no examples", () => {
    const pairs = windows({ mode: "pair" });
    expect(pairs.length).toBe(7 * 4);
    expect(pairs.slice(0, 4)).toEqual(["5 > ", "5 > ", "5 > 6", "5 > 7"]);
    expect(pairs.slice(8, 12)).toEqual(["7 > 5", "7 > 6", "7 > 0", "7 > "]);
    expect(pairs.slice(16, 20)).toEqual(["8 > ", "8 > ", "8 > 9", "8 > 0"]);
  });

  it("weighs every word 1", () => {
    const source = createSource({
      kind: "window",
      tokens: Int32Array.of(5, 6, 7),
      window: 2,
      mode: "around",
      eos: -1,
      withinLine: false,
      filled: false,
    });
    const weights = new Float32Array(4).fill(9);
    expect(source.inputs(1, new Int32Array(4), weights, 1)).toBe(2);
    expect(source.weighted).toBe(false);
    expect(Array.from(weights)).toEqual([9, 9, 9, 9]);
  });
});

describe("interactions", () => {
  const spec = {
    offsets: Int32Array.of(0, 4, 6),
    items: Int32Array.of(3, 8, 3, 5, 1, 2),
    window: 2,
  };

  it("by user: every choice is an example, the user's other items are seen", () => {
    const users = { ...spec, kind: "user", positions: Int32Array.of(0, 3, 5), users: Int32Array.of(0, 0, 1) } as const;
    expect(examplesOf(users)).toEqual([
      { inputs: [0], targets: [3], excluded: [8, 5] },
      { inputs: [0], targets: [5], excluded: [3, 8, 3] },
      { inputs: [1], targets: [2], excluded: [1] },
    ]);
  });

  it("by history: the last items before, of this user only", () => {
    const positions = Int32Array.of(1, 3, 5);
    const history = { ...spec, kind: "history", positions, users: Int32Array.of(0, 0, 1) } as const;
    expect(examplesOf(history).map(({ inputs, targets }) => [inputs, targets])).toEqual([
      [[3], [8]],
      [[8, 3], [5]],
      [[1], [2]],
    ]);
  });

  it("by user with all items: users without any are no examples, a row weighs as much as it has labels", () => {
    const all: SourceSpec = {
      kind: "user-items",
      users: Int32Array.of(0, 2),
      offsets: Int32Array.of(0, 3, 3, 4),
      items: Int32Array.of(7, 6, 9, 4),
    };
    expect(examplesOf(all)).toEqual([
      { inputs: [0], targets: [7, 6, 9], excluded: [] },
      { inputs: [2], targets: [4], excluded: [] },
    ]);
    const source = createSource(all);
    expect([source.weight!(0), source.weight!(1), source.maxTargets]).toEqual([3, 1, 3]);
  });

  it("ranked by user and by history: distinct things to find, all that was known before is masked", () => {
    const ranking = {
      users: Int32Array.of(0, 2),
      offsets: Int32Array.of(0, 3, 3, 4),
      items: Int32Array.of(7, 7, 9, 4),
      seenOffsets: Int32Array.of(0, 3, 4, 4),
      seenItems: Int32Array.of(1, 2, 3, 5),
      window: 2,
    };
    expect(examplesOf({ ...ranking, kind: "user-ranking" })).toEqual([
      { inputs: [0], targets: [7, 9], excluded: [1, 2, 3] },
      { inputs: [2], targets: [4], excluded: [] },
    ]);
    expect(examplesOf({ ...ranking, kind: "history-ranking" }).map(({ inputs }) => inputs)).toEqual([[2, 3], []]);
  });
});

describe("features, pairs and lists", () => {
  it("features come with their weights and all labels of the row", () => {
    const spec: SourceSpec = {
      kind: "features",
      featureOffsets: Int32Array.of(0, 2, 2, 3),
      features: Int32Array.of(4, 6, 5),
      values: Float32Array.of(0.5, 2, 3),
      labelOffsets: Int32Array.of(0, 1, 1, 3),
      labels: Int32Array.of(9, 7, 8),
      rows: Int32Array.of(0, 2),
    };
    expect(examplesOf(spec)).toEqual([
      { inputs: [4, 6], targets: [9], excluded: [] },
      { inputs: [5], targets: [7, 8], excluded: [] },
    ]);
    const weights = new Float32Array(4);
    createSource(spec).inputs(0, new Int32Array(4), weights, 1);
    expect(Array.from(weights)).toEqual([0, 0.5, 2, 0]);
  });

  it("a pair is one input and one class; a list is what was given", () => {
    const pair = { kind: "pair", inputs: Int32Array.of(3, 4), targets: Int32Array.of(1, 0) } as const;
    expect(examplesOf(pair)).toEqual([
      { inputs: [3], targets: [1], excluded: [] },
      { inputs: [4], targets: [0], excluded: [] },
    ]);
    const list: SourceSpec = {
      kind: "list",
      inputOffsets: Int32Array.of(0, 2, 2),
      inputs: Int32Array.of(5, 6),
      weights: Float32Array.of(1, 1),
      targetOffsets: Int32Array.of(0, 0, 2),
      targets: Int32Array.of(8, 9),
      excludedOffsets: Int32Array.of(0, 0, 1),
      excluded: Int32Array.of(3),
    };
    expect(examplesOf(list)).toEqual([
      { inputs: [5, 6], targets: [], excluded: [] },
      { inputs: [], targets: [8, 9], excluded: [3] },
    ]);
  });
});

describe("orders", () => {
  const key = keyFromSeed("order");
  const epochOf = (order: EpochOrder, batches: readonly number[]) =>
    batches.map((batch) => {
      const rows = order.seek(batch);
      return Array.from({ length: rows }, (_, row) => order.example(row));
    });

  it.each([
    [1, 1],
    [1, 8],
    [7, 8],
    [8, 8],
    [9, 8],
    [103, 10],
    [1000, 7],
  ])("an epoch of %i examples in batches of %i meets each once; the last batch is what is left", (examples, B) => {
    const batches = Math.ceil(examples / B);
    const order = new EpochOrder(examples, B, key);
    for (let epoch = 0; epoch < 3; epoch++) {
      const rows = epochOf(
        order,
        Array.from({ length: batches }, (_, i) => epoch * batches + i),
      );
      expect(rows.map((batch) => batch.length)).toEqual(
        Array.from({ length: batches }, (_, i) => (i < batches - 1 ? B : examples - B * (batches - 1))),
      );
      expect(rows.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: examples }, (_, e) => e));
    }
  });

  it("epochs differ, seeds differ, and a batch is the same however it was reached", () => {
    const order = new EpochOrder(100, 10, key);
    const first = epochOf(order, [0, 1, 2]);
    expect(epochOf(order, [10, 11, 12])).not.toEqual(first);
    expect(epochOf(new EpochOrder(100, 10, keyFromSeed("other")), [0, 1, 2])).not.toEqual(first);
    expect(epochOf(order, [27, 2, 0, 1]).slice(1)).toEqual([first[2], first[0], first[1]]);
  });

  it("evaluation runs through its examples in order, or through a fixed choice without repeats", () => {
    const plain = new SequentialOrder(50, 5, 12, 5);
    expect([0, 1, 2, 3].map((batch) => plain.seek(batch))).toEqual([5, 5, 2, 0]);
    plain.seek(2);
    expect([plain.example(0), plain.example(1)]).toEqual([15, 16]);
    const chosen = new SequentialOrder(50, 0, 20, 20, key);
    chosen.seek(0);
    const ids = Array.from({ length: 20 }, (_, row) => chosen.example(row));
    expect(new Set(ids).size).toBe(20);
    expect(Math.max(...ids)).toBeLessThan(50);
    expect(ids).not.toEqual([...ids].sort((a, b) => a - b));
    // A larger choice by the same key begins with the smaller one.
    const more = new SequentialOrder(50, 0, 30, 30, key);
    more.seek(0);
    expect(Array.from({ length: 20 }, (_, row) => more.example(row))).toEqual(ids);
  });
});
