import { AWKWARD_SIZES, crossSparsely, expectAllClose, expectNoWorse, TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { BACKENDS } from "./support/backends.js";
import { onBench } from "./support/bench.js";

const SHAPES = crossSparsely(
  { D: AWKWARD_SIZES, count: [0, 1, 2, 15, 16, 17, 40, 70], padding: [0, 1, 3], pad: [0, 2] },
  3,
);

const TABLE_ROWS = 37;

/** The sum of f(d) over d < D, in float64. */
function sumOf(D: number, f: (d: number) => number): number {
  let sum = 0;
  for (let d = 0; d < D; d++) sum += f(d);
  return sum;
}

/** The same, rounded to float32 after every addition and every term. */
function naiveSumOf(D: number, f: (d: number) => number): number {
  let sum = 0;
  for (let d = 0; d < D; d++) sum = Math.fround(sum + Math.fround(f(d)));
  return sum;
}

describe.each(BACKENDS)("gatherRows and scatterRows: $name", (backend) => {
  it("gather copies rows bit for bit, repeats included, and reads nothing else", () => {
    for (const { D, count, padding, pad } of SHAPES) {
      const random = new TestRandom(D * 100 + count);
      const values = random.normalFloats(TABLE_ROWS * D);
      const rows = random.integers(count, TABLE_ROWS);
      onBench(backend, (bench) => {
        const table = bench.matrix(values, TABLE_ROWS, D, padding);
        const out = bench.output(count, D, pad);
        const indices = bench.ints(rows);
        bench.kernels.rows.gatherRows(out.address, out.ld, table.address, table.ld, indices.address, count, D);
        const truth = Float32Array.from(
          { length: count * D },
          (_, at) => values[rows[Math.floor(at / D)]! * D + (at % D)]!,
        );
        expectAllClose(out.read(), truth, { name: `gather ${count} x ${D}` });
        expectAllClose(table.read(), values, { name: "the table stays" });
      });
    }
  });

  it("scatter writes the rows it is told and no others", () => {
    for (const { D, count: wanted, padding, pad } of SHAPES) {
      const count = Math.min(wanted, TABLE_ROWS);
      const random = new TestRandom(D * 100 + count);
      const values = random.normalFloats(TABLE_ROWS * D);
      const rows = random.distinctIntegers(count, TABLE_ROWS);
      const updates = random.normalFloats(count * D);
      onBench(backend, (bench) => {
        const table = bench.matrix(values, TABLE_ROWS, D, padding);
        const source = bench.matrix(updates, count, D, pad);
        const indices = bench.ints(rows);
        bench.kernels.rows.scatterRows(table.address, table.ld, indices.address, source.address, source.ld, count, D);
        const truth = values.slice();
        for (let j = 0; j < count; j++) truth.set(updates.subarray(j * D, (j + 1) * D), rows[j]! * D);
        expectAllClose(table.read(), truth, { name: `scatter ${count} x ${D}` });
      });
    }
  });
});

describe.each(BACKENDS)("weightedRowSums: $name", (backend) => {
  const shapes = crossSparsely(
    {
      D: AWKWARD_SIZES,
      count: [0, 1, 2, 9, 30],
      weighted: [false, true],
      accumulate: [false, true],
      padding: [0, 1, 3],
    },
    4,
  );

  it("errs no more than a naive float32 sum plus 5e-7 of the largest value; empty runs give zeros or stay", () => {
    for (const { D, count, weighted, accumulate, padding } of shapes) {
      const random = new TestRandom(D * 1000 + count);
      // Runs of 0 to 6 that do not start at 0.
      const offsets = [2];
      for (let u = 0; u < count; u++) offsets.push(offsets[u]! + random.integer(7));
      const uses = offsets[count]! + 3;
      const values = random.normalFloats(TABLE_ROWS * D);
      const rows = random.integers(uses, TABLE_ROWS);
      const weights = weighted ? random.normalFloats(uses) : undefined;
      const before = accumulate ? random.normalFloats(count * D) : new Float32Array(count * D).fill(Number.NaN);

      const got = onBench(backend, (bench) => {
        const source = bench.matrix(values, TABLE_ROWS, D, padding);
        const out = bench.matrix(before, count, D, padding);
        bench.kernels.rows.weightedRowSums(
          out.address,
          out.ld,
          source.address,
          source.ld,
          bench.ints(offsets).address,
          bench.ints(rows).address,
          weights ? bench.vector(weights).address : 0,
          count,
          D,
          accumulate,
        );
        return out.read();
      });

      const evaluate = (sum: typeof sumOf) =>
        Float64Array.from({ length: count * D }, (_, at) => {
          const u = Math.floor(at / D);
          const start = offsets[u]!;
          const run = sum(offsets[u + 1]! - start, (j) => {
            return (weights?.[start + j] ?? 1) * values[rows[start + j]! * D + (at % D)]!;
          });
          return (accumulate ? before[at]! : 0) + run;
        });
      const name = JSON.stringify({ D, count, weighted, accumulate });
      expectNoWorse(got, evaluate(naiveSumOf), evaluate(sumOf), { margin: 5e-7, name, shape: [count, D] });
    }
  });

  it("adds in the order of the arguments: cancellation shows it", () => {
    const sums = onBench(backend, (bench) => {
      const source = bench.matrix([1e8, 1, -1e8], 3, 1);
      const out = bench.output(2, 1);
      const offsets = bench.ints([0, 3, 6]);
      const indices = bench.ints([0, 2, 1, 2, 0, 1]);
      bench.kernels.rows.weightedRowSums(
        out.address,
        1,
        source.address,
        1,
        offsets.address,
        indices.address,
        0,
        2,
        1,
        false,
      );
      return out.read();
    });
    expect([...sums]).toEqual([1, 1]);
  });
});

describe.each(BACKENDS)("pairDots: $name", (backend) => {
  it("errs no more than a naive float32 dot product plus 5e-7 of the largest; an index vector of 0 means row j", () => {
    const sides = crossSparsely({ a: [false, true], b: [false, true] }, SHAPES.length);
    for (const [i, { D, count, padding, pad }] of SHAPES.entries()) {
      const random = new TestRandom(D * 10 + count);
      const rowsA = Math.max(count, TABLE_ROWS);
      const a = random.normalFloats(rowsA * D);
      const b = random.normalFloats(rowsA * D);
      const indicesA = sides[i]!.a ? random.integers(count, rowsA) : undefined;
      const indicesB = sides[i]!.b ? random.integers(count, rowsA) : undefined;
      const got = onBench(backend, (bench) => {
        const left = bench.matrix(a, rowsA, D, padding);
        const right = bench.matrix(b, rowsA, D, pad);
        const out = bench.output(1, count);
        const at = indicesA ? bench.ints(indicesA).address : 0;
        const bt = indicesB ? bench.ints(indicesB).address : 0;
        bench.kernels.rows.pairDots(out.address, left.address, left.ld, at, right.address, right.ld, bt, count, D);
        return out.read();
      });
      const evaluate = (sum: typeof sumOf) =>
        Float64Array.from({ length: count }, (_, j) => {
          const rowA = (indicesA?.[j] ?? j) * D;
          const rowB = (indicesB?.[j] ?? j) * D;
          return sum(D, (d) => a[rowA + d]! * b[rowB + d]!);
        });
      expectNoWorse(got, evaluate(naiveSumOf), evaluate(sumOf), { margin: 5e-7, name: `dots of ${count} x ${D}` });
    }
  });
});

describe.each(BACKENDS)("normalizeRows: $name", (backend) => {
  function normalize(
    values: ArrayLike<number>,
    rows: number,
    D: number,
    epsilon: number,
    padding = 0,
    inPlace = false,
  ) {
    return onBench(backend, (bench) => {
      const source = bench.matrix(values, rows, D, padding);
      const out = inPlace ? source : bench.output(rows, D, 1);
      const norms = bench.output(1, rows);
      const { address } = source;
      bench.kernels.rows.normalizeRows(out.address, out.ld, address, source.ld, norms.address, rows, D, epsilon);
      return { unit: out.read(), norms: norms.read() };
    });
  }

  it("norms and unit rows have a relative error < 5e-7, apart or in place, for rows of any size", () => {
    for (const [i, { D, count, padding }] of SHAPES.entries()) {
      // Squares of the larger and of the smaller would leave float32.
      const deviation = [3, 1e30, 1e-25][i % 3]!;
      const values = new TestRandom(i).normalFloats(count * D, deviation);
      const { unit, norms } = normalize(values, count, D, 1e-35, padding, i % 2 === 0);
      const truth = Float64Array.from({ length: count }, (_, r) => Math.sqrt(sumOf(D, (d) => values[r * D + d]! ** 2)));
      expectAllClose(norms, truth, { relative: 5e-7, name: `norms of ${count} x ${D}` });
      const units = Float64Array.from(values, (value, at) => value / truth[Math.floor(at / D)]!);
      expectAllClose(unit, units, { relative: 5e-7, shape: [count, D], name: "units" });
    }
  });

  it("a row shorter than epsilon is divided by epsilon: a zero row stays zero, and nothing is NaN", () => {
    const { unit, norms } = normalize([0, 0, 3e-4, 4e-4, 3, 4], 3, 2, 1e-3);
    expectAllClose(norms, [1e-3, 1e-3, 5], { relative: 1e-7 });
    expectAllClose(unit, [0, 0, 0.3, 0.4, 0.6, 0.8], { relative: 3e-7 });
  });

  it("does not hide a NaN behind epsilon", () => {
    expect(normalize([Number.NaN, 1, 2, 2], 2, 2, 1e-6).norms[0]).toBeNaN();
  });

  it("backward is (g − u⟨u, g⟩)/norm: error < 1e-6 of the row's |g|/norm", () => {
    for (const { D, count, padding, pad } of SHAPES) {
      const random = new TestRandom(D * 31 + count);
      const { unit, norms } = normalize(random.normalFloats(count * D), count, D, 1e-12);
      const gradient = random.normalFloats(count * D);
      const got = onBench(backend, (bench) => {
        const g = bench.matrix(gradient, count, D, padding);
        const u = bench.matrix(unit, count, D, pad);
        const n = bench.vector(norms);
        bench.kernels.rows.normalizeRowsBackward(g.address, g.ld, u.address, u.ld, n.address, count, D);
        return g.read();
      });
      const along = Float64Array.from(norms, (_, r) => sumOf(D, (d) => unit[r * D + d]! * gradient[r * D + d]!));
      const length = Float64Array.from(norms, (_, r) => Math.sqrt(sumOf(D, (d) => gradient[r * D + d]! ** 2)));
      const row = (at: number) => Math.floor(at / D);
      const truth = Float64Array.from(gradient, (g, at) => (g - unit[at]! * along[row(at)]!) / norms[row(at)]!);
      const bounds = truth.map((_, at) => (1e-6 * length[row(at)]!) / norms[row(at)]!);
      expectAllClose(got, truth, { bounds, shape: [count, D] });
    }
  });
});

describe.each(BACKENDS)("sumOfSquares and allFinite: $name", (backend) => {
  it("sumOfSquares is accumulated in float64: relative error < 1e-12, also where squares overflow float32", () => {
    for (const { D, count, padding } of SHAPES) {
      for (const deviation of [1, 1e30, 1e-30]) {
        const values = new TestRandom(D + count).normalFloats(count * D, deviation);
        const got = onBench(backend, (bench) => {
          const block = bench.matrix(values, count, D, padding);
          return bench.kernels.rows.sumOfSquares(block.address, block.ld, count, D);
        });
        expectAllClose([got], [sumOf(count * D, (at) => values[at]! ** 2)], {
          relative: 1e-12,
          name: `${count} x ${D}`,
        });
      }
    }
  });

  it("allFinite finds a NaN or an infinity anywhere in the block and nowhere else", () => {
    for (const [rows, D] of [
      [1, 1],
      [3, 5],
      [2, 16],
      [2, 21],
    ] as const) {
      const values = new Float32Array(rows * D).fill(3.4028234663852886e38);
      values[0] = 1e-45;
      const ask = (block: Float32Array) =>
        onBench(backend, (bench) => {
          // The padding holds NaN.
          const { address, ld } = bench.matrix(block, rows, D, 2);
          return bench.kernels.rows.allFinite(address, ld, rows, D);
        });
      expect(ask(values)).toBe(true);
      for (let at = 0; at < rows * D; at++) {
        for (const poison of [Number.NaN, Infinity, -Infinity]) expect(ask(values.with(at, poison))).toBe(false);
      }
    }
  });

  it("of an empty block they are 0 and true", () => {
    onBench(backend, (bench) => {
      const { address } = bench.output(2, 3);
      expect(bench.kernels.rows.sumOfSquares(address, 3, 0, 3)).toBe(0);
      expect(bench.kernels.rows.allFinite(address, 3, 0, 3)).toBe(true);
      expect(bench.kernels.rows.allFinite(address, 3, 2, 0)).toBe(true);
    });
  });
});
