import { checkGradient } from "@logq/testing";
import { describe, expect, test } from "vitest";
import { computeLoss, LOSS_NAMES, type LossProblem, type LossSpec } from "../src/index.js";
import { BACKENDS, denseGradients, oracle, randomProblem, specOf } from "./harness.js";

const VARIANTS: readonly (readonly [string, Partial<LossSpec>])[] = [
  ["plain", {}],
  ["cosine logits at temperature 0.2", { normalize: true, temperature: 0.2 }],
  ["classes seen before left out", { exclude: "seen" }],
];

const SPECS: readonly (readonly [string, LossSpec])[] = [
  ...LOSS_NAMES.flatMap((name) =>
    VARIANTS.map(([label, changes]) => [`${name}, ${label}`, specOf(name, changes)] as const),
  ),
  ["full-softmax, label smoothing 0.2", specOf("full-softmax", { labelSmoothing: 0.2, temperature: 0.7 })],
  ["sampled-softmax, hits removed", specOf("sampled-softmax", { accidentalHits: "remove" })],
  ["sampled-softmax, partition", specOf("sampled-softmax", { correction: "partition", accidentalHits: "remove" })],
  ["sampled-softmax, uncorrected", specOf("sampled-softmax", { correction: "none" })],
  ["negative-sampling, hits kept", specOf("negative-sampling", { accidentalHits: "keep" })],
  ["negative-sampling, five negatives a label", specOf("negative-sampling", { negativesPerLabel: 5 })],
];

const SIZES = { B: 5, D: 3, n: 9, S: 7, T: 3 };

describe.each(SPECS)("%s", (_, spec) => {
  const problems = [false, true].map((perRow) => randomProblem(spec, SIZES, { perRow, mass: true, seed: 11 }));

  test("the oracle's gradients equal central differences of its loss to 1e-8 of the largest", () => {
    for (const problem of problems) {
      const answer = oracle(problem);
      checkGradient((H) => oracle(problem, { H }).loss, problem.hidden, answer.dH, { name: "dH" });
      checkGradient((W) => oracle(problem, { W }).loss, problem.table, answer.dW, { name: "dW" });
      if (!problem.bias) throw new Error("the problem has no bias");
      checkGradient((bias) => oracle(problem, { bias }).loss, problem.bias, answer.dBias, { name: "dBias" });
    }
  });

  test.each(BACKENDS)(
    "computeLoss on $name kernels: gradients equal its own central differences to 1e-3 of the largest, at five places each",
    (backend) => {
      for (const problem of problems) {
        const answer = computeLoss(problem, { backend });
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
        if (!problem.bias) throw new Error("the problem has no bias");
        checkGradient((x) => lossWith({ bias: Float32Array.from(x) }), problem.bias, dBias, options);
        expect(answer.loss).toBeGreaterThan(0);
      }
    },
  );
});
