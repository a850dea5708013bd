import {
  AWKWARD_SIZES,
  crossSparsely,
  expectAllClose,
  expectNoWorse,
  matmul,
  matmulFloat32,
  TestRandom,
  transpose,
} from "@logq/testing";
import { describe, expect, it } from "vitest";
import { BACKENDS, type Backend } from "./support/backends.js";
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

/**
 * out (M, N), computed by the back-end with operands laid out as `product` says. A back-end that multiplies with a right operand where it lies does
 * that as well, and has to answer the same.
 */
function multiply(backend: Backend, product: Product, { left, right, before }: Operands): Float64Array {
  const { M, K, N, leftOrder = "rows", transposed = false, accumulate = false, padding = 0 } = product;
  return onBench(backend, (bench) => {
    const { matrix } = bench.kernels;
    const out = bench.matrix(before, M, N, padding);
    const packed = bench.bytes(matrix.packedBytes(K, N));
    const unpacked =
      transposed || matrix.multiplyUnpacked === undefined ? undefined : bench.matrix(right, K, N, padding);
    const other = bench.matrix(before, M, N, padding);
    if (transposed) {
      const source = bench.matrix(transpose(right, K, N), N, K, padding);
      matrix.packRightTransposed(packed, source.address, source.ld, K, N);
    } else {
      const source = bench.matrix(right, K, N, padding);
      matrix.packRight(packed, source.address, source.ld, K, N);
    }
    const run = (address: number, rowStride: number, columnStride: number) => {
      matrix.multiply(out.address, out.ld, address, rowStride, columnStride, packed, M, K, N, accumulate);
      if (unpacked === undefined) return;
      const { address: at, ld } = unpacked;
      matrix.multiplyUnpacked!(other.address, other.ld, address, rowStride, columnStride, at, ld, M, K, N, accumulate);
      expect(other.read()).toEqual(out.read());
    };
    if (leftOrder === "columns") {
      const a = bench.matrix(transpose(left, M, K), K, M, padding);
      run(a.address, 1, a.ld);
    } else {
      // Strided: every element stands between two sentinels.
      const step = leftOrder === "rows" ? 1 : 2;
      const spread = new Float32Array(M * K * step).fill(Number.NaN);
      for (let at = 0; at < M * K; at++) spread[at * step] = left[at]!;
      const a = bench.matrix(spread, M, K * step, padding);
      run(a.address, a.ld, step);
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

function expectRight(backend: Backend, product: Product): void {
  const { M, K, N, accumulate = false } = product;
  const operands = draw(product);
  const start = accumulate ? operands.before : new Float32Array(M * N);
  const add = (sum: number, at: number) => start[at]! + sum;
  const truth = matmul(operands.left, operands.right, M, K, N).map(add);
  const naive = matmulFloat32(operands.left, operands.right, M, K, N).map(add);
  expectNoWorse(multiply(backend, product, operands), naive, truth, {
    margin: 5e-7,
    name: JSON.stringify(product),
    shape: [M, N],
  });
}

describe.each(BACKENDS)("matrix products: $name", (backend) => {
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
    6,
  );

  it(`errs no more than a naive float32 product, plus 5e-7 of the largest value (${cases.length} shapes)`, () => {
    for (const product of cases) expectRight(backend, product);
  });

  it("does so for all 12 x 12 small M and N, in both orders of the left operand", () => {
    for (let M = 1; M <= 12; M++) {
      for (let N = 1; N <= 12; N++) {
        for (const leftOrder of ["rows", "columns"] as const)
          expectRight(backend, { M, K: 5, N, leftOrder, padding: 1 });
      }
    }
  });

  it("does so beyond every block: deep, tall and wide", () => {
    for (const leftOrder of ["rows", "columns", "strided"] as const) {
      for (const accumulate of [false, true]) {
        expectRight(backend, { M: 7, K: 1543, N: 9, leftOrder, accumulate, padding: 1 });
        expectRight(backend, { M: 263, K: 19, N: 11, leftOrder, accumulate, padding: 3 });
        expectRight(backend, { M: 9, K: 17, N: 521, leftOrder, accumulate });
        expectRight(backend, { M: 130, K: 515, N: 10, leftOrder, accumulate });
      }
    }
  });

  it("an operand packed in parts is the operand packed at once", () => {
    for (const transposed of [false, true]) {
      for (const [K, N] of [
        [5, 41],
        [33, 64],
        [1, 9],
      ] as const) {
        const { left, right } = draw({ M: 7, K, N });
        const [whole, parts] = [false, true].map((inParts) =>
          onBench(backend, (bench) => {
            const { matrix } = bench.kernels;
            const packed = bench.bytes(matrix.packedBytes(K, N));
            const source = transposed ? bench.matrix(transpose(right, K, N), N, K, 1) : bench.matrix(right, K, N, 1);
            for (let j = 0; j < N; j += inParts ? 32 : N) {
              const count = Math.min(inParts ? 32 : N, N - j);
              const to = matrix.packedColumn(packed, K, j);
              if (transposed) matrix.packRightTransposed(to, source.address + 4 * source.ld * j, source.ld, K, count);
              else matrix.packRight(to, source.address + 4 * j, source.ld, K, count);
            }
            const a = bench.matrix(left, 7, K);
            const out = bench.matrix(new Float32Array(7 * N), 7, N);
            matrix.multiply(out.address, out.ld, a.address, a.ld, 1, packed, 7, K, N, false);
            return out.read();
          }),
        );
        expect(parts).toEqual(whole);
      }
    }
  });

  it("K = 0 gives zeros, or leaves out as it is when accumulating", () => {
    for (const [M, N] of [
      [1, 1],
      [5, 7],
      [13, 20],
    ] as const) {
      const operands = draw({ M, K: 0, N });
      expectAllClose(multiply(backend, { M, K: 0, N, padding: 2 }, operands), new Float32Array(M * N));
      expectAllClose(multiply(backend, { M, K: 0, N, padding: 2, accumulate: true }, operands), operands.before);
    }
  });

  it("M = 0 or N = 0 writes nothing", () => {
    expect(multiply(backend, { M: 0, K: 4, N: 3 }, draw({ M: 0, K: 4, N: 3 }))).toHaveLength(0);
    expect(multiply(backend, { M: 3, K: 4, N: 0 }, draw({ M: 3, K: 4, N: 0 }))).toHaveLength(0);
  });

  it("replaces what stood in out, NaN as well, unless accumulating", () => {
    const product = { M: 7, K: 3, N: 10 };
    const operands = draw(product);
    const poisoned = { ...operands, before: new Float32Array(70).fill(Number.NaN) };
    expectAllClose(multiply(backend, product, poisoned), multiply(backend, product, operands));
    expect(multiply(backend, { ...product, accumulate: true }, poisoned).every(Number.isNaN)).toBe(true);
  });

  it.each([
    ["NaN", Number.NaN],
    ["+∞", Infinity],
  ])("a %s in the right operand reaches its whole column, past zeros on the left, and no other", (_, poison) => {
    for (const [M, K, N] of [
      [6, 4, 8],
      [7, 5, 11],
    ] as const) {
      const operands = draw({ M, K, N });
      operands.left.fill(0);
      for (let column = 0; column < N; column++) {
        const right = operands.right.with((K - 1) * N + column, poison);
        const out = multiply(backend, { M, K, N }, { ...operands, right });
        expect(Array.from(out, Number.isNaN)).toEqual(Array.from(out, (_, at) => at % N === column));
      }
    }
  });

  it("gives the same bits twice, wherever the operands lie", () => {
    const product = { M: 33, K: 65, N: 17, padding: 1 };
    const operands = draw(product);
    const first = multiply(backend, product, operands);
    const second = multiply({ ...backend, base: backend.base + 4096 }, product, operands);
    expect(second).toEqual(first);
  });
});
