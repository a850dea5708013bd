import { describe, expect, it } from "vitest";
import { bestOf, type CurvePoint, measuredSteps, timeToLevel } from "../src/measure/curve.js";

const curve = (...values: readonly (readonly [number, number])[]): CurvePoint[] =>
  values.map(([seconds, value], step) => ({ step, seconds, value }));

describe("steps of measurements", () => {
  it("begin at 0 and 5, grow by the factor, and have the ends of epochs and the last step", () => {
    expect(measuredSteps(30, 10, 2)).toEqual([0, 5, 10, 20, 30]);
    expect(measuredSteps(24, 8, 1.01)).toEqual([0, ...Array.from({ length: 20 }, (_, i) => i + 5)]);
    expect(measuredSteps(30, 12, 1.5)).toEqual([0, 5, 7, 10, 12, 15, 22, 24, 30]);
    expect(measuredSteps(1, 1, 2)).toEqual([0, 1]);
  });
});

describe("the time to a level", () => {
  it("lies on the line between two measurements, the first time that it is passed", () => {
    const one = curve([0, 8], [2, 7], [4, 5], [6, 6], [8, 4]);
    expect(timeToLevel(one, 7)).toBe(2);
    expect(timeToLevel(one, 6.5)).toBe(2.5);
    expect(timeToLevel(one, 5.5)).toBe(3.5);
    expect(timeToLevel(one, 4.5)).toBe(7.5);
    expect(timeToLevel(one, 3)).toBeNull();
    expect(timeToLevel(one, 9)).toBe(0);
  });
});

describe("the best point", () => {
  it("is the lowest, the first of equal ones", () => {
    expect(bestOf(curve([0, 8], [2, 4], [4, 5], [6, 4]))).toEqual({ step: 1, seconds: 2, value: 4 });
  });
});
