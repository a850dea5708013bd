import { OptionError, ShapeError } from "@logq/core";
import { expectAllClose, TestRandom } from "@logq/testing";
import { describe, expect, test } from "vitest";
import { computeLoss, type LossProblem, lossDefaults } from "../src/index.js";
import { BACKENDS, denseGradients, randomProblem, specOf } from "./harness.js";

const SIZES = { B: 9, D: 4, n: 11, S: 7, T: 1 };
const random = new TestRandom(8);
const classWeights = random.uniformFloats(SIZES.n, 0.1, 3);
const propensities = random.uniformFloats(SIZES.n, 0.05, 1);

function gradients(problem: LossProblem, backend: (typeof BACKENDS)[number]) {
  const answer = computeLoss(problem, { backend });
  return [answer.loss, ...answer.hiddenGradient, ...denseGradients(answer, SIZES.n, SIZES.D).dW];
}

describe.each(BACKENDS)("class weights on $name kernels", (backend) => {
  test.each(["full-softmax", "sampled-softmax", "margin"] as const)(
    "%s: with one label a row they are the weights of the rows, to 1e-6",
    (name) => {
      const problem = randomProblem(specOf(name), SIZES);
      const targets = Array.from(problem.targets as ArrayLike<number>);
      const exampleWeights = targets.map((id, r) => (id < 0 ? 0 : classWeights[id]!) * problem.exampleWeights![r]!);
      const own = gradients({ ...problem, classWeights }, backend);
      expectAllClose(own, gradients({ ...problem, exampleWeights }, backend), { relative: 1e-6, absolute: 1e-7 });
    },
  );

  test("several labels a row: Σ of the weighted losses of single labels over Σ of the weights, to 1e-6", () => {
    const problem = randomProblem(specOf("full-softmax"), { ...SIZES, T: 4 }, { weights: false, ignored: false });
    const { offsets, ids } = problem.targets as { offsets: Int32Array; ids: Int32Array };
    let [sum, weights] = [0, 0];
    for (let r = 0; r < SIZES.B; r++) {
      const labels = ids.subarray(offsets[r], offsets[r + 1]);
      const hidden = problem.hidden.subarray(r * SIZES.D, (r + 1) * SIZES.D);
      for (const id of labels) {
        const share = classWeights[id]! / labels.length;
        sum += share * computeLoss({ ...problem, hidden, targets: [id] }, { backend }).loss;
        weights += share;
      }
    }
    expect(computeLoss({ ...problem, classWeights }, { backend }).loss).toBeCloseTo(sum / weights, 6);
  });

  test("weights of 0 leave their classes out as labels, and of nothing the loss is 0", () => {
    const problem = randomProblem(specOf("full-softmax"), SIZES, { ignored: false });
    const none = computeLoss({ ...problem, classWeights: new Float32Array(SIZES.n) }, { backend });
    expect(none.loss).toBe(0);
    expect(none.hiddenGradient.every((g) => g === 0)).toBe(true);
  });
});

describe.each(BACKENDS)("propensities on $name kernels", (backend) => {
  test("over every set of labels that may have been noticed, the mean loss is that of all labels, where a label is no negative", () => {
    // Jain et al. 2016: E[y/p] is the label itself. Negatives are those that are labels of no kind: the unnoticed ones are left out as seen.
    const labels = [1, 4, 6];
    const hidden = random.normalFloats(SIZES.D);
    const table = random.normalFloats(SIZES.n * SIZES.D);
    const spec = specOf("one-vs-all", { labelMass: "weight", exclude: "seen" });
    const lossOf = (ids: readonly number[], given?: ArrayLike<number>) =>
      computeLoss(
        {
          spec,
          D: SIZES.D,
          hidden,
          table,
          targets: { offsets: [0, ids.length], ids },
          seen: { offsets: [0, labels.length], ids: labels },
          ...(given && { propensities: given }),
        },
        { backend },
      ).loss;
    let mean = 0;
    for (let set = 0; set < 8; set++) {
      const noticed = labels.filter((_, l) => set & (1 << l));
      const chance = labels.reduce((p, id, l) => p * (set & (1 << l) ? propensities[id]! : 1 - propensities[id]!), 1);
      mean += chance * lossOf(noticed, propensities);
    }
    expect(mean).toBeCloseTo(lossOf(labels), 5);
  });

  test("they are masses of 1/p, for all classes and for sampled ones", () => {
    for (const name of ["one-vs-all", "sampled-one-vs-all"] as const) {
      const problem = randomProblem(specOf(name, { labelMass: "weight" }), { ...SIZES, T: 3 });
      const { offsets, ids } = problem.targets as { offsets: Int32Array; ids: Int32Array };
      const mass = Float32Array.from(ids, (id) => 1 / propensities[id]!);
      const own = gradients({ ...problem, propensities }, backend);
      expect(own).toEqual(gradients({ ...problem, targets: { offsets, ids, mass } }, backend));
    }
  });
});

describe("refused, with the values at fault", () => {
  const softmax = randomProblem(specOf("full-softmax"), SIZES);
  const smoothed = { ...softmax, spec: specOf("full-softmax", { labelSmoothing: 0.1 }) };
  const all = randomProblem(specOf("one-vs-all"), SIZES);
  const weighted = { ...all, spec: specOf("one-vs-all", { labelMass: "weight" }) };
  const cases: readonly (readonly [string, LossProblem, new (message: string) => Error])[] = [
    ["class weights of a logistic loss", { ...all, classWeights }, OptionError],
    ["class weights with label smoothing", { ...smoothed, classWeights }, OptionError],
    ["class weights of another length", { ...softmax, classWeights: [1] }, ShapeError],
    [
      "a class weight below 0",
      { ...softmax, classWeights: classWeights.map((w, c) => (c === 3 ? -w : w)) },
      OptionError,
    ],
    ["propensities of masses that are targets", { ...all, propensities }, OptionError],
    ["a propensity of 0", { ...weighted, propensities: new Float32Array(SIZES.n) }, OptionError],
    ["propensities of another length", { ...weighted, propensities: [1] }, ShapeError],
    [
      "masses as weights of a softmax",
      { ...softmax, spec: { ...lossDefaults("full-softmax").spec, labelMass: "weight" } },
      OptionError,
    ],
  ];
  test.each(cases)("%s", (_, problem, kind) => {
    expect(() => computeLoss(problem)).toThrow(kind);
  });
});
