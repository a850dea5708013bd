import { describe, expect, it } from "vitest";
import { checkGradient } from "../src/index.js";

/** f = Σ sin(x_i)·e^{x_{i+1}} over neighbours. */
function f(x: Float64Array): number {
  let sum = 0;
  for (let i = 0; i + 1 < x.length; i++) sum += Math.sin(x[i]!) * Math.exp(x[i + 1]!);
  return sum;
}

function gradientOf(x: readonly number[]): number[] {
  return x.map((value, i) => {
    const own = i + 1 < x.length ? Math.cos(value) * Math.exp(x[i + 1]!) : 0;
    const before = i > 0 ? Math.sin(x[i - 1]!) * Math.exp(value) : 0;
    return own + before;
  });
}

const x = [0.3, -1.2, 0.7, 2];
const right = gradientOf(x);

describe("checkGradient", () => {
  it("accepts the right gradient with 4 points (1e-10) and with 2 (1e-8)", () => {
    checkGradient(f, x, right, { tolerance: 1e-10 });
    checkGradient(f, x, right, { points: 2, tolerance: 1e-8 });
  });

  it.each([0, 1, 2, 3])("rejects an error of 1e-6 in element %d", (i) => {
    const wrong = right.with(i, right[i]! + 1e-6 * Math.max(...right.map(Math.abs)));
    expect(() => checkGradient(f, x, wrong, { tolerance: 1e-7 })).toThrow(`[${i}]: actual`);
  });

  it.each([2, 4] as const)("rejects a wrong sign and a wrong factor with %d points", (points) => {
    expect(() =>
      checkGradient(
        f,
        x,
        right.map((g) => -g),
        { points },
      ),
    ).toThrow(/4 of 4/);
    expect(() =>
      checkGradient(
        f,
        x,
        right.map((g) => 2 * g),
        { points },
      ),
    ).toThrow(/4 of 4/);
    expect(() => checkGradient(f, x, [0, 0, 0, 0], { points })).toThrow(/4 of 4/);
  });

  it("rejects a function or a gradient that is not finite, and a gradient of another size", () => {
    expect(() => checkGradient(() => Number.NaN, [1], [0])).toThrow("not finite");
    expect(() => checkGradient(([v]) => v!, [1], [Number.NaN])).toThrow("not finite");
    expect(() => checkGradient(f, x, [1])).toThrow("1 values for 4 variables");
  });

  it("checks only the elements asked for, and at least one", () => {
    const wrong = right.with(3, 99);
    expect(checkGradient(f, x, wrong, { indices: [2, 0] })).toHaveLength(2);
    expect(() => checkGradient(f, x, wrong, { indices: [0, 3] })).toThrow(/1 of 2/);
    expect(() => checkGradient(f, x, right, { indices: [] })).toThrow("nothing to check");
  });

  it("leaves x as it was and gives f the same point every time", () => {
    const point = Float64Array.from(x);
    checkGradient(f, point, right);
    expect([...point]).toEqual(x);
  });

  it("has error O(step²) with 2 points and O(step⁴) with 4", () => {
    const error = (points: 2 | 4, step: number): number => {
      const [numeric] = checkGradient(([v]) => Math.exp(v!), [0], [1], { points, step, tolerance: 1 });
      return Math.abs(numeric! - 1);
    };
    expect(error(2, 0.1) / error(2, 0.05)).toBeCloseTo(4, 1);
    expect(error(4, 0.1) / error(4, 0.05)).toBeCloseTo(16, 0);
  });
});
