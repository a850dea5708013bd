import { crossSparsely, expectAllClose, SMALL_AWKWARD_SIZES, TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { BACKENDS } from "./support/backends.js";
import { onBench } from "./support/bench.js";

const SIZES = crossSparsely({ C: [1, 2, 5, 17, 64], R: [...SMALL_AWKWARD_SIZES, 33], padding: [0, 1, 3] }, 5);

describe.each(BACKENDS)("softCap: $name", (backend) => {
  it("cap·tanh((scale·z + add)/cap): error < 1e-6 of the value, beside the rounding of y", () => {
    for (const [i, { C, R, padding }] of SIZES.entries()) {
      const random = new TestRandom(C * 100 + R);
      const [scale, cap] = [
        [1, 30],
        [0.5, 3],
        [4, 50],
      ][i % 3]!;
      const values = random.normalFloats(C * R, 12);
      const add = i % 2 === 0 ? random.normalFloats(C, 5) : undefined;
      const out = onBench(backend, (bench) => {
        const z = bench.matrix(values, C, R, padding);
        const terms = add === undefined ? 0 : bench.vector(add).address;
        bench.kernels.tile.softCap(z.address, z.ld, C, R, scale!, terms, cap!);
        return z.read();
      });
      const y = Array.from(values, (x, at) => scale! * x + (add?.[Math.floor(at / R)] ?? 0));
      const truth = y.map((x) => cap! * Math.tanh(x / cap!));
      const bounds = truth.map((x, at) => 1e-6 * Math.abs(x) + 2 ** -22 * (Math.abs(scale! * values[at]!) + 5));
      expectAllClose(out, truth, { bounds, name: JSON.stringify({ C, R, scale, cap }) });
    }
  });

  it("−∞ stays −∞, a class that takes no part; +∞ and NaN show; far logits are the cap", () => {
    onBench(backend, (bench) => {
      const z = bench.matrix([-Infinity, Number.NaN, 1e30, -1e30, 0, Infinity], 1, 6);
      bench.kernels.tile.softCap(z.address, z.ld, 1, 6, 1, 0, 20);
      const [none, nan, high, low, zero, infinite] = z.read();
      expect([none, nan, zero, infinite]).toEqual([-Infinity, Number.NaN, 0, Infinity]);
      expect(high).toBeCloseTo(20, 4);
      expect(low).toBeCloseTo(-20, 4);
    });
  });
});

describe.each(BACKENDS)("softCapSlopes: $name", (backend) => {
  it("z·(1 − (x/cap)²) of z = factor·e^{x + add − reference}: error < 3e-6 of z", () => {
    for (const [i, { C, R, padding }] of SIZES.entries()) {
      const random = new TestRandom(C * 100 + R);
      const cap = [30, 3, 50][i % 3]!;
      const x = Array.from({ length: C * R }, () => cap * random.uniform(-0.999, 0.999));
      const add = i % 2 === 0 ? random.normalFloats(C, 3) : undefined;
      const factor = i % 3 > 0 ? random.normalFloats(R) : undefined;
      const reference = random.normalFloats(R, 5);
      const exact = x.map((value, at) => {
        const e = Math.exp(value + (add?.[Math.floor(at / R)] ?? 0) - reference[at % R]!);
        return e * (factor?.[at % R] ?? 1);
      });
      const values = Float32Array.from(exact);
      const out = onBench(backend, (bench) => {
        const z = bench.matrix(values, C, R, padding);
        const at = bench.vector(reference).address;
        const factors = factor === undefined ? 0 : bench.vector(factor).address;
        const terms = add === undefined ? 0 : bench.vector(add).address;
        bench.kernels.tile.softCapSlopes(z.address, z.ld, C, R, at, factors, terms, cap);
        return z.read();
      });
      const truth = exact.map((z, at) => z * (1 - (x[at]! / cap) ** 2));
      const bounds = exact.map((z) => 3e-6 * Math.abs(z));
      expectAllClose(out, truth, { bounds, absolute: 1e-37, name: JSON.stringify({ C, R, cap }) });
    }
  });

  it("0 stays 0, also where the factor is 0; NaN stays NaN", () => {
    onBench(backend, (bench) => {
      const z = bench.matrix([0, 0, Number.NaN], 1, 3);
      const reference = bench.vector([1, 1, 1]).address;
      bench.kernels.tile.softCapSlopes(z.address, z.ld, 1, 3, reference, bench.vector([0, 2, 1]).address, 0, 20);
      expect([...z.read()]).toEqual([0, 0, Number.NaN]);
    });
  });
});
