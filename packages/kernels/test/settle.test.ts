import { crossSparsely, expectAllClose, SMALL_AWKWARD_SIZES, TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { BACKENDS, type Backend } from "./support/backends.js";
import { onBench } from "./support/bench.js";

interface Rows {
  /** How many labels each row has. */
  counts: readonly number[];
  /** Of all labels, row after row. */
  dot: ArrayLike<number>;
  add?: ArrayLike<number> | undefined;
  mass?: ArrayLike<number> | undefined;
  apart: boolean;
  scale: number;
  weight: ArrayLike<number>;
  max: ArrayLike<number>;
  sum: ArrayLike<number>;
  zLoss: number;
  smoothing: number;
  classes: number;
  total: ArrayLike<number>;
}

interface Settled {
  lse: ArrayLike<number>;
  coefficient: ArrayLike<number>;
  uniform: ArrayLike<number>;
  dot: ArrayLike<number>;
  loss: ArrayLike<number>;
}

const OUTPUTS = ["lse", "coefficient", "uniform", "dot", "loss"] as const;

/** Labels of the first row begin at this place of their vectors. */
const FIRST = 3;

function settle(backend: Backend, rows: Rows): Settled {
  return onBench(backend, (bench) => {
    const R = rows.counts.length;
    const shifted = (values: ArrayLike<number>) => {
      const operand = bench.vector(values);
      return { address: operand.address - 4 * FIRST, read: () => operand.read() };
    };
    const ends = [FIRST];
    for (const count of rows.counts) ends.push(ends.at(-1)! + count);
    const offsets = bench.ints(ends);
    const dot = shifted(rows.dot);
    const add = rows.add ? shifted(rows.add).address : 0;
    const mass = rows.mass ? shifted(rows.mass).address : 0;
    const [weight, max] = [bench.vector(rows.weight).address, bench.vector(rows.max).address];
    const sum = bench.doubles(rows.sum).address;
    const smooths = rows.smoothing > 0;
    const total = smooths ? bench.doubles(rows.total).address : 0;
    const [lse, coefficient] = [bench.output(1, R), bench.output(1, R)];
    const uniform = bench.output(1, smooths ? R : 0);
    const loss = bench.doubles(new Float64Array(R).fill(-7));
    bench.kernels.tile.settleSoftmax(
      offsets.address,
      dot.address,
      add,
      mass,
      rows.apart,
      R,
      rows.scale,
      weight,
      max,
      sum,
      rows.zLoss,
      rows.smoothing,
      rows.classes,
      total,
      lse.address,
      coefficient.address,
      smooths ? uniform.address : 0,
      loss.address,
    );
    const read = { lse, coefficient, uniform, dot, loss };
    return Object.fromEntries(OUTPUTS.map((name) => [name, read[name].read()])) as unknown as Settled;
  });
}

/** The formulas in float64, of the whole set of logits at once: e^max·sum is one more of them. */
function truthOf(rows: Rows): Settled {
  const out = { lse: [], coefficient: [], uniform: [], dot: [], loss: [] } as Record<keyof Settled, number[]>;
  let start = 0;
  for (const [r, count] of rows.counts.entries()) {
    const labels = Array.from({ length: count }, (_, i) => start + i);
    start += count;
    const logits = labels.map((l) => rows.scale * rows.dot[l]! + (rows.add?.[l] ?? 0));
    const masses = labels.map((l) => rows.mass?.[l] ?? 1);
    const M = masses.reduce((a, b) => a + b, 0);
    const w = M === 0 ? 0 : rows.weight[r]!;
    const terms = [rows.max[r]! + Math.log(rows.sum[r]!), ...(rows.apart ? logits : [])];
    const greatest = Math.max(...terms);
    const lse = greatest + Math.log(terms.reduce((sum, z) => sum + Math.exp(z - greatest), 0));
    const epsilon = rows.smoothing;
    const entropy = logits.reduce((sum, z, i) => sum + masses[i]! * (lse - z), 0);
    const smooth = epsilon > 0 ? epsilon * M * (lse - rows.total[r]! / rows.classes) : 0;
    out.lse.push(w === 0 ? 0 : lse);
    out.coefficient.push(w === 0 ? 0 : rows.scale * w * (M + 2 * rows.zLoss * lse));
    if (epsilon > 0) out.uniform.push((rows.scale * w * M * epsilon) / rows.classes);
    out.loss.push(w === 0 ? 0 : w * ((1 - epsilon) * entropy + smooth + rows.zLoss * lse ** 2));
    for (const [i, z] of logits.entries()) {
      const probability = rows.apart ? (M + 2 * rows.zLoss * lse) * Math.exp(z - lse) : 0;
      out.dot.push(w === 0 ? 0 : rows.scale * w * (probability - (1 - epsilon) * masses[i]!));
    }
  }
  return out;
}

function randomRows(R: number, labels: readonly number[], random: TestRandom): Omit<Rows, "apart" | "add" | "mass"> {
  const counts = Array.from({ length: R }, (_, r) => labels[r % labels.length]!);
  const P = counts.reduce((a, b) => a + b, 0);
  return {
    counts,
    dot: random.normalFloats(P, 3),
    scale: 1,
    weight: random.uniformFloats(R, 0.01, 1),
    max: random.normalFloats(R, 4),
    sum: Float64Array.from({ length: R }, () => random.uniform(1, 1000)),
    zLoss: 0,
    smoothing: 0,
    classes: 1000,
    total: Float64Array.from({ length: R }, () => random.normal() * 500),
  };
}

describe.each(BACKENDS)("settleSoftmax: $name", (backend) => {
  const CASES = crossSparsely(
    {
      R: [...SMALL_AWKWARD_SIZES, 33],
      labels: [[1], [1, 0, 2], [5, 1, 0, 0, 3]],
      apart: [true, false],
      scale: [1, 20],
      zLoss: [0, 0.01],
      smoothing: [0, 0.1],
      masses: [false, true],
      add: [false, true],
    },
    4,
  );

  it("is the formula: error of the losses < 1e-13 of their terms, of float32 results one rounding and < 1e-13 of their terms", () => {
    for (const { R, labels, apart, masses, add, ...options } of CASES) {
      const random = new TestRandom(31 * R + labels.length);
      const base = { ...randomRows(R, labels, random), ...options, apart };
      const P = base.dot.length;
      const rows = {
        ...base,
        weight: Float32Array.from(base.weight, (w, r) => (r % 5 === 3 ? 0 : w)),
        mass: masses ? Float32Array.from({ length: P }, (_, l) => (l % 4 === 2 ? 0 : random.uniform(0, 1))) : undefined,
        add: add ? random.normalFloats(P, 5) : undefined,
      };
      const [got, want] = [settle(backend, rows), truthOf(rows)];
      const name = JSON.stringify({ R, labels, apart, masses, add, ...options });
      for (const key of OUTPUTS) {
        const relative = key === "loss" ? 1e-13 : 6e-8;
        expectAllClose(got[key], want[key], { relative, absolute: 1e-11, name: `${key} ${name}` });
      }
    }
  });

  it("no partials but the labels' own: a softmax of the labels alone", () => {
    const empty = { max: [-Infinity, -Infinity], sum: [0, 0] };
    const rows = {
      ...randomRows(2, [1, 2], new TestRandom(1)),
      ...empty,
      dot: [4, 1, 1],
      weight: [1, 0.5],
      apart: true,
    };
    const got = settle(backend, rows);
    expectAllClose(got.lse, [4, 1 + Math.log(2)], { relative: 6e-8 });
    expectAllClose(got.loss, [0, Math.log(2)], { absolute: 1e-15 });
    expectAllClose(got.dot, [0, 0, 0], { absolute: 1e-15 });
    expectAllClose(got.coefficient, [1, 1]);
  });

  it("labels far above and far below the candidates neither overflow nor vanish", () => {
    const rows = {
      ...randomRows(2, [1], new TestRandom(1)),
      dot: [30_000, -30_000],
      weight: [1, 1],
      max: [-20_000, 20_000],
      sum: [1, 1],
      apart: true,
    };
    const got = settle(backend, rows);
    expectAllClose(got.lse, [30_000, 20_000]);
    expectAllClose(got.loss, [0, 50_000]);
    expectAllClose(got.dot, [0, -1]);
  });

  it("a row of weight 0, or without labels, or of masses 0, gets zeros, whatever its logits are", () => {
    for (const bad of [Number.NaN, Infinity, -Infinity]) {
      const rows = {
        ...randomRows(3, [2, 0, 2], new TestRandom(2)),
        dot: new Float32Array(4).fill(bad),
        mass: [1, 1, 0, 0],
        weight: [0, 1, 1],
        max: [bad, bad, bad],
        sum: [Number.NaN, Infinity, 0],
        total: [bad, bad, bad],
        smoothing: 0.1,
        zLoss: 0.1,
      };
      for (const apart of [true, false]) {
        const got = settle(backend, { ...rows, apart });
        for (const key of OUTPUTS) expectAllClose(got[key], new Float32Array(key === "dot" ? 4 : 3), { name: key });
      }
    }
  });

  it.each([
    ["NaN", Number.NaN],
    ["+∞", Infinity],
  ])("a %s among a row's logits shows in its loss, and in no other", (_, bad) => {
    const R = 5;
    const random = new TestRandom(3);
    const rows = { ...randomRows(R, [2], random), apart: true };
    for (let r = 0; r < R; r++) {
      const ofLabels = settle(backend, { ...rows, dot: Float32Array.from(rows.dot).with(2 * r + 1, bad) });
      const ofTiles = settle(backend, { ...rows, max: Float32Array.from(rows.max).with(r, bad) });
      for (const { loss } of [ofLabels, ofTiles]) {
        expect(Array.from(loss, Number.isFinite)).toEqual(Array.from(loss, (_, row) => row !== r));
      }
    }
  });

  it("no rows are no work", () => {
    const got = settle(backend, { ...randomRows(0, [1], new TestRandom(1)), apart: true });
    expect([...Array.from(got.loss), ...Array.from(got.dot)]).toEqual([]);
  });
});
