import { crossSparsely } from "@logq/testing";
import { describe, expect, test } from "vitest";
import { describeLoss, type LossName, type LossProblem, type LossSpec, validateLossSpec } from "../src/index.js";
import { BACKENDS, expectLikeOracle, randomProblem, specOf, TILE_LOSSES } from "./harness.js";

const AXES = {
  correction: ["importance", "partition", "none"],
  accidentalHits: ["keep", "remove"],
  temperature: [1, 0.3, 2.5],
  labelSmoothing: [0, 0.1],
  exclude: ["none", "seen"],
  normalize: [false, true],
  perRow: [false, true],
  bias: [true, false],
  weights: [true, false],
  mass: [true, false],
  T: [1, 2, 5],
  B: [1, 3, 8, 17],
  D: [1, 5, 8, 19],
  n: [1, 2, 7, 33],
  S: [1, 4, 9, 21],
  blockRows: [1, 5, 100],
  tileClasses: [1, 3, 100],
} as const;

/** Options of single losses. */
const OWN_AXES = {
  zLoss: [0.05, 0, 0.2],
  labelMass: ["target", "weight"],
  calibration: [0.75, 1, 0],
  negativeWeight: [150, 3],
  negativeMargin: [0.4, -0.2],
  marginKind: ["cosine", "angular"],
  margin: [0.35, 0.1, 0],
} as const;

function isAllowed(spec: LossSpec): boolean {
  try {
    validateLossSpec(spec);
    return true;
  } catch {
    return false;
  }
}

/** Options that a loss does not have fall back to its default, so that every case is one. */
function nearestSpec(name: LossName, wanted: Partial<LossSpec>): LossSpec {
  let spec = specOf(name);
  for (const [option, value] of Object.entries(wanted)) {
    const changed = { ...spec, [option]: value };
    if (isAllowed(changed)) spec = changed;
  }
  return spec;
}

describe.each(BACKENDS)("on $name kernels", (backend) => {
  test("with a soft cap, loss and gradients equal the float64 oracle to 1e-5 of the largest, over options and awkward sizes", () => {
    for (const name of ["full-softmax", "sampled-softmax"] as const) {
      for (const [seed, c] of crossSparsely(AXES, 12, 5).entries()) {
        const { B, D, n, S, T, bias, weights, mass, blockRows, tileClasses, perRow, labelSmoothing: _, ...options } = c;
        const softCap = [1, 3, 30][seed % 3]!;
        const spec = nearestSpec(name, { softCap, ...options });
        const problem = randomProblem(spec, { B, D, n, S, T }, { perRow, bias, weights, mass, seed });
        expectLikeOracle(problem, 1e-5, { backend, blockRows, tileClasses });
      }
    }
  });

  describe.each(TILE_LOSSES)("%s", (name) => {
    const cases = crossSparsely(AXES, 12, TILE_LOSSES.indexOf(name) + 1);
    const owns = crossSparsely(OWN_AXES, cases.length, TILE_LOSSES.indexOf(name) + 1);
    test("loss, dH, dW and dBias equal the float64 oracle to 2e-6 of the largest, over options and awkward sizes", () => {
      for (const [seed, c] of cases.entries()) {
        const { B, D, n, S, T, perRow, bias, weights, mass, blockRows, tileClasses, ...options } = c;
        const { accidentalHits, correction, ...others } = options;
        const negativesPerLabel = seed % 2 === 0 ? 0 : 2.5;
        const { marginKind, ...own } = owns[seed]!;
        // In one dimension cosines are 1 or −1, where angular margins have no derivative.
        const kind = D === 1 ? "cosine" : marginKind;
        const wanted = { accidentalHits, correction, negativesPerLabel, ...others, ...own, marginKind: kind };
        const spec = nearestSpec(name, wanted);
        const problem = randomProblem(spec, { B, D, n, S, T }, { perRow, bias, weights, mass, seed });
        expectLikeOracle(problem, 2e-6, { backend, blockRows, tileClasses });
      }
    });

    test.skipIf(describeLoss(name).cosines)(
      "losses of logits beyond ±1e4 stay finite and equal the oracle to 2e-4 of the largest (float32 logits are apart by 1e-3 there)",
      () => {
        for (const perRow of [false, true]) {
          const spec = specOf(name, { temperature: 0.01 });
          const problem = randomProblem(spec, { B: 6, D: 5, n: 12, S: 8, T: 3 }, { perRow, spread: 6, seed: 3 });
          expect(largestLogit(problem)).toBeGreaterThan(1e4);
          const answer = expectLikeOracle(problem, 2e-4, { backend });
          expect(answer.perExample.every(Number.isFinite)).toBe(true);
        }
      },
    );
  });
});

function largestLogit({ hidden, table, D, spec }: LossProblem): number {
  let largest = 0;
  for (let i = 0; i < hidden.length; i += D) {
    for (let c = 0; c < table.length; c += D) {
      let dot = 0;
      for (let d = 0; d < D; d++) dot += hidden[i + d]! * table[c + d]!;
      largest = Math.max(largest, Math.abs(dot) / spec.temperature);
    }
  }
  return largest;
}
