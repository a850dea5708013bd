import { type Key, philox, STREAM, stepLow, streamWord } from "@logq/core";
import { crossSparsely, expectAllClose, expectBinomial, SMALL_AWKWARD_SIZES, TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { ACTIVATION, type ActivationCode } from "../src/index.js";
import { BACKENDS, type Backend } from "./support/backends.js";
import { onBench } from "./support/bench.js";

const SHAPES = crossSparsely({ columns: [...SMALL_AWKWARD_SIZES, 33, 65], rows: [0, 1, 2, 7], padding: [0, 1, 3] }, 2);

const ACTIVATIONS: [string, ActivationCode, (x: number) => number][] = [
  ["linear", ACTIVATION.linear, (x) => x],
  ["relu", ACTIVATION.relu, (x) => Math.max(x, 0)],
  ["tanh", ACTIVATION.tanh, Math.tanh],
];

function activate(
  backend: Backend,
  values: ArrayLike<number>,
  rows: number,
  columns: number,
  activation: ActivationCode,
  bias?: ArrayLike<number>,
  padding = 0,
): Float64Array {
  return onBench(backend, (bench) => {
    const y = bench.matrix(values, rows, columns, padding);
    const b = bias ? bench.vector(bias).address : 0;
    bench.kernels.dense.biasActivate(y.address, y.ld, rows, columns, b, activation);
    return y.read();
  });
}

describe.each(BACKENDS)("biasActivate: $name", (backend) => {
  it.each(ACTIVATIONS)("%s(y + bias): absolute error < 3e-7, and the rounding of the sum", (_, activation, f) => {
    for (const { rows, columns, padding } of SHAPES) {
      for (const withBias of [false, true]) {
        const random = new TestRandom(rows * 100 + columns);
        const values = random.normalFloats(rows * columns, 2);
        const bias = withBias ? random.normalFloats(columns) : undefined;
        const got = activate(backend, values, rows, columns, activation, bias, padding);
        const truth = Float64Array.from(values, (y, at) => f(Math.fround(y + (bias?.[at % columns] ?? 0))));
        expectAllClose(got, truth, { absolute: activation === ACTIVATION.tanh ? 3e-7 : 0, shape: [rows, columns] });
      }
    }
  });

  it("tanh: relative error < 6e-7 on a sweep of [−12, 12] and on tiny arguments; ±1 far out", () => {
    const sweep = Float32Array.from({ length: 48_001 }, (_, i) => (i - 24_000) / 2000);
    const tiny = Float32Array.from({ length: 200 }, (_, i) => 10 ** (-i / 10) * (i % 2 === 0 ? 1 : -1));
    for (const x of [sweep, tiny]) {
      const truth = Float64Array.from(x, Math.tanh);
      expectAllClose(activate(backend, x, 1, x.length, ACTIVATION.tanh), truth, { relative: 6e-7 });
    }
    const far = [50, -50, 1e30, -1e30, Infinity, -Infinity];
    expectAllClose(activate(backend, far, 1, 6, ACTIVATION.tanh), [1, -1, 1, -1, 1, -1]);
  });

  it.each(ACTIVATIONS)("%s does not hide a NaN", (_, activation) => {
    const got = activate(backend, [1, Number.NaN, 1, 1, 1, 1, Number.NaN], 1, 7, activation);
    expect(Array.from(got, Number.isNaN)).toEqual([false, true, false, false, false, false, true]);
  });
});

describe.each(BACKENDS)("activationBackward: $name", (backend) => {
  it.each([
    ["linear", ACTIVATION.linear, () => 1],
    ["relu", ACTIVATION.relu, (y: number) => (y > 0 ? 1 : 0)],
    ["tanh", ACTIVATION.tanh, (y: number) => 1 - y * y],
  ] as const)("%s: dy · activation'(y), error < 2.4e-7 of |dy|", (_, activation, derivative) => {
    for (const { rows, columns, padding } of SHAPES) {
      const random = new TestRandom(rows * 10 + columns);
      const outputs = random.uniformFloats(rows * columns, -1, 1);
      if (outputs.length > 0) outputs[0] = 0;
      const gradient = random.normalFloats(rows * columns);
      const got = onBench(backend, (bench) => {
        const dy = bench.matrix(gradient, rows, columns, padding);
        const y = bench.matrix(outputs, rows, columns, 2);
        bench.kernels.dense.activationBackward(dy.address, dy.ld, y.address, y.ld, rows, columns, activation);
        expectAllClose(y.read(), outputs, { name: "y stays" });
        return dy.read();
      });
      const truth = Float64Array.from(gradient, (dy, at) => dy * derivative(outputs[at]!));
      const bounds = Float64Array.from(gradient, (dy) => 2.4e-7 * Math.abs(dy));
      expectAllClose(got, truth, { bounds, shape: [rows, columns] });
    }
  });
});

describe.each(BACKENDS)("columnSums: $name", (backend) => {
  it("Σ of a column: error < 1e-6 of Σ |y|; no rows give zeros", () => {
    for (const { rows, columns, padding } of SHAPES) {
      const values = new TestRandom(rows * 1000 + columns).normalFloats(rows * columns);
      const got = onBench(backend, (bench) => {
        const out = bench.output(1, columns);
        const source = bench.matrix(values, rows, columns, padding);
        bench.kernels.dense.columnSums(out.address, source.address, source.ld, rows, columns);
        return out.read();
      });
      const truth = new Float64Array(columns);
      const sizes = new Float64Array(columns);
      for (const [at, y] of values.entries()) {
        truth[at % columns]! += y;
        sizes[at % columns]! += Math.abs(y);
      }
      expectAllClose(got, truth, { bounds: sizes.map((size) => 1e-6 * size), name: `${rows} x ${columns}` });
    }
  });
});

const KEY: Key = { low: 0x12345678, high: 0x9abcdef0 };

interface Dropout {
  rate: number;
  firstRow: number;
  step: number;
  layer: number;
}

function dropped(
  backend: Backend,
  values: ArrayLike<number>,
  rows: number,
  columns: number,
  drop: Dropout,
  padding = 0,
) {
  return onBench(backend, (bench) => {
    const y = bench.matrix(values, rows, columns, padding);
    const { step, layer } = drop;
    bench.kernels.dense.dropout(y.address, y.ld, rows, columns, drop.rate, drop.firstRow, { key: KEY, step, layer });
    return y.read();
  });
}

/** The definition, written out: which words are below the threshold, and one float32 factor for the others. */
function dropoutTruth(
  values: ArrayLike<number>,
  columns: number,
  { rate, firstRow, step, layer }: Dropout,
): Float32Array {
  const words = new Uint32Array(4);
  const factor = Math.fround(1 / (1 - rate));
  return Float32Array.from(values, (y, at) => {
    const i = Math.floor(at / columns);
    const d = at % columns;
    const block = Math.floor(d / 4) + layer * 2 ** 24;
    philox(KEY, block, firstRow + i, stepLow(step), streamWord(STREAM.dropout, step), words);
    return words[d % 4]! < Math.round(rate * 2 ** 32) ? 0 : y * factor;
  });
}

describe.each(BACKENDS)("dropout: $name", (backend) => {
  it("equals its definition bit for bit, whatever the shape, rate, row, step and layer", () => {
    const draws = crossSparsely(
      {
        rate: [0, 0.1, 0.5, 0.999],
        firstRow: [0, 5, 2 ** 31 + 3],
        step: [0, 1, 2 ** 32 + 7, 2 ** 45],
        layer: [0, 1, 255],
      },
      SHAPES.length,
    );
    for (const [i, { rows, columns, padding }] of SHAPES.entries()) {
      const values = new TestRandom(i).normalFloats(rows * columns);
      const got = dropped(backend, values, rows, columns, draws[i]!, padding);
      expectAllClose(got, dropoutTruth(values, columns, draws[i]!), {
        name: JSON.stringify(draws[i]),
        shape: [rows, columns],
      });
    }
  });

  it("drops its share, 100,000 elements a rate (false-alarm rate 1e-6)", () => {
    const ones = new Float32Array(100_000).fill(1);
    for (const rate of [0.01, 0.25, 0.5, 0.9]) {
      const got = dropped(backend, ones, 100, 1000, { rate, firstRow: 0, step: 3, layer: 1 });
      const zeros = got.filter((y) => y === 0).length;
      expectBinomial(zeros, ones.length, rate, 1e-6, 4);
    }
  });

  it("rows done apart have the mask of rows done together", () => {
    const values = new TestRandom(1).normalFloats(9 * 13);
    const drop = { rate: 0.4, firstRow: 100, step: 8, layer: 2 };
    const whole = dropped(backend, values, 9, 13, drop);
    const first = dropped(backend, values.subarray(0, 4 * 13), 4, 13, drop);
    const rest = dropped(backend, values.subarray(4 * 13), 5, 13, { ...drop, firstRow: 104 });
    expect([...first, ...rest]).toEqual([...whole]);
  });

  it("another step, layer or row is another mask", () => {
    const ones = new Float32Array(64).fill(1);
    const drop = { rate: 0.5, firstRow: 0, step: 8, layer: 2 };
    const mask = dropped(backend, ones, 1, 64, drop);
    for (const other of [{ step: 9 }, { step: 8 + 2 ** 32 }, { layer: 3 }, { firstRow: 1 }]) {
      expect(dropped(backend, ones, 1, 64, { ...drop, ...other })).not.toEqual(mask);
    }
  });
});
