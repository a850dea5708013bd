import { AWKWARD_SIZES, expectAllClose, logSumExp, softmax, TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import type { VectorKernels } from "../src/index.js";
import { BACKENDS, type Backend } from "./support/backends.js";
import { onBench } from "./support/bench.js";

type Elementwise = "exp" | "sigmoid" | "softplus" | "softmax";

function apply(backend: Backend, name: Elementwise, x: ArrayLike<number>, inPlace = false): Float64Array {
  return onBench(backend, (bench) => {
    const source = bench.vector(x);
    const out = inPlace ? source : bench.output(1, x.length);
    bench.kernels.vector[name](out.address, source.address, x.length);
    if (!inPlace) expectAllClose(source.read(), Float32Array.from(x), { equalNaN: true, name: "x stays" });
    return out.read();
  });
}

/** `count` float32 numbers evenly over [low, high], both ends included. */
function sweep(low: number, high: number, count = 200_001): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1));
}

/** Numbers of every size towards zero, of both signs. */
function tiny(): Float32Array {
  return Float32Array.from({ length: 900 }, (_, i) => 10 ** (-i / 20) * (i % 2 === 0 ? 1 : -1));
}

describe.each(BACKENDS)("elementwise functions: $name", (backend) => {
  it("exp: relative error < 3e-7 on 200,001 points of [−87, 88] and near 0", () => {
    for (const x of [sweep(-87, 88), sweep(-1, 1), tiny()]) {
      expectAllClose(apply(backend, "exp", x), Float64Array.from(x, Math.exp), { relative: 3e-7 });
    }
  });

  it("exp: 0 below −87.3, +∞ above 88.73, e^−∞ = 0, e^∞ = ∞, e^0 = 1, NaN stays", () => {
    const x = [-87.301, -88, -104, -1e30, -Infinity, 88.73, 89, 1000, 3e38, Infinity, 0, -0];
    const truth = [0, 0, 0, 0, 0, Infinity, Infinity, Infinity, Infinity, Infinity, 1, 1];
    expectAllClose(apply(backend, "exp", x), truth);
    expectAllClose(apply(backend, "exp", [1, Number.NaN, 0, 0, 0]), [Math.E, Number.NaN, 1, 1, 1], {
      relative: 3e-7,
      equalNaN: true,
    });
  });

  it("exp between its bounds and its ends: relative error < 3e-7 on [−87.3, −87], 1e-4 or +∞ on [88, 88.73]", () => {
    const low = sweep(-87.299, -87, 2001);
    expectAllClose(apply(backend, "exp", low), Float64Array.from(low, Math.exp), { relative: 3e-7 });
    const high = sweep(88, 88.73, 2001);
    const got = apply(backend, "exp", high);
    for (const [i, y] of got.entries()) {
      if (y !== Infinity) expectAllClose([y], [Math.exp(high[i]!)], { relative: 1e-4 });
    }
    expect(got.subarray(0, 800).every(Number.isFinite)).toBe(true);
  });

  it("sigmoid: relative error < 6e-7 wherever the result is a normal number", () => {
    for (const x of [sweep(-87, 100), sweep(-2, 2), tiny()]) {
      expectAllClose(
        apply(backend, "sigmoid", x),
        Float64Array.from(x, (v) => 1 / (1 + Math.exp(-v))),
        { relative: 6e-7 },
      );
    }
    const far = apply(backend, "sigmoid", [-100, -1e30, -Infinity, 100, 1e30, Infinity]);
    expectAllClose(far, [0, 0, 0, 1, 1, 1], { absolute: 2 ** -126 });
    expect(apply(backend, "sigmoid", [0, Number.NaN])[1]).toBeNaN();
  });

  it("softplus: error < 1e-6 · max(1, result) on [−110, 110] and far out", () => {
    const points = [sweep(-110, 110), sweep(-2, 2), tiny(), Float32Array.of(1e4, 1e30, -1e4, -1e30)];
    for (const x of points) {
      const truth = Float64Array.from(x, (v) => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v))));
      const bounds = truth.map((y) => 1e-6 * Math.max(1, y));
      const got = apply(backend, "softplus", x);
      expectAllClose(got, truth, { bounds });
      expect(got.every((y) => y >= 0)).toBe(true);
    }
    expectAllClose(apply(backend, "softplus", [-Infinity, Infinity]), [0, Infinity]);
    expect(apply(backend, "softplus", [0, Number.NaN])[1]).toBeNaN();
  });

  it("every length, apart and in place, gives the same and writes nothing else", () => {
    for (const count of [0, ...AWKWARD_SIZES]) {
      const x = new TestRandom(count).normalFloats(count, 4);
      for (const name of ["exp", "sigmoid", "softplus", "softmax"] as const) {
        const apart = apply(backend, name, x);
        expectAllClose(apart.subarray(0, count), apply(backend, name, x, true), { name: `${name} of ${count}` });
        if (name === "softmax") continue;
        // An element does not depend on its neighbours or its place.
        expectAllClose(
          Array.from(x, (one) => apply(backend, name, [one])[0]!),
          apart,
          { name: `${name}, one by one` },
        );
      }
    }
  });
});

describe.each(BACKENDS)("reductions over a vector: $name", (backend) => {
  function lseOf(x: ArrayLike<number>): number {
    return onBench(backend, (bench) => bench.kernels.vector.logSumExpOf(bench.vector(x).address, x.length));
  }

  it("logSumExpOf: error < 1e-6 · max(1, |result|), for every length and for large numbers", () => {
    for (const count of AWKWARD_SIZES) {
      for (const [deviation, shift] of [
        [1, 0],
        [30, 0],
        [2, 20_000],
        [2, -20_000],
      ] as const) {
        const x = new TestRandom(count).normalFloats(count, deviation).map((value) => value + shift);
        const truth = logSumExp(x);
        expectAllClose([lseOf(x)], [truth], {
          absolute: 1e-6 * Math.max(1, Math.abs(truth)),
          name: `${count}, ${shift}`,
        });
      }
    }
  });

  it("logSumExpOf: −∞ for no elements or only −∞; NaN and +∞ are not hidden", () => {
    expect(lseOf([])).toBe(-Infinity);
    expect(lseOf(new Float32Array(9).fill(-Infinity))).toBe(-Infinity);
    expect(lseOf([-Infinity, 2, -Infinity])).toBeCloseTo(2, 6);
    for (let at = 0; at < 9; at++) {
      expect(lseOf(new Float32Array(9).with(at, Number.NaN))).toBeNaN();
      expect(Number.isFinite(lseOf(new Float32Array(9).with(at, Infinity)))).toBe(false);
    }
  });

  it("softmax: relative error < 1e-6 + 1.2e-7·(max − x), sums to 1 within 1e-6", () => {
    for (const count of AWKWARD_SIZES) {
      const x = new TestRandom(count).normalFloats(count, 6);
      const got = apply(backend, "softmax", x);
      const max = Math.max(...x);
      const truth = softmax(x);
      const bounds = truth.map((p, i) => p * (1e-6 + 1.2e-7 * (max - x[i]!)));
      expectAllClose(got, truth, { bounds, name: `softmax of ${count}` });
      expect(Math.abs(got.reduce((a, b) => a + b, 0) - 1)).toBeLessThan(1e-6);
    }
    expectAllClose(apply(backend, "softmax", [5e4, -Infinity, 5e4, -5e4]), [0.5, 0, 0.5, 0], { relative: 1e-6 });
  });

  it("addScaled: y + a·x within two float32 roundings", () => {
    for (const count of [0, ...AWKWARD_SIZES]) {
      for (const a of [0, 1, -0.1, 1e-3]) {
        const random = new TestRandom(count);
        const [before, x] = [random.normalFloats(count), random.normalFloats(count)];
        const got = onBench(backend, (bench) => {
          const y = bench.vector(before);
          bench.kernels.vector.addScaled(y.address, bench.vector(x).address, a, count);
          return y.read();
        });
        const bounds = Float64Array.from(x, (value, i) => 2 ** -23 * (Math.abs(before[i]!) + Math.abs(a * value)));
        expectAllClose(
          got,
          Float64Array.from(before, (y, i) => y + a * x[i]!),
          { bounds, name: `${count}, ${a}` },
        );
      }
    }
  });

  it("fill writes the value, infinities as well, to exactly count elements", () => {
    for (const count of [0, ...AWKWARD_SIZES]) {
      for (const value of [0, 2.5, -Infinity]) {
        onBench(backend, (bench) => {
          const out = bench.vector(new Float32Array(count).fill(7));
          bench.kernels.vector.fill(out.address, value, count);
          expectAllClose(out.read(), new Float32Array(count).fill(value));
        });
      }
    }
  });

  it("copyIn writes the caller's array, also a part of one, and nothing beside it", () => {
    for (const count of [0, ...AWKWARD_SIZES, 33_000]) {
      const values = new TestRandom(count).normalFloats(count + 3);
      onBench(backend, (bench) => {
        const out = bench.vector(new Float32Array(count).fill(7));
        bench.kernels.vector.copyIn(out.address, values.subarray(3));
        expect(out.read()).toEqual(Float64Array.from(values.subarray(3)));
      });
    }
  });
});

// Guards against a back-end that gains a function which nobody tests here.
it("every vector kernel has its test in this file", () => {
  const tested: Record<keyof VectorKernels, true> = {
    exp: true,
    sigmoid: true,
    softplus: true,
    logSumExpOf: true,
    softmax: true,
    addScaled: true,
    fill: true,
    copyIn: true,
  };
  for (const { kernels } of BACKENDS) expect(Object.keys(kernels.vector).sort()).toEqual(Object.keys(tested).sort());
});
