import { expectAllClose, TestRandom } from "@logq/testing";
import { describe, expect, test } from "vitest";
import { computeLoss, type LossName, type LossProblem } from "../src/index.js";
import { BACKENDS, denseGradients, oracle, specOf } from "./harness.js";

const [B, D, n] = [4096, 3, 5];

/** 4,096 rows that are alike, so that the gradients of a class are sums of many terms of one sign. */
function longProblem(name: LossName): LossProblem {
  const random = new TestRandom(3);
  const noise = random.normalFloats(B * D, 0.05);
  const ids = [1, 3, 3, 4];
  const logQ = ids.map((id) => Math.log(0.3 + id));
  const targets = new Int32Array(B).fill(2);
  return {
    spec: specOf(name),
    D,
    hidden: noise.map((value, i) => value + [1.1, -0.7, 0.4][i % D]!),
    table: random.normalFloats(n * D, 0.5),
    targets,
    ...(name === "full-softmax" ? {} : { candidates: { ids, logQ, targetLogQ: new Float64Array(B) } }),
  };
}

/** The nearest number of 8 significant bits. */
function bfloat16(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer);
  bits[0] = (bits[0]! + 0x8000) & 0xffff0000;
  return new Float32Array(bits.buffer)[0]!;
}

describe.each(BACKENDS)(
  "Liger-Kernel #512: dW summed in half precision over chunks of rows: on $name kernels",
  (backend) => {
    test.each(["full-softmax", "sampled-softmax", "nce"] as const)(
      "%s: dW of 4,096 rows is that of float64 to 1e-5, in 1, 64 or 4,096 chunks",
      (name) => {
        const problem = longProblem(name);
        const truth = oracle(problem).dW;
        const largest = Math.max(...truth.map(Math.abs));
        for (const blockRows of [B, 64, 1]) {
          const { dW } = denseGradients(computeLoss(problem, { backend, blockRows }), n, D);
          expectAllClose(dW, truth, { absolute: 1e-5 * largest, name: `${B / blockRows} chunks` });
        }
      },
    );
  },
);

test("the bound of 1e-5 is one that a sum in bfloat16 misses by far: it stands still where a term is below half its last bit", () => {
  const { hiddenGradient } = computeLoss(longProblem("full-softmax"));
  const terms = Array.from({ length: B }, (_, r) => Math.abs(hiddenGradient[r * D]!));
  const exact = terms.reduce((sum, term) => sum + term, 0);
  const half = terms.reduce((sum, term) => bfloat16(sum + term), 0);
  expect(half / exact).toBeLessThan(0.3);
});
