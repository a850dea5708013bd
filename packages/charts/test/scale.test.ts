import { describe, expect, it } from "vitest";
import { linearDomain, logDomain, logTicks, pixelScale, spread, thin } from "../src/scale.js";

describe("axes", () => {
  it("a log domain holds its values and ends on 1, 2 or 5 times a power of ten", () => {
    expect(logDomain([1.3, 105])).toEqual([1, 200]);
    expect(logDomain([0.07, 0.07])).toEqual([0.05, 0.1]);
    expect(logDomain([1])[0]).toBeLessThan(1);
  });

  it("log ticks are decades, or 1-2-5 where decades are few", () => {
    expect(logTicks([1, 2000])).toEqual([1, 10, 100, 1000]);
    expect(logTicks([0.5, 20])).toEqual([0.5, 1, 2, 5, 10, 20]);
  });

  it("a linear domain holds 0 and all values", () => {
    expect(linearDomain([0.3, 1.9])).toEqual({ domain: [0, 2], ticks: [0, 0.5, 1, 1.5, 2] });
    expect(linearDomain([-0.01, 0.1]).domain[0]).toBeLessThan(0);
    expect(linearDomain([0]).domain).toEqual([0, 0.5]);
  });

  it("a linear domain without 0 stays near its values", () => {
    expect(linearDomain([6.8, 7.3], 4, false).domain).toEqual([6.8, 7.4]);
    expect(linearDomain([7], 4, false).domain).toEqual([7, 7.5]);
  });

  it("pixels and values invert each other (relative error < 1e-12)", () => {
    for (const type of ["log", "linear"] as const) {
      const scale = pixelScale(type, [2, 3000], [400, 10]);
      for (const value of [2, 17, 3000]) expect(scale.toValue(scale.toPixel(value)) / value).toBeCloseTo(1, 12);
      expect([scale.toPixel(2), scale.toPixel(3000)]).toEqual([400, 10]);
    }
  });

  it("thinned ticks are a gap apart and keep the last", () => {
    const scale = pixelScale("linear", [0, 100], [0, 100]);
    expect(thin([0, 10, 20, 38, 50], scale, 20)).toEqual([0, 20, 50]);
  });
});

describe("spread", () => {
  it("leaves labels alone that do not touch", () => {
    expect(spread([10, 50, 90], 15, 0, 100)).toEqual([10, 50, 90]);
  });

  it("moves a touching group to its mean, in the order of the wishes", () => {
    expect(spread([52, 50, 48], 10, 0, 100)).toEqual([60, 50, 40]);
  });

  it("keeps the gap and the bounds for crowds at both ends", () => {
    for (const wanted of [
      [0, 0, 1, 2],
      [100, 99, 98, 97],
      [0, 5, 50, 95, 100, 100],
    ]) {
      const placed = spread(wanted, 12, 0, 100);
      const sorted = [...placed].sort((a, b) => a - b);
      expect(sorted[0]).toBeGreaterThanOrEqual(0);
      expect(sorted.at(-1)).toBeLessThanOrEqual(100);
      for (let i = 1; i < sorted.length; i++) expect(sorted[i]! - sorted[i - 1]!).toBeGreaterThan(12 - 1e-9);
    }
  });
});
