import { crossSparsely, expectAllClose, SMALL_AWKWARD_SIZES, TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { BACKENDS } from "./support/backends.js";
import { onBench } from "./support/bench.js";
import { foldOf, lseOf, type Partials, partialsOf } from "./support/partials.js";
import { columnOf, FLOAT_EPSILON } from "./support/tiles.js";

function finite({ max, sum }: Partials, r: number): boolean {
  return Number.isFinite(max[r]) && Number.isFinite(sum[r]);
}

describe.each(BACKENDS)("softmax partials: $name", (backend) => {
  const cases = crossSparsely(
    {
      C: [1, 2, 3, 5, 8, 17, 64, 129],
      R: [...SMALL_AWKWARD_SIZES, 33, 64],
      scale: [1, 0.1, 7],
      deviation: [1, 30],
      withAdd: [false, true],
      padding: [0, 1, 3],
    },
    4,
  );

  it("z ← scale·z + add within 2 float32 roundings; max is exact; the sum's relative error < 1e-6", () => {
    for (const { C, R, scale, deviation, withAdd, padding } of cases) {
      const random = new TestRandom(C * 1000 + R);
      const z = random.normalFloats(C * R, deviation);
      const add = withAdd ? random.normalFloats(C, 3) : undefined;
      const got = partialsOf(backend, { C, R, z, scale, padding, ...(add && { add }) });

      const addOf = (at: number) => add?.[Math.floor(at / R)] ?? 0;
      const scaled = Float64Array.from(z, (value, at) => scale * value + addOf(at));
      const bounds = Float64Array.from(z, (v, at) => FLOAT_EPSILON * (Math.abs(scale * v) + Math.abs(addOf(at))));
      expectAllClose(got.z, scaled, { bounds, shape: [C, R], name: "z" });

      for (let r = 0; r < R; r++) {
        const column = columnOf(got.z, C, R, r);
        const max = Math.max(...column);
        const sum = column.reduce((total, value) => total + Math.exp(value - max), 0);
        expect(got.max[r]).toBe(max);
        expectAllClose([got.sum[r]!], [sum], { relative: 1e-6, name: `sum of row ${r}` });
      }
    }
  });

  it("stays exact for logits of ±30,000 and for ones that all but vanish", () => {
    const z = [30_000, -30_000, 30_000, 29_990, -30_000, 30_000 - 200, -29_999, 0.5];
    const { max, sum } = partialsOf(backend, { C: 4, R: 2, z });
    expectAllClose(max, [30_000, 29_990]);
    expectAllClose(sum, [2, 1], { relative: 1e-6 });
  });

  it("carries millions of equal terms without losing any: 2^24 + 2 terms sum to that, exactly", () => {
    const tile = { C: 2, R: 1, z: [0, 0] };
    expect(partialsOf(backend, tile, { max: [0], sum: [2 ** 24] }).sum[0]).toBe(2 ** 24 + 2);
    expect(foldOf(backend, { max: [1], sum: [2 ** 40] }, { max: [1], sum: [1] }).sum[0]).toBe(2 ** 40 + 1);
  });

  it("a logit of −∞ takes no part; a row of nothing else stays the empty set", () => {
    const none = -Infinity;
    const z = [none, none, 3, none, none, none, none, 5, none, none, none, 5];
    const got = partialsOf(backend, { C: 3, R: 4, z, add: [1, 1, 1] });
    expectAllClose(got.max, [none, none, 4, 6]);
    expectAllClose(got.sum, [0, 0, 1, 2]);
    const masked = partialsOf(backend, { C: 2, R: 1, z: [1, 2], add: [none, none] });
    expect([masked.max[0], masked.sum[0]]).toEqual([none, 0]);
  });

  it("a tile of −∞, or of no classes, leaves earlier partials as they were", () => {
    const start = { max: [2, -7], sum: [3, 1.5] };
    const after = partialsOf(backend, { C: 1, R: 2, z: [-Infinity, -Infinity] }, start);
    expect({ max: [...Array.from(after.max)], sum: [...Array.from(after.sum)] }).toEqual(start);
    const nothing = partialsOf(backend, { C: 0, R: 2, z: [] }, start);
    expect({ max: [...Array.from(nothing.max)], sum: [...Array.from(nothing.sum)] }).toEqual(start);
  });

  it.each([
    ["NaN", Number.NaN],
    ["+∞", Infinity],
  ])("a %s anywhere makes the partials of its row, and of no other, not finite", (_, poison) => {
    const [C, R] = [5, 19];
    const random = new TestRandom(3);
    const clean = random.normalFloats(C * R);
    for (let at = 0; at < C * R; at++) {
      const got = partialsOf(backend, { C, R, z: clean.with(at, poison), padding: 1 });
      for (let r = 0; r < R; r++) expect(finite(got, r), `z[${at}], row ${r}`).toBe(r !== at % R);
    }
  });

  it("it still shows after further tiles and folds, from either side", () => {
    for (const poison of [Number.NaN, Infinity]) {
      const bad = partialsOf(backend, { C: 2, R: 1, z: [poison, 1] });
      const good = partialsOf(backend, { C: 2, R: 1, z: [4, 1] });
      const empty = { max: [-Infinity], sum: [0] };
      expect(finite(partialsOf(backend, { C: 1, R: 1, z: [5] }, bad), 0)).toBe(false);
      expect(finite(partialsOf(backend, { C: 1, R: 1, z: [-Infinity] }, bad), 0)).toBe(false);
      expect(finite(partialsOf(backend, { C: 1, R: 1, z: [poison] }, good), 0)).toBe(false);
      for (const other of [good, empty]) {
        expect(finite(foldOf(backend, bad, other), 0)).toBe(false);
        expect(finite(foldOf(backend, other, bad), 0)).toBe(false);
      }
    }
  });

  it("a product that overflows float32 is not hidden", () => {
    expect(finite(partialsOf(backend, { C: 1, R: 1, z: [3e38], scale: 10 }), 0)).toBe(false);
  });
});

describe.each(BACKENDS)("fold of partials: $name", (backend) => {
  const R = 21;
  const random = new TestRandom(17);

  function randomPartials(): Partials {
    return { max: random.normalFloats(R, 50), sum: Float64Array.from({ length: R }, () => random.uniform(1, 1e6)) };
  }

  it("the empty set is its identity, bit for bit, from both sides; two empty sets fold to it", () => {
    const empty = { max: new Float32Array(R).fill(-Infinity), sum: new Float64Array(R) };
    const some = randomPartials();
    for (const folded of [foldOf(backend, some, empty), foldOf(backend, empty, some)]) {
      expectAllClose(folded.max, some.max);
      expectAllClose(folded.sum, some.sum);
    }
    const none = foldOf(backend, empty, empty);
    expectAllClose(none.max, empty.max);
    expectAllClose(none.sum, empty.sum);
  });

  it("M = −∞ yields (−∞, 0), whatever the sums were", () => {
    const odd = { max: new Float32Array(R).fill(-Infinity), sum: new Float64Array(R).fill(7) };
    const folded = foldOf(backend, odd, odd);
    expectAllClose(folded.max, odd.max);
    expectAllClose(folded.sum, new Float64Array(R));
  });

  it("commutes bit for bit, and is associative to 1e-6 of the log-sum-exp", () => {
    for (let round = 0; round < 20; round++) {
      const [a, b, c] = [randomPartials(), randomPartials(), randomPartials()];
      expect(foldOf(backend, a, b)).toEqual(foldOf(backend, b, a));
      const left = foldOf(backend, foldOf(backend, a, b), c);
      const right = foldOf(backend, a, foldOf(backend, b, c));
      expectAllClose(left.max, right.max);
      expectAllClose(lseOf(left), lseOf(right), { absolute: 1e-6 });
    }
  });

  it("tiles folded in any grouping agree with one tile: 1e-6 of the sum", () => {
    const C = 30;
    const z = random.normalFloats(C * R, 4);
    const whole = partialsOf(backend, { C, R, z });
    for (const cuts of [
      [10, 20],
      [1, 2, 29],
      [7, 7, 16],
    ]) {
      const edges = [0, ...cuts, C];
      let running: Partials = { max: new Float32Array(R).fill(-Infinity), sum: new Float64Array(R) };
      let tree = running;
      for (let i = 0; i + 1 < edges.length; i++) {
        const tile = { C: edges[i + 1]! - edges[i]!, R, z: z.subarray(edges[i]! * R, edges[i + 1]! * R) };
        running = partialsOf(backend, tile, running);
        tree = foldOf(backend, tree, partialsOf(backend, tile));
      }
      for (const folded of [running, tree]) {
        expectAllClose(folded.max, whole.max);
        expectAllClose(folded.sum, whole.sum, { relative: 1e-6 });
      }
    }
  });

  it("logSumExp = max + log(sum), error < 1.2e-7 · max(1, |result|); −∞ for the empty set", () => {
    const { max, sum } = randomPartials();
    const partials = { max: Float32Array.from([...Array.from(max), -Infinity, 0]), sum: [...Array.from(sum), 0, 1] };
    const out = onBench(backend, (bench) => {
      const m = bench.vector(partials.max);
      const s = bench.doubles(partials.sum);
      const lse = bench.vector(new Float32Array(R + 2));
      bench.kernels.tile.logSumExp(lse.address, m.address, s.address, R + 2);
      return lse.read();
    });
    const truth = lseOf(partials);
    const bounds = truth.map((value) => 1.2e-7 * Math.max(1, Math.abs(value)));
    expectAllClose(out.subarray(0, R), truth.subarray(0, R), { bounds: bounds.subarray(0, R) });
    expectAllClose(out.subarray(R), [-Infinity, 0]);
  });
});

describe.each(BACKENDS)("softmax partials of many classes: $name", (backend) => {
  it("128,000 logits in ascending order, so that the maximum moves with every class: relative error of the sum < 2e-5", () => {
    const C = 128_000;
    const z = Float32Array.from({ length: C }, (_, c) => (10 * c) / C);
    const truth = z.reduce((sum, value) => sum + Math.exp(value - z[C - 1]!), 0);
    const { max, sum } = partialsOf(backend, { C, R: 1, z });
    expect(max[0]).toBe(z[C - 1]);
    expectAllClose(sum, [truth], { relative: 2e-5 });
  });
});
