import { expectAllClose } from "@logq/testing";
import { describe, expect, test } from "vitest";
import vectors from "./fixtures/torch-adaptive.json" with { type: "json" };

type Matrix = readonly (readonly number[])[];

interface AdaptiveCase {
  readonly D: number;
  readonly n: number;
  readonly cutoffs: readonly number[];
  readonly divValue: number;
  readonly hidden: Matrix;
  readonly targets: readonly number[];
  readonly parameters: Parameters;
  readonly logProbabilities: Matrix;
  readonly loss: number;
  readonly gradients: Parameters & { readonly hidden: Matrix };
}

interface Parameters {
  readonly headWeight: Matrix;
  readonly headBias: readonly number[] | null;
  readonly tails: readonly { readonly projection: Matrix; readonly classes: Matrix }[];
}

const CASES: readonly AdaptiveCase[] = vectors.cases;
const DIFFERENCE = 1e-5;

/** W·x, and b where there is one. */
function apply(W: Matrix, x: readonly number[], b?: readonly number[] | null): number[] {
  return W.map((row, i) => row.reduce((sum, w, d) => sum + w * x[d]!, b?.[i] ?? 0));
}

function logSoftmax(logits: readonly number[]): number[] {
  const max = Math.max(...logits);
  const lse = max + Math.log(logits.reduce((sum, z) => sum + Math.exp(z - max), 0));
  return logits.map((z) => z - lse);
}

/** The formula as the README of the vectors has it: log p of all classes for one hidden vector. */
function logProbabilities({ headWeight, headBias, tails }: Parameters, first: number, h: readonly number[]): number[] {
  const head = logSoftmax(apply(headWeight, h, headBias));
  const rest = tails.map(({ projection, classes }, i) =>
    logSoftmax(apply(classes, apply(projection, h))).map((value) => head[first + i]! + value),
  );
  return [...head.slice(0, first), ...rest.flat()];
}

function lossOf({ cutoffs, hidden, targets }: AdaptiveCase, parameters: Parameters): number {
  const losses = hidden.map((h, r) => -logProbabilities(parameters, cutoffs[0]!, h)[targets[r]!]!);
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

describe.each(CASES)("adaptive softmax vectors of PyTorch, cutoffs $cutoffs, div_value $divValue", (of) => {
  const { D, n, cutoffs, divValue, hidden, targets, parameters, gradients } = of;
  const edges = [...cutoffs, n];

  test("have the shapes of the README, and targets in every part", () => {
    const shape = (matrix: Matrix) => [matrix.length, matrix[0]!.length];
    expect(shape(parameters.headWeight)).toEqual([cutoffs[0]! + cutoffs.length, D]);
    parameters.tails.forEach(({ projection, classes }, i) => {
      const width = Math.floor(D / divValue ** (i + 1));
      expect(shape(projection)).toEqual([width, D]);
      expect(shape(classes)).toEqual([edges[i + 1]! - edges[i]!, width]);
    });
    const parts = new Set(targets.map((target) => edges.findIndex((edge) => target < edge)));
    expect(parts.size).toBe(edges.length);
  });

  test("say the log p of every class and the loss that the formula says, to 1e-10", () => {
    const own = hidden.flatMap((h) => logProbabilities(parameters, cutoffs[0]!, h));
    expectAllClose(own, of.logProbabilities.flat(), { absolute: 1e-10 });
    expectAllClose([lossOf(of, parameters)], [of.loss], { absolute: 1e-10 });
  });

  test("have gradients that are its differences, to 1e-8", () => {
    const numeric = (change: (step: number) => number) => (change(DIFFERENCE) - change(-DIFFERENCE)) / (2 * DIFFERENCE);
    const moved = (matrix: Matrix, row: number, d: number, step: number) =>
      matrix.map((values, i) => values.map((value, j) => (i === row && j === d ? value + step : value)));
    const check = (name: string, matrix: Matrix, gradient: Matrix, loss: (changed: Matrix) => number) => {
      const own = matrix.flatMap((row, i) => row.map((_, d) => numeric((step) => loss(moved(matrix, i, d, step)))));
      expectAllClose(own, gradient.flat(), { absolute: 1e-8, name });
    };
    const { headWeight, headBias, tails } = parameters;
    check("hidden", hidden, gradients.hidden, (changed) => lossOf({ ...of, hidden: changed }, parameters));
    check("head", headWeight, gradients.headWeight, (changed) => lossOf(of, { ...parameters, headWeight: changed }));
    if (headBias) {
      check("head bias", [headBias], [gradients.headBias!], ([changed]) =>
        lossOf(of, { ...parameters, headBias: changed! }),
      );
    }
    tails.forEach((tail, i) => {
      for (const part of ["projection", "classes"] as const) {
        check(`${part} of tail ${i}`, tail[part], gradients.tails[i]![part], (changed) =>
          lossOf(of, { ...parameters, tails: tails.with(i, { ...tail, [part]: changed }) }),
        );
      }
    });
  });
});
