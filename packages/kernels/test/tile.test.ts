import { crossSparsely, expectAllClose, SMALL_AWKWARD_SIZES, TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { BACKENDS, type Backend } from "./support/backends.js";
import { onBench } from "./support/bench.js";
import { columnOf, FLOAT_EPSILON } from "./support/tiles.js";

const SIZES = crossSparsely({ C: [1, 2, 5, 17, 64, 100], R: [...SMALL_AWKWARD_SIZES, 33, 65], padding: [0, 1, 3] }, 3);

interface LogisticTile {
  C: number;
  R: number;
  z: ArrayLike<number>;
  scale: number;
  add?: ArrayLike<number> | undefined;
  weight?: ArrayLike<number> | undefined;
  coefficient: ArrayLike<number>;
  /** (R): what the losses start from. */
  loss: ArrayLike<number>;
  padding?: number;
}

function logistic(backend: Backend, tile: LogisticTile): { gradient: Float64Array; loss: Float64Array } {
  return onBench(backend, (bench) => {
    const { C, R } = tile;
    const z = bench.matrix(tile.z, C, R, tile.padding);
    const add = tile.add ? bench.vector(tile.add).address : 0;
    const weight = tile.weight ? bench.vector(tile.weight).address : 0;
    const coefficient = bench.vector(tile.coefficient).address;
    const loss = bench.doubles(tile.loss);
    bench.kernels.tile.logisticTile(z.address, z.ld, C, R, tile.scale, add, weight, coefficient, loss.address);
    return { gradient: z.read(), loss: loss.read() };
  });
}

/** The same in float64, and how far a float32 kernel may be off: 1e-6 and the rounding of y, two float32 roundings of its parts. */
function logisticTruth({ C, R, z, scale, add, weight, coefficient, loss }: LogisticTile) {
  const gradient = new Float64Array(C * R);
  const gradientBounds = new Float64Array(C * R);
  const total = Float64Array.from(loss);
  const lossBounds = new Float64Array(R);
  for (let at = 0; at < C * R; at++) {
    const c = Math.floor(at / R);
    const r = at % R;
    if (coefficient[r] === 0) continue;
    const y = scale * z[at]! + (add?.[c] ?? 0);
    const w = weight?.[c] ?? 1;
    const softplus = Math.max(y, 0) + Math.log1p(Math.exp(-Math.abs(y)));
    const rounding = FLOAT_EPSILON * (Math.abs(scale * z[at]!) + Math.abs(add?.[c] ?? 0));
    gradient[at] = (coefficient[r]! * w) / (1 + Math.exp(-y));
    gradientBounds[at] = Math.abs(gradient[at]!) * (1e-6 + rounding);
    total[r]! += w * softplus;
    lossBounds[r]! += w * (1e-6 * Math.max(1, softplus) + rounding);
  }
  return { gradient, gradientBounds, total, lossBounds };
}

describe.each(BACKENDS)("logisticTile: $name", (backend) => {
  it("value: Σ w·softplus(y), error < 1e-6 a term beside the rounding of y; gradient: a·w·σ(y), relative error < 1e-6 likewise", () => {
    const options = crossSparsely(
      { scale: [1, 0.05, 5], withAdd: [false, true], withWeight: [false, true] },
      SIZES.length,
    );
    for (const [i, { C, R, padding }] of SIZES.entries()) {
      const { scale, withAdd, withWeight } = options[i]!;
      const random = new TestRandom(C * 1000 + R);
      const tile = {
        C,
        R,
        padding,
        scale,
        z: random.normalFloats(C * R, 8),
        add: withAdd ? random.normalFloats(C, 4) : undefined,
        weight: withWeight ? random.uniformFloats(C, 0, 5) : undefined,
        coefficient: random.normalFloats(R),
        loss: Float64Array.from({ length: R }, () => random.uniform(0, 100)),
      };
      const { gradient, loss } = logistic(backend, tile);
      const truth = logisticTruth(tile);
      const name = JSON.stringify({ C, R, padding, scale, withAdd, withWeight });
      expectAllClose(gradient, truth.gradient, { bounds: truth.gradientBounds, absolute: 1e-37, shape: [C, R], name });
      expectAllClose(loss, truth.total, { bounds: truth.lossBounds, name });
    }
  });

  it("y = −∞ gives 0 to both, also by way of `add`", () => {
    const base = { C: 2, R: 5, scale: 1, coefficient: [1, 1, 1, 1, 1], loss: [3, 3, 3, 3, 3] };
    for (const tile of [
      { ...base, z: new Float32Array(10).fill(-Infinity) },
      { ...base, z: new Float32Array(10).fill(4), add: [-Infinity, -Infinity], weight: [2, 3] },
    ]) {
      const { gradient, loss } = logistic(backend, tile);
      expectAllClose(gradient, new Float32Array(10));
      expectAllClose(loss, base.loss);
    }
  });

  it("extreme logits neither overflow nor vanish: y = ±200 give y or e^y ≈ 0, and 1 or 0", () => {
    const tile = {
      C: 1,
      R: 6,
      z: [200, -200, 88, -80, 1e30, -1e30],
      scale: 1,
      coefficient: new Float32Array(6).fill(1),
    };
    const { gradient, loss } = logistic(backend, { ...tile, loss: new Float64Array(6) });
    expectAllClose(gradient, [1, 0, 1, Math.exp(-80), 1, 0], { relative: 6e-7 });
    expectAllClose(loss, [200, 0, 88, Math.exp(-80), 1e30, 0], { relative: 1e-6, absolute: 1e-6 });
  });

  it("a row of coefficient 0 gets zeros and adds nothing, whatever its logits are", () => {
    const R = 9;
    const z = new Float32Array(2 * R).map((_, at) => [Number.NaN, Infinity, -Infinity, 1e38, 2][at % 5]!);
    const loss = Float64Array.from({ length: R }, (_, r) => r + 0.5);
    const got = logistic(backend, { C: 2, R, z, scale: 30, coefficient: new Float32Array(R), loss });
    expectAllClose(got.gradient, new Float32Array(2 * R));
    expectAllClose(got.loss, loss);
  });

  it.each([
    ["NaN", Number.NaN],
    ["+∞", Infinity],
  ])("a %s makes the loss of its row, and of no other, not finite", (_, poison) => {
    const [C, R] = [3, 10];
    for (let at = 0; at < C * R; at++) {
      const z = new Float32Array(C * R).with(at, poison);
      const coefficient = new Float32Array(R).fill(1);
      const { loss } = logistic(backend, { C, R, z, scale: 1, coefficient, loss: new Float64Array(R), padding: 1 });
      expect(Array.from(loss, Number.isFinite)).toEqual(Array.from(loss, (_, r) => r !== at % R));
    }
  });

  it("a class of weight 0 adds nothing", () => {
    const tile = { C: 2, R: 3, z: [1, 2, 3, 4, 5, 6], scale: 1, coefficient: [1, 1, 1], loss: [0, 0, 0] };
    const one = logistic(backend, { ...tile, weight: [0, 1] });
    const other = logistic(backend, { ...tile, C: 1, z: [4, 5, 6], weight: [1] });
    expectAllClose(one.loss, other.loss);
    expectAllClose(one.gradient, [0, 0, 0, ...other.gradient]);
  });
});

interface HingeTile extends LogisticTile {
  margin: number;
}

function hinge(backend: Backend, tile: HingeTile): { gradient: Float64Array; loss: Float64Array } {
  return onBench(backend, (bench) => {
    const { C, R } = tile;
    const z = bench.matrix(tile.z, C, R, tile.padding);
    const add = tile.add ? bench.vector(tile.add).address : 0;
    const weight = tile.weight ? bench.vector(tile.weight).address : 0;
    const coefficient = bench.vector(tile.coefficient).address;
    const loss = bench.doubles(tile.loss);
    const { kernels } = bench;
    kernels.tile.hingeTile(z.address, z.ld, C, R, tile.scale, add, weight, tile.margin, coefficient, loss.address);
    return { gradient: z.read(), loss: loss.read() };
  });
}

/** In float64; logits keep a distance from the margin at which no rounding takes them to the other side. */
function hingeTruth({ C, R, z, scale, add, weight, margin, coefficient, loss }: HingeTile) {
  const gradient = new Float64Array(C * R);
  const total = Float64Array.from(loss);
  const bounds = new Float64Array(R);
  for (let at = 0; at < C * R; at++) {
    const c = Math.floor(at / R);
    const r = at % R;
    const y = scale * z[at]! + (add?.[c] ?? 0);
    const w = weight?.[c] ?? 1;
    expect(Math.abs(y - margin)).toBeGreaterThan(1e-5);
    if (coefficient[r] === 0 || y <= margin) continue;
    gradient[at] = coefficient[r]! * w;
    total[r]! += w * (y - margin);
    bounds[r]! += w * (1e-6 * (y - margin) + 2 * FLOAT_EPSILON * (Math.abs(scale * z[at]!) + Math.abs(y) + 1));
  }
  return { gradient, total, bounds };
}

describe.each(BACKENDS)("hingeTile: $name", (backend) => {
  it("value: Σ w·max(0, y − margin), error < 1e-6 of it beside the rounding of y; gradient: a·w where y > margin, one rounding", () => {
    const options = crossSparsely(
      { scale: [1, 0.05, 5], withAdd: [false, true], withWeight: [false, true], margin: [0, 0.4, -3] },
      SIZES.length,
    );
    for (const [i, { C, R, padding }] of SIZES.entries()) {
      const { scale, withAdd, withWeight, margin } = options[i]!;
      const random = new TestRandom(C * 1000 + R);
      const tile = {
        C,
        R,
        padding,
        scale,
        margin,
        z: random.normalFloats(C * R, 2),
        add: withAdd ? random.normalFloats(C) : undefined,
        weight: withWeight ? random.uniformFloats(C, 0, 5) : undefined,
        coefficient: random.normalFloats(R).map((a, r) => (r % 4 === 1 ? 0 : a)),
        loss: Float64Array.from({ length: R }, () => random.uniform(0, 100)),
      };
      const { gradient, loss } = hinge(backend, tile);
      const truth = hingeTruth(tile);
      const name = JSON.stringify({ C, R, padding, scale, withAdd, withWeight, margin });
      expectAllClose(gradient, truth.gradient, { relative: 1.2e-7, shape: [C, R], name });
      expectAllClose(loss, truth.total, { bounds: truth.bounds, name });
    }
  });

  it("at the margin, and at −∞, value and gradient are 0; NaN and +∞ show in the loss of their row, and in no other", () => {
    const tile = {
      C: 1,
      R: 5,
      scale: 2,
      margin: 1,
      coefficient: new Float32Array(5).fill(3),
      loss: new Float64Array(5),
    };
    const { gradient, loss } = hinge(backend, { ...tile, z: [0.5, -Infinity, 1, Number.NaN, Infinity] });
    expectAllClose(gradient.subarray(0, 3), [0, 0, 3]);
    expectAllClose(loss.subarray(0, 3), [0, 0, 1]);
    expect(Array.from(loss, Number.isFinite)).toEqual([true, true, true, false, false]);
  });

  it("a row of coefficient 0 gets zeros and adds nothing, whatever its logits are", () => {
    const R = 9;
    const z = new Float32Array(2 * R).map((_, at) => [Number.NaN, Infinity, -Infinity, 1e38, 2][at % 5]!);
    const loss = Float64Array.from({ length: R }, (_, r) => r + 0.5);
    const got = hinge(backend, { C: 2, R, z, scale: 30, margin: 0.5, coefficient: new Float32Array(R), loss });
    expectAllClose(got.gradient, new Float32Array(2 * R));
    expectAllClose(got.loss, loss);
  });
});

describe.each(BACKENDS)("sums over a tile: $name", (backend) => {
  it("sumOverClasses adds Σ_c z to what is there: error < 1e-6 of Σ |z|", () => {
    for (const { C, R, padding } of SIZES) {
      const random = new TestRandom(C * 7 + R);
      const values = random.normalFloats(C * R);
      const before = Float64Array.from({ length: R }, () => random.normal());
      const out = onBench(backend, (bench) => {
        const sums = bench.doubles(before);
        const z = bench.matrix(values, C, R, padding);
        bench.kernels.tile.sumOverClasses(sums.address, z.address, z.ld, C, R);
        return sums.read();
      });
      const sum = (r: number, f: (x: number) => number) => columnOf(values, C, R, r).reduce((s, x) => s + f(x), 0);
      const truth = before.map((start, r) => start + sum(r, (x) => x));
      const bounds = before.map((_, r) => 1e-6 * sum(r, Math.abs));
      expectAllClose(out, truth, { bounds, absolute: 1e-15, name: `sumOverClasses ${C} x ${R}` });
    }
  });

  it("sumOverRows writes Σ_r z: error < 1e-6 of Σ |z|", () => {
    for (const { C, R, padding } of SIZES) {
      const values = new TestRandom(C * 11 + R).normalFloats(C * R);
      const out = onBench(backend, (bench) => {
        const sums = bench.output(1, C);
        const z = bench.matrix(values, C, R, padding);
        bench.kernels.tile.sumOverRows(sums.address, z.address, z.ld, C, R, 0);
        return sums.read();
      });
      const sum = (c: number, f: (x: number) => number) =>
        values.subarray(c * R, (c + 1) * R).reduce((s, x) => s + f(x), 0);
      const truth = Float64Array.from({ length: C }, (_, c) => sum(c, (x) => x));
      const bounds = truth.map((_, c) => 1e-6 * sum(c, Math.abs));
      expectAllClose(out, truth, { bounds, name: `sumOverRows ${C} x ${R}` });
    }
  });

  it("sumOverTiles writes Σ_r weight·z over tiles of a few rows each, the last with fewer: error < 1e-6 of Σ |weight·z|", () => {
    const cases = crossSparsely({ C: [1, 3, 4, 6], R: [1, 3, 8, 17, 32], tiles: [1, 2, 5], less: [0, 1, 2, 7] }, 3);
    for (const [i, { C, R, tiles, less }] of cases.entries()) {
      const rows = tiles * R - Math.min(less, R - 1);
      const weighted = i % 2 === 0;
      const random = new TestRandom(1000 * C + rows);
      const values = random.normalFloats(tiles * C * R);
      const weight = random.normalFloats(rows);
      const out = onBench(backend, (bench) => {
        const sums = bench.output(1, C);
        const z = bench.matrix(values, tiles * C, R, 1);
        const by = weighted ? bench.vector(weight).address : 0;
        bench.kernels.tile.sumOverTiles(sums.address, z.address, z.ld, C * z.ld, C, R, rows, by);
        return sums.read();
      });
      const term = (c: number, r: number) =>
        (weighted ? weight[r]! : 1) * values[(Math.floor(r / R) * C + c) * R + (r % R)]!;
      const sum = (c: number, f: (x: number) => number) =>
        Array.from(weight, (_, r) => f(term(c, r))).reduce((a, b) => a + b, 0);
      const truth = Float64Array.from({ length: C }, (_, c) => sum(c, (x) => x));
      const bounds = truth.map((_, c) => 1e-6 * sum(c, Math.abs));
      expectAllClose(out, truth, { bounds, name: `sumOverTiles ${JSON.stringify({ C, R, rows, weighted })}` });
    }
  });

  it("no classes, or no rows, sum to nothing", () => {
    onBench(backend, (bench) => {
      const rows = bench.doubles([5, 6]);
      bench.kernels.tile.sumOverClasses(rows.address, bench.matrix([], 0, 2).address, 2, 0, 2);
      expect([...rows.read()]).toEqual([5, 6]);
      const classes = bench.output(1, 3);
      bench.kernels.tile.sumOverRows(classes.address, bench.matrix([], 3, 0, 1).address, 1, 3, 0, 0);
      expect([...classes.read()]).toEqual([0, 0, 0]);
      const noTiles = bench.output(1, 5);
      bench.kernels.tile.sumOverTiles(noTiles.address, bench.matrix([], 5, 0, 4).address, 4, 20, 5, 4, 0, 0);
      expect([...noTiles.read()]).toEqual([0, 0, 0, 0, 0]);
    });
  });

  it("subtractPerRow is z − value, one float32 rounding: exact to the bit", () => {
    for (const { C, R, padding } of SIZES) {
      const random = new TestRandom(C * 13 + R);
      const values = random.normalFloats(C * R, 3);
      const value = random.normalFloats(R, 3);
      const out = onBench(backend, (bench) => {
        const z = bench.matrix(values, C, R, padding);
        const v = bench.vector(value);
        bench.kernels.tile.subtractPerRow(z.address, z.ld, C, R, v.address);
        return z.read();
      });
      const truth = values.map((x, at) => x - value[at % R]!);
      expectAllClose(out, truth, { name: `subtractPerRow ${C} x ${R}`, shape: [C, R] });
    }
  });
});
