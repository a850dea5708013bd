import { expectAllClose } from "@logq/testing";
import { describe, expect, test } from "vitest";
import { computeLoss, type LossAnswer, type LossProblem, type RaggedTargets } from "../src/index.js";
import vectors from "./fixtures/torch-losses.json" with { type: "json" };
import { BACKENDS, specOf } from "./harness.js";

/** PyTorch computes in float64 here, logq keeps logits and gradients in float32. */
const TOLERANCE = 1e-5;

interface TorchAnswer {
  readonly loss: number;
  readonly weightGradient: readonly (readonly number[])[];
  readonly biasGradient: readonly number[];
  readonly hiddenGradient: readonly (readonly number[])[];
}

const { inputs, crossEntropy, oneVsAll } = vectors;
const { targets } = crossEntropy;
const IGNORED = -100;
const [n, D, B] = [inputs.weights.length, inputs.weights[0]!.length, inputs.hidden.length];
const TABLES = {
  D,
  hidden: Float32Array.from(inputs.hidden.flat()),
  table: Float32Array.from(inputs.weights.flat()),
  bias: Float32Array.from(inputs.biases),
};

/** logq's loss is a mean over rows: `factor` times it, and its gradients, are PyTorch's, to 1e-5 of the largest. */
function expectSame(answer: LossAnswer, factor: number, theirs: TorchAnswer): void {
  const close = (name: string, actual: ArrayLike<number>, expected: readonly number[]) => {
    const largest = Math.max(...expected.map(Math.abs));
    const scaled = Array.from(actual, (value) => factor * value);
    expectAllClose(scaled, expected, { absolute: TOLERANCE * largest, name });
  };
  close("loss", [answer.loss], [theirs.loss]);
  close("dH", answer.hiddenGradient, theirs.hiddenGradient.flat());
  close("dW", answer.tableGradient.rows, theirs.weightGradient.flat());
  if (answer.biasGradient) close("dBias", answer.biasGradient, theirs.biasGradient);
}

/** Labels of rows, in the ragged form. */
function ragged(rows: readonly (readonly (readonly [id: number, mass: number])[])[]): RaggedTargets {
  const offsets = [0];
  for (const row of rows) offsets.push(offsets.at(-1)! + row.length);
  const labels = rows.flat();
  return { offsets, ids: labels.map(([id]) => id), mass: labels.map(([, mass]) => mass) };
}

const kept = targets.filter((target) => target !== IGNORED);

describe.each(BACKENDS)("on $name kernels, values and gradients are PyTorch's to 1e-5 of the largest", (backend) => {
  describe("cross_entropy with ignore_index", () => {
    const of = (smoothed: boolean, weighted: boolean) =>
      crossEntropy.cases
        .filter(
          ({ labelSmoothing, classWeights }) => labelSmoothing > 0 === smoothed && (classWeights !== null) === weighted,
        )
        .map((entry) => [`${entry.reduction}, label_smoothing ${entry.labelSmoothing}`, entry] as const);

    test.each([...of(false, false), ...of(true, false)])(
      "reduction %s: full-softmax with labelSmoothing; a sum is the mean times the rows that count",
      (_, { reduction, labelSmoothing, answer }) => {
        const spec = specOf("full-softmax", { labelSmoothing });
        const own = computeLoss({ ...TABLES, spec, targets, ignoreIndex: IGNORED }, { backend });
        expectSame(own, reduction === "sum" ? kept.length : 1, answer);
      },
    );

    test.each(of(false, true))(
      "weight, reduction %s: the weight of the target's class as the example's",
      (_, { reduction, classWeights, answer }) => {
        const exampleWeights = targets.map((target) => classWeights![target] ?? 0);
        const total = exampleWeights.reduce((sum, weight) => sum + weight, 0);
        const spec = specOf("full-softmax");
        const own = computeLoss({ ...TABLES, spec, targets, ignoreIndex: IGNORED, exampleWeights }, { backend });
        expectSame(own, reduction === "sum" ? total : 1, answer);
      },
    );

    test.each(of(true, true))(
      "weight and label_smoothing, reduction %s: PyTorch weighs each class's share of the smoothing; the same as masses",
      (_, { reduction, labelSmoothing, classWeights, answer }) => {
        const rows = targets.map((target) =>
          target === IGNORED
            ? []
            : classWeights!.map((weight, id) => {
                const share = labelSmoothing / n + (id === target ? 1 - labelSmoothing : 0);
                return [id, weight * share] as const;
              }),
        );
        const own = computeLoss({ ...TABLES, spec: specOf("full-softmax"), targets: ragged(rows) }, { backend });
        const total = kept.reduce((sum, target) => sum + classWeights![target]!, 0);
        expectSame(own, reduction === "sum" ? kept.length : kept.length / total, answer);
      },
    );

    test("of cosines over a temperature: normalize, without bias", () => {
      const { temperature, ...theirs } = crossEntropy.cosines;
      const { bias: _, ...tables } = TABLES;
      const spec = specOf("full-softmax", { normalize: true, temperature });
      expectSame(computeLoss({ ...tables, spec, targets, ignoreIndex: IGNORED }, { backend }), 1, theirs);
    });
  });

  describe("one-vs-all, a row without labels among them", () => {
    const present = (mass: (row: number, id: number) => number) =>
      ragged(oneVsAll.labels.map((row, r) => row.flatMap((label, id) => (label ? [[id, mass(r, id)] as const] : []))));
    const problem: LossProblem = { ...TABLES, spec: specOf("one-vs-all"), targets: present(() => 1) };

    test("is multilabel_soft_margin_loss times n: that one is a mean over classes, too", () => {
      expect(oneVsAll.labels.some((row) => row.every((label) => label === 0))).toBe(true);
      expectSame(computeLoss(problem, { backend }), 1 / n, oneVsAll.multiLabelSoftMargin);
    });

    test("is binary_cross_entropy_with_logits, summed, over B", () => {
      expectSame(computeLoss(problem, { backend }), B, oneVsAll.bceWithLogitsSum);
    });

    test("takes labels between 0 and 1 as masses", () => {
      const targets = present((row, id) => oneVsAll.shares[row]![id]!);
      expectSame(computeLoss({ ...problem, targets }, { backend }), B, oneVsAll.bceOfShares);
    });

    test("takes pos_weight as masses that are weights", () => {
      const targets = present((_, id) => oneVsAll.posWeights[id]!);
      const spec = specOf("one-vs-all", { labelMass: "weight" });
      expectSame(computeLoss({ ...problem, spec, targets }, { backend }), B, oneVsAll.bceWithPosWeights);
    });
  });
});
