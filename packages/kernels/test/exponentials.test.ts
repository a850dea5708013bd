import { crossSparsely, expectAllClose, SMALL_AWKWARD_SIZES, TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { BACKENDS, type Backend } from "./support/backends.js";
import { onBench } from "./support/bench.js";
import { columnOf } from "./support/tiles.js";

interface Tile {
  readonly C: number;
  readonly R: number;
  readonly z: ArrayLike<number>;
  readonly scale?: number;
  readonly add?: ArrayLike<number>;
  readonly padding?: number;
}

interface Rows {
  readonly reference: ArrayLike<number>;
  readonly sum: ArrayLike<number>;
  readonly total: ArrayLike<number>;
}

function exponentialsOf(backend: Backend, tile: Tile, start?: Rows) {
  const { C, R, z, scale = 1, add, padding = 0 } = tile;
  return onBench(backend, (bench) => {
    const place = bench.matrix(z, C, R, padding);
    const addAt = add === undefined ? 0 : bench.vector(add).address;
    const reference = bench.vector(start?.reference ?? new Array(R).fill(-Infinity));
    const sum = bench.doubles(start?.sum ?? new Array(R).fill(0));
    const decay = bench.vector(new Array(R).fill(9));
    const total = bench.doubles(start?.total ?? new Array(R).fill(0));
    const count = Math.ceil(C / 64);
    const blocks = bench.matrix(new Float32Array(count * R), count, R, padding);
    const moved = bench.kernels.tile.softmaxExponentials(
      place.address,
      place.ld,
      C,
      R,
      scale,
      addAt,
      reference.address,
      sum.address,
      decay.address,
      start === undefined ? 0 : total.address,
      blocks.address,
      blocks.ld,
    );
    return {
      moved,
      z: place.read(),
      reference: reference.read(),
      sum: sum.read(),
      decay: decay.read(),
      total: total.read(),
      blocks: blocks.read(),
    };
  });
}

describe.each(BACKENDS)("softmax in one walk: $name", (backend) => {
  const cases = crossSparsely(
    {
      C: [1, 2, 3, 5, 17, 64, 129, 256],
      R: [...SMALL_AWKWARD_SIZES, 33],
      scale: [1, 0.1, 7],
      deviation: [1, 8],
      withAdd: [false, true],
      padding: [0, 1, 3],
    },
    4,
  );

  it("of a first tile: the reference is the greatest logit; exponentials within 3e-7 + 2.4e-7·(|x| + |reference| + 3); sum within 1e-6", () => {
    for (const { C, R, scale, deviation, withAdd, padding } of cases) {
      const random = new TestRandom(C * 1000 + R);
      const z = random.normalFloats(C * R, deviation);
      const add = withAdd ? random.normalFloats(C, 3) : undefined;
      const got = exponentialsOf(backend, { C, R, z, scale, padding, ...(add && { add }) });
      expect(got.moved).toBe(R);
      expectAllClose(got.decay, new Float64Array(R));
      for (let r = 0; r < R; r++) {
        const x = columnOf(z, C, R, r).map((value, c) => Math.fround(Math.fround(scale * value) + (add?.[c] ?? 0)));
        const reference = Math.max(...x);
        // One float32 rounding more or less of scale·z, at most.
        expectAllClose([got.reference[r]!], [reference], { relative: 2.4e-7, absolute: 1e-6 });
        const truth = x.map((value) => Math.exp(value - reference));
        const bounds = x.map(
          (value, c) => truth[c]! * (3e-7 + 2.4e-7 * (Math.abs(value) + Math.abs(reference) + 3)) + 1e-37,
        );
        const column = columnOf(got.z, C, R, r);
        expectAllClose(column, truth, { bounds: Float64Array.from(bounds), name: `row ${r}` });
        for (let b = 0; b < Math.ceil(C / 64); b++) {
          const ofBlock = column.subarray(64 * b, 64 * b + 64).reduce((sum, e) => sum + e, 0);
          expectAllClose([got.blocks[b * R + r]!], [ofBlock], { relative: 3e-6, name: `block ${b}` });
        }
        expectAllClose([got.sum[r]!], [column.reduce((sum, e) => sum + e, 0)], { relative: 1e-6 });
      }
    }
  });

  it("of a later tile: a reference stays while no logit is more than 32 above it, and moves to the greatest beyond", () => {
    const start = { reference: [0, 0, 0, 5, -Infinity], sum: [2, 2, 2, 2, 0], total: [1, 1, 1, 1, 1] };
    const z = [31, 33, -100, 1, -Infinity, 0, 0, 0, 2, -Infinity];
    const got = exponentialsOf(backend, { C: 2, R: 5, z }, start);
    expect(got.moved).toBe(1);
    expect([...got.reference]).toEqual([0, 33, 0, 5, -Infinity]);
    expectAllClose(got.decay, [1, Math.exp(-33), 1, 1, 1], { relative: 3e-7 });
    const truth = [2 + Math.exp(31) + 1, 2 * Math.exp(-33) + 1 + Math.exp(-33), 3, 2 + Math.exp(-4) + Math.exp(-3), 0];
    expectAllClose(got.sum, truth, { relative: 1e-6 });
    expectAllClose(got.z, [Math.exp(31), 1, 0, Math.exp(-4), 0, 1, Math.exp(-33), 1, Math.exp(-3), 0], {
      relative: 1e-6,
      absolute: 1e-43,
    });
    expectAllClose(got.total, [32, 34, -99, 4, -Infinity]);
  });

  it("partials and factors agree with the walk in two passes: factor · exponential is the softmax gradient, within 1e-5", () => {
    const [C, R, tiles] = [37, 13, 5];
    const random = new TestRandom(3);
    const all = Array.from({ length: tiles }, (_, t) => random.normalFloats(C * R, 1 + 12 * t));
    onBench(backend, (bench) => {
      const { tile } = bench.kernels;
      const [reference, decay, lse, factor] = [0, 0, 0, 0].map(() => bench.vector(new Array(R).fill(0)));
      const coefficient = bench.vector(Array.from({ length: R }, (_, r) => (r === 4 ? 0 : 0.1 * r - 0.3)));
      const sum = bench.doubles(new Array(R).fill(0));
      tile.clearPartials(reference!.address, sum.address, R);
      const references: Float64Array[] = [];
      const places = all.map((z) => {
        const place = bench.matrix(z, C, R, 2);
        tile.softmaxExponentials(
          place.address,
          place.ld,
          C,
          R,
          1,
          0,
          reference!.address,
          sum.address,
          decay!.address,
          0,
          0,
          0,
        );
        references.push(reference!.read());
        return place;
      });
      tile.logSumExp(lse!.address, reference!.address, sum.address, R);
      for (let r = 0; r < R; r++) {
        const logits = all.flatMap((z) => Array.from(columnOf(z, C, R, r)));
        const max = Math.max(...logits);
        const truth = max + Math.log(logits.reduce((s, x) => s + Math.exp(x - max), 0));
        expectAllClose([lse!.read()[r]!], [truth], { relative: 1e-6 });
      }
      places.forEach((place, t) => {
        reference!.write(references[t]!);
        tile.softmaxFactors(factor!.address, reference!.address, lse!.address, coefficient.address, R);
        const f = factor!.read();
        const gradient = place.read().map((e, at) => e * f[at % R]!);
        const exact = bench.matrix(all[t]!, C, R, 2);
        tile.softmaxGradient(exact.address, exact.ld, C, R, lse!.address, coefficient.address);
        const bounds = exact.read().map((g) => 1e-5 * Math.abs(g) + 1e-9);
        expectAllClose(gradient, exact.read(), { bounds });
      });
    });
  });

  it.each([
    ["NaN", Number.NaN],
    ["+∞", Infinity],
  ])("%s leaves a sum that is not finite, in its row alone", (_, bad) => {
    const z = [1, 2, 3, 4, 5, 6, bad, 8, 9, 10, 11, 12];
    const { sum } = exponentialsOf(backend, { C: 2, R: 6, z });
    expect(Array.from(sum, Number.isFinite)).toEqual([false, true, true, true, true, true]);
  });

  it("weighted sums over rows, and scaled rows, of every width within 5e-7 of the sum of sizes", () => {
    for (const R of [...SMALL_AWKWARD_SIZES, 40]) {
      const C = 5;
      const random = new TestRandom(R);
      const [z, weight] = [random.normalFloats(C * R), random.normalFloats(R)];
      const got = onBench(backend, (bench) => {
        const place = bench.matrix(z, C, R, 3);
        const out = bench.vector(new Array(C).fill(7));
        const w = bench.vector(weight);
        bench.kernels.tile.sumOverRows(out.address, place.address, place.ld, C, R, w.address);
        return out.read();
      });
      const products = (c: number) => Array.from(weight, (w, r) => w * z[c * R + r]!);
      const truth = Array.from({ length: C }, (_, c) => products(c).reduce((a, b) => a + b, 0));
      const bounds = truth.map((_, c) => 5e-7 * products(c).reduce((a, b) => a + Math.abs(b), 0));
      expectAllClose(got, truth, { bounds: Float64Array.from(bounds) });

      const columns = onBench(backend, (bench) => {
        const place = bench.matrix(z, C, R, 1);
        bench.kernels.tile.scaleColumns(place.address, place.ld, C, R, bench.vector(weight).address);
        return place.read();
      });
      expectAllClose(
        columns,
        Array.from(z, (value, at) => Math.fround(value * weight[at % R]!)),
      );

      const scaled = onBench(backend, (bench) => {
        const source = bench.matrix(z, C, R, 1);
        const out = bench.matrix(new Float32Array(C * R), C, R, 2);
        const factor = bench.vector([2, 0, -0.5, 1, 3]);
        bench.kernels.rows.scaleRows(out.address, out.ld, source.address, source.ld, factor.address, C, R);
        return out.read();
      });
      expectAllClose(
        scaled,
        Array.from(z, (value, at) => value * [2, 0, -0.5, 1, 3][Math.floor(at / R)]!),
        { relative: 1e-7 },
      );
    }
  });
});
