import { AWKWARD_SIZES, crossSparsely, expectAllClose, TestRandom, transpose } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { type Backend, BFLOAT16_BACKENDS } from "./support/backends.js";
import { onBench } from "./support/bench.js";

/** How the left operand lies: rows contiguous, columns contiguous, or neither. */
type LeftOrder = "rows" | "columns" | "strided";

interface Product {
  M: number;
  K: number;
  N: number;
  leftOrder?: LeftOrder;
  transposed?: boolean;
  accumulate?: boolean;
  padding?: number;
}

interface Operands {
  left: Float32Array;
  right: Float32Array;
  before: Float32Array;
}

/** out (M, N) by the back-end's products in bfloat16, with operands laid out as `product` says. */
function multiply(backend: Backend, product: Product, { left, right, before }: Operands): Float64Array {
  const { M, K, N, leftOrder = "rows", transposed = false, accumulate = false, padding = 0 } = product;
  return onBench(backend, (bench) => {
    const matrix = bench.kernels.bfloat16Matrix!;
    const out = bench.matrix(before, M, N, padding);
    const packed = bench.bytes(matrix.packedBytes(K, N));
    if (transposed) {
      const source = bench.matrix(transpose(right, K, N), N, K, padding);
      matrix.packRightTransposed(packed, source.address, source.ld, K, N);
    } else {
      const source = bench.matrix(right, K, N, padding);
      matrix.packRight(packed, source.address, source.ld, K, N);
    }
    if (leftOrder === "columns") {
      const a = bench.matrix(transpose(left, M, K), K, M, padding);
      matrix.multiply(out.address, out.ld, a.address, 1, a.ld, packed, M, K, N, accumulate);
    } else {
      // Strided: every element stands between two sentinels.
      const step = leftOrder === "rows" ? 1 : 2;
      const spread = new Float32Array(M * K * step).fill(Number.NaN);
      for (let at = 0; at < M * K; at++) spread[at * step] = left[at]!;
      const a = bench.matrix(spread, M, K * step, padding);
      matrix.multiply(out.address, out.ld, a.address, a.ld, step, packed, M, K, N, accumulate);
    }
    return out.read();
  });
}

function draw({ M, K, N }: Product): Operands {
  const random = new TestRandom(M * 1_000_003 + K * 1009 + N);
  return {
    left: random.normalFloats(M * K),
    right: random.normalFloats(K * N),
    before: random.normalFloats(M * N),
  };
}

/** The multiple of 2^−7 of its power of two that is nearest, ties to even: what bfloat16 keeps of a number, found without its bits. */
function rounded(value: number): number {
  if (value === 0) return 0;
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(value))) - 7);
  const steps = Math.abs(value) / unit;
  const [down, rest] = [Math.floor(steps), steps % 1];
  const up = rest > 0.5 || (rest === 0.5 && down % 2 === 1);
  return Math.sign(value) * (down + (up ? 1 : 0)) * unit;
}

/** Each sum is as near to the float64 sum of products of rounded operands as K + 1 roundings to float32 let it be, in whatever order. */
function expectRight(backend: Backend, product: Product): void {
  const { M, K, N, accumulate = false } = product;
  const operands = draw(product);
  const out = multiply(backend, product, operands);
  const left = operands.left.map(rounded);
  const right = operands.right.map(rounded);
  for (let m = 0; m < M; m++) {
    for (let j = 0; j < N; j++) {
      let sum = accumulate ? operands.before[m * N + j]! : 0;
      let size = Math.abs(sum);
      for (let k = 0; k < K; k++) {
        const term = left[m * K + k]! * right[k * N + j]!;
        sum += term;
        size += Math.abs(term);
      }
      const bound = 1.01 * (K + 1) * 2 ** -24 * size;
      const error = Math.abs(out[m * N + j]! - sum);
      if (!(error <= bound))
        expect.fail(`${JSON.stringify(product)}: row ${m}, column ${j} is off by ${error}, more than ${bound}`);
    }
  }
}

describe.each(BFLOAT16_BACKENDS)("matrix products in bfloat16: $name", (backend) => {
  const cases = crossSparsely(
    {
      M: AWKWARD_SIZES,
      K: [0, ...AWKWARD_SIZES],
      N: AWKWARD_SIZES,
      leftOrder: ["rows", "columns", "strided"],
      transposed: [false, true],
      accumulate: [false, true],
      padding: [0, 1, 3, 4],
    },
    4,
  );

  it(`err as float32 sums of products of rounded operands may (${cases.length} shapes)`, () => {
    for (const product of cases) expectRight(backend, product);
  });

  it("do so around the edges of tiles, in both orders of the left operand", () => {
    const edges = crossSparsely(
      {
        M: [15, 16, 17, 31, 32, 33, 48, 65],
        K: [1, 2, 31, 32, 33, 63, 64, 65],
        N: [15, 16, 17, 31, 32, 33, 48, 65],
        leftOrder: ["rows", "columns"],
        transposed: [false, true],
        accumulate: [false, true],
      },
      2,
    );
    for (const product of edges) expectRight(backend, product);
  });

  it("do so beyond every block: deep, tall and wide", () => {
    for (const leftOrder of ["rows", "columns"] as const) {
      for (const accumulate of [false, true]) {
        expectRight(backend, { M: 7, K: 1543, N: 9, leftOrder, accumulate, padding: 1 });
        expectRight(backend, { M: 263, K: 19, N: 11, leftOrder, accumulate, padding: 3 });
        expectRight(backend, { M: 9, K: 17, N: 521, leftOrder, accumulate });
      }
    }
  });

  it("give the same bits for a part of the rows and columns as for all", () => {
    for (const accumulate of [false, true]) {
      const [M, K, N] = [41, 70, 75];
      const { left, right, before } = draw({ M, K, N });
      const whole = multiply(backend, { M, K, N, accumulate }, { left, right, before });
      for (const [m, j] of [
        [3, 64],
        [40, 33],
        [25, 1],
      ] as const) {
        const columns = Float32Array.from({ length: K * j }, (_, at) => right[Math.floor(at / j) * N + (at % j)]!);
        const start = Float32Array.from({ length: m * j }, (_, at) => before[Math.floor(at / j) * N + (at % j)]!);
        const operands = { left: left.slice(0, m * K), right: columns, before: start };
        const part = multiply(backend, { M: m, K, N: j, accumulate, leftOrder: "columns", transposed: true }, operands);
        expect(part).toEqual(Float64Array.from(part, (_, at) => whole[Math.floor(at / j) * N + (at % j)]!));
      }
    }
  });

  it("take an operand packed in parts as one packed at once", () => {
    for (const transposed of [false, true]) {
      const [M, K, N] = [7, 37, 75];
      const { left, right } = draw({ M, K, N });
      const [whole, parts] = [false, true].map((inParts) =>
        onBench(backend, (bench) => {
          const matrix = bench.kernels.bfloat16Matrix!;
          const packed = bench.bytes(matrix.packedBytes(K, N));
          const source = transposed ? bench.matrix(transpose(right, K, N), N, K, 1) : bench.matrix(right, K, N, 1);
          for (let j = 0; j < N; j += inParts ? 32 : N) {
            const count = Math.min(inParts ? 32 : N, N - j);
            const to = matrix.packedColumn(packed, K, j);
            if (transposed) matrix.packRightTransposed(to, source.address + 4 * source.ld * j, source.ld, K, count);
            else matrix.packRight(to, source.address + 4 * j, source.ld, K, count);
          }
          const a = bench.matrix(left, M, K);
          const out = bench.output(M, N);
          matrix.multiply(out.address, out.ld, a.address, a.ld, 1, packed, M, K, N, false);
          return out.read();
        }),
      );
      expect(parts).toEqual(whole);
    }
  });

  it("sum segments as one product after the other", () => {
    for (const accumulate of [false, true]) {
      for (const [M, K, N, segments] of [
        [33, 37, 40, 3],
        [16, 64, 32, 9],
        [5, 1, 3, 2],
        [5, 300, 33, 2],
        [6, 4, 5, 0],
      ] as const) {
        const { left, right, before } = draw({ M, K: K * segments, N });
        const [one, other] = [false, true].map((together) =>
          onBench(backend, (bench) => {
            const matrix = bench.kernels.bfloat16Matrix!;
            const out = bench.matrix(before, M, N, 3);
            const a = bench.matrix(left, segments * M, K, 1);
            const b = bench.matrix(right, segments * K, N);
            const step = 64 * Math.ceil(matrix.packedBytes(K, N) / 64);
            const packed = bench.bytes(step * Math.max(1, segments));
            const leftStep = M * a.ld;
            for (let s = 0; s < segments; s++) {
              matrix.packRight(packed + step * s, b.address + 4 * K * b.ld * s, b.ld, K, N);
              if (together) continue;
              const [leftOf, packedOf] = [a.address + 4 * leftStep * s, packed + step * s];
              matrix.multiply(out.address, out.ld, leftOf, a.ld, 1, packedOf, M, K, N, accumulate || s > 0);
            }
            if (together)
              matrix.multiplySum(
                out.address,
                out.ld,
                a.address,
                a.ld,
                leftStep,
                packed,
                step,
                M,
                K,
                N,
                segments,
                accumulate,
              );
            else if (segments === 0)
              matrix.multiply(out.address, out.ld, a.address, a.ld, 1, packed, M, 0, N, accumulate);
            return out.read();
          }),
        );
        expectAllClose(other!, one!, { absolute: 1e-4 });
      }
    }
  });

  it("give zeros for K = 0, or leave out as it is when accumulating; write nothing for M = 0 or N = 0", () => {
    const operands = draw({ M: 5, K: 0, N: 7 });
    expectAllClose(multiply(backend, { M: 5, K: 0, N: 7, padding: 2 }, operands), new Float32Array(35));
    expectAllClose(multiply(backend, { M: 5, K: 0, N: 7, padding: 2, accumulate: true }, operands), operands.before);
    expect(multiply(backend, { M: 0, K: 4, N: 3 }, draw({ M: 0, K: 4, N: 3 }))).toHaveLength(0);
    expect(multiply(backend, { M: 3, K: 4, N: 0 }, draw({ M: 3, K: 4, N: 0 }))).toHaveLength(0);
  });

  it("replace what stood in out, NaN as well, unless accumulating", () => {
    const product = { M: 19, K: 3, N: 35 };
    const operands = draw(product);
    const poisoned = { ...operands, before: new Float32Array(19 * 35).fill(Number.NaN) };
    expect(multiply(backend, product, poisoned)).toEqual(multiply(backend, product, operands));
    expect(multiply(backend, { ...product, accumulate: true }, poisoned).every(Number.isNaN)).toBe(true);
  });

  it.each([
    ["NaN", Number.NaN],
    ["+∞", Infinity],
  ])("let a %s in an operand reach its whole row or column, past zeros of the other, and no other", (_, poison) => {
    const [M, K, N] = [19, 5, 21];
    const operands = draw({ M, K, N });
    for (const column of [0, 15, 16, 20]) {
      const right = operands.right.with((K - 1) * N + column, poison);
      const out = multiply(backend, { M, K, N }, { ...operands, left: new Float32Array(M * K), right });
      expect(Array.from(out, Number.isNaN)).toEqual(Array.from(out, (_, at) => at % N === column));
    }
    for (const row of [0, 15, 16, 18]) {
      const left = operands.left.with(row * K, poison);
      const out = multiply(
        backend,
        { M, K, N, leftOrder: "columns" },
        { ...operands, left, right: new Float32Array(K * N) },
      );
      expect(Array.from(out, Number.isNaN)).toEqual(Array.from(out, (_, at) => Math.floor(at / N) === row));
    }
  });

  it("are of bfloat16: 8 bits of an operand count, ties go to even", () => {
    const one = (left: number, right: number) =>
      multiply(
        backend,
        { M: 1, K: 1, N: 1 },
        { left: Float32Array.of(left), right: Float32Array.of(right), before: new Float32Array(1) },
      )[0];
    const ulp = 2 ** -7;
    expect(one(1 + ulp / 2, 1)).toBe(1);
    expect(one(1, 1 + 1.5 * ulp)).toBe(1 + 2 * ulp);
    expect(one(1 + 0.5001 * ulp, -1)).toBe(-1 - ulp);
    expect(one(-3.4e38, 1)).toBe(-Infinity);
    expect(one(1 + ulp, 1 + ulp)).toBe((1 + ulp) ** 2);
  });
});
