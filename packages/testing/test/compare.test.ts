import { describe, expect, it } from "vitest";
import { compareArrays, expectAllClose, expectNoWorse, largestError } from "../src/index.js";

/** The message that a call throws, or fails the test if it throws none. */
function messageOf(call: () => void): string {
  try {
    call();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("nothing was thrown");
}

describe("expectAllClose", () => {
  it("accepts what is equal, and what lies within either tolerance", () => {
    expectAllClose([1, -0, Infinity, -Infinity], [1, 0, Infinity, -Infinity]);
    expectAllClose([], []);
    expectAllClose([101], [100], { relative: 0.01 });
    expectAllClose([0.5], [0], { absolute: 0.5 });
  });

  it("rejects what lies just outside", () => {
    expect(() => expectAllClose([101.1], [100], { relative: 0.01 })).toThrow(/1 of 1/);
    expect(() => expectAllClose([0.51], [0], { absolute: 0.5 })).toThrow(/1 of 1/);
    expect(() => expectAllClose([1 + 2 ** -52], [1])).toThrow(/1 of 1/);
  });

  it("allows each element its own bound besides", () => {
    expectAllClose([1.5, 2], [1, 2], { bounds: [0.5, 0] });
    expect(() => expectAllClose([1.5, 2.5], [1, 2], { bounds: [0.5, 0.25] })).toThrow(/1 of 2 .*bounds of their own/);
  });

  it("rejects another length, in both directions", () => {
    expect(() => expectAllClose([1], [1, 2], { name: "z" })).toThrow("z: 1 values, but 2 are expected");
    expect(() => expectAllClose([1, 2], [1])).toThrow("2 values, but 1 are expected");
  });

  it.each([
    [Number.NaN, 1],
    [1, Number.NaN],
    [Number.NaN, Number.NaN],
    [Infinity, 1],
    [1, Infinity],
    [-Infinity, Infinity],
    [Number.NaN, Infinity],
  ])("rejects %d where %d is expected, however wide the tolerance", (actual, expected) => {
    const tolerance = { relative: 1e9, absolute: 1e9 };
    expect(() => expectAllClose([actual], [expected], tolerance)).toThrow("not finite on one side");
  });

  it("accepts NaN for NaN only when asked", () => {
    expectAllClose([Number.NaN], [Number.NaN], { equalNaN: true });
    expect(() => expectAllClose([Number.NaN], [1], { equalNaN: true })).toThrow();
  });

  it("tells the story: how many, the worst, the first, and what is not finite", () => {
    const expected = [1, 2, 3, 4, 5, 6];
    const actual = [1, 2.5, 3, 8, Number.NaN, 6];
    const message = messageOf(() => expectAllClose(actual, expected, { name: "dW", shape: [2, 3], relative: 1e-3 }));
    expect(message).toContain("dW: 3 of 6 differ (allowed: relative 0.001, absolute 0)");
    expect(message).toContain("worst: [1, 0]: actual 8, expected 4");
    expect(message).toContain("[0, 1]: actual 2.5, expected 2, apart by 5.000e-1 (relative 2.500e-1)");
    expect(message).toContain("not finite on one side, or differently: 1");
    expect(message).toContain("[1, 1]: actual NaN, expected 5");
  });

  it("stays short when everything differs", () => {
    const message = messageOf(() => expectAllClose(new Float32Array(1000).fill(1), new Float32Array(1000)));
    expect(message).toContain("… and 995 more");
    expect(message.split("\n").length).toBeLessThan(12);
  });
});

describe("compareArrays", () => {
  it("answers mismatches in order and the worst by excess over its tolerance", () => {
    // 1000 against 1001 differs most, but within its relative tolerance the small one exceeds more.
    const { count, mismatches, worst } = compareArrays([1001, 1.5, 7], [1000, 1, 7], { relative: 9.9e-4 });
    expect(count).toBe(3);
    expect(mismatches.map(({ index }) => index)).toEqual([0, 1]);
    expect(worst?.index).toBe(1);
  });
});

describe("expectNoWorse", () => {
  const truth = [10, 20, -Infinity];
  const naive = [10.125, 20, -Infinity];

  it("accepts an error up to the naive one plus the margin of the largest value", () => {
    expectNoWorse([10, 20.125, -Infinity], naive, truth, { margin: 0 });
    expectNoWorse([10, 20.32, -Infinity], naive, truth, { margin: 0.01 });
  });

  it("rejects a larger one, and a NaN, and a missing infinity", () => {
    expect(() => expectNoWorse([10, 20.33, -Infinity], naive, truth, { margin: 0.01 })).toThrow(/1 of 3/);
    expect(() => expectNoWorse([Number.NaN, 20, -Infinity], naive, truth, { margin: 1 })).toThrow(/1 of 3/);
    expect(() => expectNoWorse([10, 20, -1e30], naive, truth, { margin: 1 })).toThrow(/1 of 3/);
  });

  it("refuses a naive computation that overflowed, since it would excuse anything", () => {
    expect(() => expectNoWorse([0], [Infinity], [1], { margin: 0 })).toThrow("not finite");
    expect(() => expectNoWorse([0], [Number.NaN], [1], { margin: 0 })).toThrow("not finite");
  });
});

describe("largestError", () => {
  it("counts NaN as infinitely far, and equal infinities as equal", () => {
    expect(largestError([1, 5], [1.5, 3])).toBe(2);
    expect(largestError([Number.NaN], [1])).toBe(Infinity);
    expect(largestError([Infinity], [Infinity])).toBe(0);
    expect(largestError([Infinity], [-Infinity])).toBe(Infinity);
  });
});
