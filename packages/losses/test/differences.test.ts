import { checkGradient } from "@logq/testing";
import { describe, expect, test } from "vitest";
import { computeLoss, describeLoss, type LossName, type LossProblem, type LossSpec } from "../src/index.js";
import { BACKENDS, denseGradients, oracle, randomProblem, specOf, TILE_LOSSES } from "./harness.js";

const VARIANTS: readonly (readonly [string, Partial<LossSpec>])[] = [
  ["plain", {}],
  ["cosine logits at temperature 0.2", { normalize: true, temperature: 0.2 }],
  ["classes seen before left out", { exclude: "seen" }],
];

/** CCL has none. */
function withoutTemperature(name: LossName, changes: Partial<LossSpec>): Partial<LossSpec> {
  return name === "ccl" ? { ...changes, temperature: 1 } : changes;
}

const SPECS: readonly (readonly [string, LossSpec])[] = [
  ...TILE_LOSSES.flatMap((name) =>
    VARIANTS.map(([label, changes]) => [`${name}, ${label}`, specOf(name, withoutTemperature(name, changes))] as const),
  ),
  ["full-softmax, label smoothing 0.2", specOf("full-softmax", { labelSmoothing: 0.2, temperature: 0.7 })],
  ["sampled-softmax, hits removed", specOf("sampled-softmax", { accidentalHits: "remove" })],
  ["sampled-softmax, partition", specOf("sampled-softmax", { correction: "partition", accidentalHits: "remove" })],
  ["sampled-softmax, uncorrected", specOf("sampled-softmax", { correction: "none" })],
  ["negative-sampling, hits kept", specOf("negative-sampling", { accidentalHits: "keep" })],
  ["negative-sampling, five negatives a label", specOf("negative-sampling", { negativesPerLabel: 5 })],
  ["full-softmax, z-loss and smoothing", specOf("full-softmax", { zLoss: 0.3, labelSmoothing: 0.1 })],
  ["sampled-softmax, z-loss", specOf("sampled-softmax", { zLoss: 0.3 })],
  ["sampled-softmax, smoothed", specOf("sampled-softmax", { labelSmoothing: 0.2, temperature: 0.7 })],
  ["full-softmax, capped", specOf("full-softmax", { softCap: 2, temperature: 0.5 })],
  ["sampled-softmax, capped", specOf("sampled-softmax", { softCap: 1.5, temperature: 0.5 })],
  ["margin, z-loss", specOf("margin", { zLoss: 0.1, temperature: 0.3 })],
  ["one-vs-all, masses as weights", specOf("one-vs-all", { labelMass: "weight" })],
  ["sampled-one-vs-all, masses as weights", specOf("sampled-one-vs-all", { labelMass: "weight" })],
  ["gbce, calibrated", specOf("gbce", { calibration: 1 })],
  ["bpr, hits kept", specOf("bpr", { accidentalHits: "keep" })],
  ["ccl, a margin below most cosines", specOf("ccl", { negativeMargin: -0.3, negativeWeight: 2 })],
  ["margin, angular", specOf("margin", { marginKind: "angular", margin: 0.4, temperature: 0.3 })],
  ["sampled-margin, angular", specOf("sampled-margin", { marginKind: "angular", margin: 0.2, temperature: 0.3 })],
  ["sampled-margin, importance", specOf("sampled-margin", { correction: "importance" })],
];

const SIZES = { B: 5, D: 3, n: 9, S: 7, T: 3 };

describe.each(SPECS)("%s", (_, spec) => {
  const problems = [false, true].map((perRow) => randomProblem(spec, SIZES, { perRow, mass: true, seed: 11 }));

  test("the oracle's gradients equal central differences of its loss to 1e-8 of the largest", () => {
    for (const problem of problems) {
      const answer = oracle(problem);
      checkGradient((H) => oracle(problem, { H }).loss, problem.hidden, answer.dH, { name: "dH" });
      checkGradient((W) => oracle(problem, { W }).loss, problem.table, answer.dW, { name: "dW" });
      expect(problem.bias === undefined).toBe(describeLoss(spec.name).cosines);
      if (!problem.bias) continue;
      checkGradient((bias) => oracle(problem, { bias }).loss, problem.bias, answer.dBias, { name: "dBias" });
    }
  });

  test.each(BACKENDS)(
    "computeLoss on $name kernels: gradients equal its own central differences to 1e-3 of the largest, at five places each",
    (backend) => {
      for (const problem of problems) {
        const answer = computeLoss(problem, { backend });
        expect(answer.loss).toBeGreaterThan(0);
        const { dW, dBias } = denseGradients(answer, SIZES.n, SIZES.D);
        // The loss is computed in float32: a distance of 0.02 keeps rounding below 1e-5 of the difference.
        const options = { step: 0.02, tolerance: 1e-3, absolute: 1e-5, indices: [0, 1, 4, 5, 8] };
        const lossWith = (changes: Partial<LossProblem>) => computeLoss({ ...problem, ...changes }, { backend }).loss;
        checkGradient(
          (x) => lossWith({ hidden: Float32Array.from(x) }),
          problem.hidden,
          answer.hiddenGradient,
          options,
        );
        checkGradient((x) => lossWith({ table: Float32Array.from(x) }), problem.table, dW, options);
        if (!problem.bias) continue;
        checkGradient((x) => lossWith({ bias: Float32Array.from(x) }), problem.bias, dBias, options);
      }
    },
  );
});
