import { crossSparsely, expectAllClose, SMALL_AWKWARD_SIZES, TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { BACKENDS, type Backend } from "./support/backends.js";
import { onBench } from "./support/bench.js";
import { FLOAT_EPSILON } from "./support/tiles.js";

const CASES = crossSparsely(
  {
    C: [0, 1, 2, 7, 64, 100],
    T: [0, ...SMALL_AWKWARD_SIZES, 65, 130],
    ld: [1, 3, 8],
    scale: [1, 0.05, 5],
    withAdd: [false, true],
    withWeight: [false, true],
    withMass: [false, true],
  },
  3,
);

/** A row's candidates and labels; what pulls start from. */
interface Pairs {
  readonly ld: number;
  readonly scale: number;
  readonly z: ArrayLike<number>;
  readonly add?: ArrayLike<number> | undefined;
  readonly weight?: ArrayLike<number> | undefined;
  readonly labels: ArrayLike<number>;
  readonly mass?: ArrayLike<number> | undefined;
  readonly coefficient: number;
  readonly pull: ArrayLike<number>;
}

interface Answer {
  readonly loss: number;
  readonly gradient: ArrayLike<number>;
  readonly pull: ArrayLike<number>;
}

/** The other rows of the tile hold what no kernel may read or change. */
function pairs(backend: Backend, of: Pairs): Answer {
  return onBench(backend, (bench) => {
    const vector = (values: ArrayLike<number> | undefined) => (values === undefined ? 0 : bench.vector(values).address);
    const [C, T] = [of.z.length, of.labels.length];
    const z = bench.matrix(of.z, C, 1, of.ld - 1);
    const [add, weight, labels, mass] = [of.add, of.weight, of.labels, of.mass].map(vector);
    const pull = bench.doubles(of.pull);
    const { tile } = bench.kernels;
    const loss = tile.logisticPairs(
      ...([z.address, z.ld, C, of.scale, add!, weight!, labels!, mass!, T, of.coefficient, pull.address] as const),
    );
    return { loss, gradient: z.read(), pull: pull.read() };
  });
}

/** The same in float64, and how far float32 may be off: 2e-6 of a term, and the rounding of d, three float32 roundings of its parts. */
function truthOf({ z, scale, add, weight, labels, mass, coefficient, pull }: Pairs) {
  const [C, T] = [z.length, labels.length];
  const truth = { loss: 0, gradient: new Float64Array(C), pull: Float64Array.from(pull) };
  const bounds = { loss: 0, gradient: new Float64Array(C), pull: new Float64Array(T) };
  for (let c = 0; c < C; c++) {
    for (let l = 0; l < T; l++) {
      const parts = [scale * z[c]!, add?.[c] ?? 0, -labels[l]!];
      const d = parts.reduce((sum, part) => sum + part, 0);
      const m = (weight?.[c] ?? 1) * (mass?.[l] ?? 1);
      const softplus = Math.max(d, 0) + Math.log1p(Math.exp(-Math.abs(d)));
      const slope = m / (1 + Math.exp(-d));
      const off = 2e-6 + FLOAT_EPSILON * parts.reduce((sum, part) => sum + 2 * Math.abs(part), 0);
      truth.loss += m * softplus;
      truth.gradient[c]! += coefficient * slope;
      truth.pull[l]! += slope;
      bounds.loss += m * Math.max(1, softplus) * off;
      bounds.gradient[c]! += Math.abs(coefficient) * slope * off;
      bounds.pull[l]! += slope * off;
    }
  }
  return { truth, bounds };
}

describe.each(BACKENDS)("logisticPairs: $name", (backend) => {
  it("Σ w·m·softplus(d), the pulls of labels and the gradients of candidates: error < 2e-6 a term beside the rounding of d", () => {
    for (const [i, { C, T, ld, scale, withAdd, withWeight, withMass }] of CASES.entries()) {
      const random = new TestRandom(i);
      const of = {
        ld,
        scale,
        z: random.normalFloats(C, 8),
        add: withAdd ? random.normalFloats(C, 4) : undefined,
        weight: withWeight ? random.uniformFloats(C, 0, 5) : undefined,
        labels: random.normalFloats(T, 4),
        mass: withMass ? random.uniformFloats(T, 0, 3) : undefined,
        coefficient: random.uniform(-2, 2),
        pull: Float64Array.from({ length: T }, () => random.uniform(0, 100)),
      };
      const got = pairs(backend, of);
      const { truth, bounds } = truthOf(of);
      const name = JSON.stringify({ C, T, ld, scale, withAdd, withWeight, withMass });
      expectAllClose([got.loss], [truth.loss], { bounds: [bounds.loss], name });
      expectAllClose(got.gradient, truth.gradient, { bounds: bounds.gradient, absolute: 1e-37, name });
      expectAllClose(got.pull, truth.pull, { bounds: bounds.pull, relative: 1e-15, name });
    }
  });

  it("y = −∞ has no part in anything, also by way of `add`", () => {
    const labels = [-1, 0, 2, 80, -80];
    const base = { ld: 2, scale: 1, labels, coefficient: 3, pull: [1, 2, 3, 4, 5] };
    for (const of of [
      { ...base, z: [-Infinity, -Infinity] },
      { ...base, z: [4, 5], add: [-Infinity, -Infinity], weight: [2, 3], mass: [1, 2, 3, 4, 5] },
    ]) {
      const { loss, gradient, pull } = pairs(backend, of);
      expect(loss).toBe(0);
      expectAllClose(gradient, [0, 0]);
      expectAllClose(pull, base.pull);
    }
  });

  it("differences of ±200 neither overflow nor vanish", () => {
    const of = { ld: 1, scale: 1, z: [200, -200], labels: [0], coefficient: 1, pull: [0] };
    const { loss, gradient, pull } = pairs(backend, of);
    expectAllClose([loss], [200], { relative: 1e-6 });
    expectAllClose(gradient, [1, 0], { absolute: 1e-37 });
    expectAllClose(pull, [1], { relative: 1e-6 });
  });

  it.each([
    ["NaN", Number.NaN],
    ["+∞", Infinity],
  ])("a %s among the logits shows in the answer, wherever it stands", (_, poison) => {
    const [C, T] = [3, 6];
    for (let at = 0; at < C; at++) {
      const z = new Float32Array(C).with(at, poison);
      const of = { ld: 1, scale: 1, z, labels: new Float32Array(T), coefficient: 1, pull: new Float64Array(T) };
      expect(Number.isFinite(pairs(backend, of).loss)).toBe(false);
    }
  });
});
