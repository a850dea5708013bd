import { AWKWARD_SIZES, crossSparsely, expectNoWorse, matmul, matmulFloat32, TestRandom } from "@logq/testing";
import { describe, it } from "vitest";
import { BACKENDS, type Backend } from "./support/backends.js";
import { onBench } from "./support/bench.js";

interface Sum {
  M: number;
  K: number;
  N: number;
  segments: number;
  accumulate: boolean;
  padding: number;
}

interface Operands {
  /** (M, segments · K) */
  left: Float32Array;
  /** (segments · K, N) */
  right: Float32Array;
  before: Float32Array;
}

/** The sum by the back-end: segment s of the left operand is a matrix (M, K) of its own, behind segment s − 1, and its right one is packed alone. */
function multiplySum(backend: Backend, sum: Sum, { left, right, before }: Operands): Float64Array {
  const { M, K, N, segments, accumulate, padding } = sum;
  return onBench(backend, (bench) => {
    const { matrix } = bench.kernels;
    const out = bench.matrix(before, M, N, padding);
    const parts = new Float32Array(segments * M * K);
    for (let s = 0; s < segments; s++) {
      for (let m = 0; m < M; m++) {
        for (let k = 0; k < K; k++) parts[(s * M + m) * K + k] = left[m * segments * K + s * K + k]!;
      }
    }
    const a = bench.matrix(parts, segments * M, K, padding);
    const b = bench.matrix(right, segments * K, N, padding);
    const step = 64 * Math.ceil(matrix.packedBytes(K, N) / 64) + 64;
    const packed = bench.bytes(step * Math.max(1, segments));
    for (let s = 0; s < segments; s++) matrix.packRight(packed + step * s, b.address + 4 * b.ld * K * s, b.ld, K, N);
    matrix.multiplySum(out.address, out.ld, a.address, a.ld, M * a.ld, packed, step, M, K, N, segments, accumulate);
    return out.read();
  });
}

function expectRight(backend: Backend, sum: Sum): void {
  const { M, N, accumulate } = sum;
  const K = sum.segments * sum.K;
  const random = new TestRandom(M * 1_000_003 + K * 1009 + N);
  const operands = {
    left: random.normalFloats(M * K),
    right: random.normalFloats(K * N),
    before: random.normalFloats(M * N),
  };
  const start = accumulate ? operands.before : new Float32Array(M * N);
  const add = (value: number, at: number) => start[at]! + value;
  const truth = matmul(operands.left, operands.right, M, K, N).map(add);
  const naive = matmulFloat32(operands.left, operands.right, M, K, N).map(add);
  expectNoWorse(multiplySum(backend, sum, operands), naive, truth, {
    margin: 5e-7,
    name: JSON.stringify(sum),
    shape: [M, N],
  });
}

describe.each(BACKENDS)("sums of products: $name", (backend) => {
  const cases = crossSparsely(
    {
      M: AWKWARD_SIZES,
      K: [0, ...AWKWARD_SIZES],
      N: AWKWARD_SIZES,
      segments: [0, 1, 2, 3, 7],
      accumulate: [false, true],
      padding: [0, 1, 3, 4],
    },
    5,
  );

  it(`errs no more than a naive float32 product over all segments, plus 5e-7 of the largest value (${cases.length} shapes)`, () => {
    for (const sum of cases) expectRight(backend, sum);
  });

  it("does so when the segments are more than one pass takes", () => {
    for (const accumulate of [false, true]) {
      expectRight(backend, { M: 13, K: 32, N: 70, segments: 29, accumulate, padding: 1 });
      expectRight(backend, { M: 5, K: 401, N: 33, segments: 2, accumulate, padding: 0 });
    }
  });
});
