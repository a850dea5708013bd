import { describe, expect, test } from "vitest";
import { computeLoss, type LossSpec } from "../src/index.js";
import { BACKENDS, oracle, randomProblem, specOf, TILE_LOSSES } from "./harness.js";

const SIZES = { B: 6, D: 4, n: 13, S: 9, T: 3 };

const SPECS: readonly (readonly [string, LossSpec])[] = [
  // CCL knows no temperature but 1.
  ...TILE_LOSSES.filter((name) => name !== "ccl").map((name) => [name, specOf(name, { temperature: 0.6 })] as const),
  ["sampled-softmax of cosines", specOf("sampled-softmax", { normalize: true, temperature: 0.1 })],
  ["full-softmax, smoothed, z-loss", specOf("full-softmax", { labelSmoothing: 0.2, zLoss: 0.1, temperature: 2 })],
  ["margin, angular", specOf("margin", { marginKind: "angular", margin: 0.3, temperature: 0.2 })],
];

/** The oracle's loss at log(1/τ) + change. */
function lossAt(problem: Parameters<typeof oracle>[0], change: number): number {
  const { spec } = problem;
  return oracle({ ...problem, spec: { ...spec, temperature: spec.temperature / Math.exp(change) } }).loss;
}

describe.each(BACKENDS)(
  "on $name kernels, dloss/dlog(1/τ) is the oracle's central difference, to 1e-5 of it or of 1",
  (backend) => {
    test.each(SPECS)("%s", (_, spec) => {
      for (const perRow of [false, true]) {
        for (const bias of [true, false]) {
          const problem = randomProblem(spec, SIZES, { perRow, bias, seed: 3 });
          const { logScaleGradient } = computeLoss(problem, { backend, blockRows: 4 });
          const step = 1e-5;
          const difference = (lossAt(problem, step) - lossAt(problem, -step)) / (2 * step);
          expect(Math.abs(difference)).toBeGreaterThan(1e-3);
          expect(Math.abs(logScaleGradient - difference)).toBeLessThan(1e-5 * Math.max(1, Math.abs(difference)));
        }
      }
    });
  },
);
