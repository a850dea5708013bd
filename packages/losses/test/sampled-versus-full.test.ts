import { keyFromSeed } from "@logq/core";
import { createSamplerState, samplerFrom } from "@logq/samplers";
import { expectAllClose, TestRandom } from "@logq/testing";
import { describe, expect, test } from "vitest";
import { computeLoss, type LossName, type LossProblem, type LossSpec } from "../src/index.js";
import { BACKENDS, denseGradients, randomProblem, specOf } from "./harness.js";

const SIZES = { B: 9, D: 7, n: 23, S: 23, T: 3 };

/** Every class once, with log Q = 0. */
function everyClassOnce(name: LossName, spec: LossSpec, perRow: boolean): [LossProblem, LossProblem] {
  const full = randomProblem(specOf(name, { temperature: spec.temperature, exclude: spec.exclude }), SIZES, {
    seed: 4,
  });
  const { B, n } = SIZES;
  const { targets } = full;
  const order = Array.from(new TestRandom(8).distinctIntegers(n, n));
  const ids = perRow ? Array.from({ length: B }, () => order).flat() : order;
  const zeros = (count: number) => new Float64Array(count);
  const targetLogQ = zeros("offsets" in targets ? targets.ids.length : B);
  return [full, { ...full, spec, candidates: { ids, perRow, logQ: zeros(ids.length), targetLogQ } }];
}

const PAIRS: readonly (readonly [string, LossName, LossSpec])[] = [
  ...(["importance", "partition", "none"] as const).flatMap((correction) =>
    [1, 0.4].map((temperature) => {
      const spec = specOf("sampled-softmax", { correction, accidentalHits: "remove", temperature });
      return [`sampled-softmax, ${correction}, τ = ${temperature}`, "full-softmax", spec] as const;
    }),
  ),
  [
    "sampled-softmax, classes seen left out",
    "full-softmax",
    specOf("sampled-softmax", { accidentalHits: "remove", exclude: "seen" }),
  ],
  ["sampled-one-vs-all", "one-vs-all", specOf("sampled-one-vs-all", { temperature: 2 })],
];

describe.each(BACKENDS)("on $name kernels, with every class drawn once, log Q = 0 and hits removed", (backend) => {
  test.each(PAIRS)("%s equals the full loss to 2e-6, value and gradients, shared and per row", (_, name, spec) => {
    for (const perRow of [false, true]) {
      const [fullProblem, sampledProblem] = everyClassOnce(name, spec, perRow);
      const full = computeLoss(fullProblem, { backend });
      const sampled = computeLoss(sampledProblem, { backend });
      const { D, n } = SIZES;
      const dense = denseGradients(sampled, n, D);
      expectAllClose(sampled.perExample, full.perExample, { relative: 2e-6, absolute: 2e-6, name: "perExample" });
      expectAllClose(sampled.hiddenGradient, full.hiddenGradient, { relative: 1e-6, absolute: 1e-6, name: "dH" });
      expectAllClose(dense.dW, full.tableGradient.rows, { relative: 1e-6, absolute: 1e-6, name: "dW" });
      expectAllClose(dense.dBias, full.biasGradient ?? [], { relative: 1e-6, absolute: 1e-6, name: "dBias" });
      expect(Math.abs(sampled.loss - full.loss)).toBeLessThan(2e-6 * full.loss);
    }
  });
});

describe("with candidates drawn by a unigram sampler (fixed seed)", () => {
  const n = 400;
  const D = 6;
  const REPEATS = 600;

  /** dH of the same row, REPEATS times over, each with S draws of its own: mean over repeats, and the largest standard error of the mean. */
  function meanGradient(spec: LossSpec, S: number): { mean: Float64Array; error: number } {
    const base = testRow();
    const counts = Float64Array.from({ length: n }, (_, c) => 1000 / (c + 3));
    const sampler = samplerFrom(createSamplerState({ name: "unigram" }, n, { counts }));
    const ids = new Int32Array(REPEATS * S);
    const logQ = new Float64Array(REPEATS * S);
    const key = keyFromSeed("losses");
    let targetLogQ = 0;
    for (let r = 0; r < REPEATS; r++) {
      const draw = sampler.draw({ key, step: S, item: r + 1, S }, ids, logQ, r * S);
      targetLogQ = draw.targetLogQ(base.target);
    }
    const hidden = new Float32Array(REPEATS * D);
    for (let r = 0; r < REPEATS; r++) hidden.set(base.hidden, r * D);
    const targets = new Int32Array(REPEATS).fill(base.target);
    const candidates = { ids, logQ, targetLogQ: new Float64Array(REPEATS).fill(targetLogQ), perRow: true };
    const { hiddenGradient } = computeLoss({ spec, D, hidden, table: base.table, targets, candidates });
    const mean = new Float64Array(D);
    const square = new Float64Array(D);
    for (let i = 0; i < hiddenGradient.length; i++) {
      const g = hiddenGradient[i]! * REPEATS;
      mean[i % D]! += g / REPEATS;
      square[i % D]! += (g * g) / REPEATS;
    }
    const error = Math.sqrt(Math.max(...square.map((s, d) => s - mean[d]! ** 2)) / REPEATS);
    return { mean, error };
  }

  function testRow() {
    const random = new TestRandom(21);
    return { hidden: random.normalFloats(D), table: random.normalFloats(n * D, 0.5), target: 5 };
  }

  const full = (() => {
    const { hidden, table, target } = testRow();
    return computeLoss({ spec: specOf("full-softmax"), D, hidden, table, targets: [target] }).hiddenGradient;
  })();

  test.each([
    ["importance", "keep"],
    ["partition", "remove"],
  ] as const)(
    "%s, hits %s: the mean gradient comes within 5 standard errors + 2%% of the full one at S = 256, and is further at S = 4",
    (correction, accidentalHits) => {
      const spec = specOf("sampled-softmax", { correction, accidentalHits });
      const distance = ({ mean }: { mean: Float64Array }) => Math.hypot(...mean.map((g, d) => g - full[d]!));
      const few = meanGradient(spec, 4);
      const many = meanGradient(spec, 256);
      expect(distance(many)).toBeLessThan(5 * many.error * Math.sqrt(D) + 0.02 * Math.hypot(...full));
      expect(distance(many)).toBeLessThan(0.25 * distance(few));
    },
  );

  test("uncorrected: at S = 256 the mean gradient is still more than 20 standard errors away", () => {
    const { mean, error } = meanGradient(specOf("sampled-softmax", { correction: "none" }), 256);
    expect(Math.hypot(...mean.map((g, d) => g - full[d]!))).toBeGreaterThan(20 * error);
  });
});
