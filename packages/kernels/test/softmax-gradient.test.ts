import { crossSparsely, expectAllClose, logSumExp, SMALL_AWKWARD_SIZES, TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { BACKENDS } from "./support/backends.js";
import { onBench } from "./support/bench.js";
import { lseOf, partialsOf, type Tile } from "./support/partials.js";
import { columnOf } from "./support/tiles.js";

describe.each(BACKENDS)("softmaxGradient: $name", (backend) => {
  function gradientOf(tile: Tile, lse: ArrayLike<number>, coefficient: ArrayLike<number>): Float64Array {
    return onBench(backend, (bench) => {
      const z = bench.matrix(tile.z, tile.C, tile.R, tile.padding);
      const l = bench.vector(lse);
      const a = bench.vector(coefficient);
      bench.kernels.tile.softmaxGradient(z.address, z.ld, tile.C, tile.R, l.address, a.address);
      return z.read();
    });
  }

  it("is coefficient · e^(z − lse), relative error < 5e-7 + 1.2e-7·|z − lse|", () => {
    const sizes = crossSparsely({ C: [1, 2, 5, 17, 64], R: [...SMALL_AWKWARD_SIZES, 33], padding: [0, 1, 3] }, 3);
    for (const { C, R, padding } of sizes) {
      const random = new TestRandom(C * 100 + R);
      const z = random.normalFloats(C * R, 10);
      const lse = Float32Array.from({ length: R }, (_, r) => logSumExp(columnOf(z, C, R, r)));
      const coefficient = random.normalFloats(R);
      const truth = Float64Array.from(z, (value, at) => coefficient[at % R]! * Math.exp(value - lse[at % R]!));
      const bounds = truth.map((p, at) => Math.abs(p) * (5e-7 + 1.2e-7 * Math.abs(z[at]! - lse[at % R]!)));
      expectAllClose(gradientOf({ C, R, z, padding }, lse, coefficient), truth, {
        bounds,
        absolute: 1e-37,
        shape: [C, R],
      });
    }
  });

  it("follows from the partials: coefficients of 1 give columns that sum to 1 within 2e-6", () => {
    const [C, R] = [100, 13];
    const random = new TestRandom(5);
    const { z, max, sum } = partialsOf(backend, { C, R, z: random.normalFloats(C * R, 5), scale: 2 });
    const lse = Float32Array.from(lseOf({ max, sum }));
    const p = gradientOf({ C, R, z }, lse, new Float32Array(R).fill(1));
    for (let r = 0; r < R; r++) {
      const total = columnOf(p, C, R, r).reduce((a, b) => a + b, 0);
      expect(Math.abs(total - 1)).toBeLessThan(2e-6);
    }
  });

  it("gives 0 for a logit of −∞, and zeros for a row of coefficient 0 whatever its logits are", () => {
    const [C, R] = [3, 6];
    const z = new Float32Array(C * R);
    const lse = new Float32Array(R).fill(1);
    const coefficient = new Float32Array(R).fill(1);
    for (const [r, value] of [-Infinity, Number.NaN, Infinity, -Infinity, 700, 0].entries()) {
      for (let c = 0; c < C; c++) z[c * R + r] = value;
      if (r > 0) coefficient[r] = 0;
    }
    lse.set([2, Number.NaN, Infinity, -Infinity, -700, 0]);
    expectAllClose(gradientOf({ C, R, z }, lse, coefficient), new Float32Array(C * R));
  });

  it("gives zeros for the empty set: logits and log-sum-exp of −∞", () => {
    for (const R of [1, 6, 8]) {
      const none = new Float32Array(2 * R).fill(-Infinity);
      const ones = new Float32Array(R).fill(1);
      expectAllClose(gradientOf({ C: 2, R, z: none }, none.subarray(0, R), ones), new Float32Array(2 * R));
    }
  });

  it("does not hide a logit that is not a number", () => {
    const gradient = gradientOf(
      { C: 1, R: 5, z: [0, 0, Number.NaN, 0, 0] },
      new Float32Array(5),
      new Float32Array(5).fill(1),
    );
    expect(Array.from(gradient, Number.isNaN)).toEqual([false, false, true, false, false]);
  });
});
