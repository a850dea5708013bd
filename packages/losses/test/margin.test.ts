import { describe, expect, test } from "vitest";
import { computeLoss } from "../src/index.js";
import { labelMargin } from "../src/margin.js";
import { BACKENDS, randomProblem, specOf } from "./harness.js";

const COSINES = Array.from({ length: 197 }, (_, i) => -0.98 + i / 100);

describe("labelMargin", () => {
  test("cosine: cos θ − m; angular: cos(θ + m), or cos θ − m·sin m where θ + m > π", () => {
    for (const m of [0, 0.1, 0.5, 1.2]) {
      for (const c of COSINES) {
        const theta = Math.acos(c);
        const angular = theta + m > Math.PI ? c - m * Math.sin(m) : Math.cos(theta + m);
        expect(labelMargin("cosine", m).cosine(c)).toBeCloseTo(c - m, 12);
        expect(labelMargin("angular", m).cosine(c)).toBeCloseTo(angular, 12);
      }
    }
  });

  test("slopes are central differences to 1e-6 of them, away from the change of rule", () => {
    for (const kind of ["cosine", "angular"] as const) {
      for (const m of [0.1, 0.5, 1.2]) {
        const { cosine, slope } = labelMargin(kind, m);
        for (const c of COSINES.filter((c) => Math.abs(c + Math.cos(m)) > 1e-4)) {
          const step = 1e-6;
          const difference = (cosine(c + step) - cosine(c - step)) / (2 * step);
          expect(Math.abs(slope(c) - difference)).toBeLessThan(1e-6 * Math.max(1, Math.abs(slope(c))));
        }
      }
    }
  });

  test("beyond ±1, as rounding leaves cosines, values are those of ±1 and slopes stay below 1 + m/1e-3; NaN stays NaN", () => {
    for (const kind of ["cosine", "angular"] as const) {
      const { cosine, slope } = labelMargin(kind, 0.3);
      expect(cosine(1.0000001)).toBe(cosine(1));
      expect(cosine(-1.0000001)).toBe(cosine(-1));
      for (const c of [1.0000001, 1, 1 - 1e-9, -1, -1.0000001]) expect(Math.abs(slope(c))).toBeLessThan(301);
      expect(cosine(Number.NaN)).toBeNaN();
    }
  });
});

describe.each(BACKENDS)("on $name kernels", (backend) => {
  test("the sampled form with every class as a candidate is the full form: loss and gradients to 1e-6", () => {
    const sizes = { B: 7, D: 5, n: 12, S: 12, T: 2 };
    for (const marginKind of ["cosine", "angular"] as const) {
      const options = { marginKind, margin: 0.25, temperature: 0.1 };
      const sampled = randomProblem(specOf("sampled-margin", options), sizes, { seed: 4 });
      const { candidates: _, ...full } = sampled;
      const candidates = { ids: Array.from({ length: sizes.n }, (_, c) => c) };
      const one = computeLoss({ ...sampled, candidates }, { backend });
      const other = computeLoss({ ...full, spec: specOf("margin", options) }, { backend });
      expect(one.loss).toBeCloseTo(other.loss, 6);
      const apart = (a: Float32Array, b: Float32Array) => Math.max(...a.map((x, i) => Math.abs(x - b[i]!)));
      expect(apart(one.hiddenGradient, other.hiddenGradient)).toBeLessThan(1e-6);
      expect(apart(one.tableGradient.rows, other.tableGradient.rows)).toBeLessThan(1e-6);
    }
  });

  test("a margin of 0 is the softmax of cosines: loss and gradients to 1e-6", () => {
    const plain = {
      ...randomProblem(
        specOf("full-softmax", { normalize: true, temperature: 0.2 }),
        {
          B: 6,
          D: 4,
          n: 9,
          S: 1,
          T: 3,
        },
        { bias: false },
      ),
    };
    const softmax = computeLoss(plain, { backend });
    for (const marginKind of ["cosine", "angular"] as const) {
      const spec = specOf("margin", { marginKind, margin: 0, temperature: 0.2 });
      const answer = computeLoss({ ...plain, spec }, { backend });
      expect(answer.loss).toBeCloseTo(softmax.loss, 6);
      for (const [i, x] of answer.hiddenGradient.entries())
        expect(Math.abs(x - softmax.hiddenGradient[i]!)).toBeLessThan(1e-6);
    }
  });

  test("where the label's class outweighs all others by e^40, the margin still sees the others: the loss is right to 1e-5 of it", () => {
    // Scale 64, cosines 1 and cos 1: after the margin of 0.35 the label stands e^{64·(0.65 − cos 1)} above, a loss of about 9e-4.
    const spec = specOf("margin", { margin: 0.35, temperature: 1 / 64 });
    const table = Float32Array.of(2, 0, Math.cos(1), Math.sin(1));
    const { loss } = computeLoss({ spec, D: 2, hidden: Float32Array.of(3, 0), table, targets: [0] }, { backend });
    const exact = Math.log1p(Math.exp(64 * (Math.cos(1) - 0.65)));
    expect(Math.abs(loss / exact - 1)).toBeLessThan(1e-5);
  });
});
