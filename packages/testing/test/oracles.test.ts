import { describe, expect, it } from "vitest";
import {
  checkGradient,
  expectAllClose,
  type FullSoftmaxProblem,
  fullSoftmax,
  largestError,
  logSumExp,
  matmul,
  matmulFloat32,
  ragged,
  softmax,
  TestRandom,
  transpose,
} from "../src/index.js";

describe("matrix oracles", () => {
  it("multiply a product worked by hand", () => {
    expect([...matmul([1, 2, 3, 4, 5, 6], [1, 0, 2, 1, 0, 3], 2, 3, 2)]).toEqual([5, 11, 14, 23]);
    expect([...matmulFloat32([1, 2, 3, 4, 5, 6], [1, 0, 2, 1, 0, 3], 2, 3, 2)]).toEqual([5, 11, 14, 23]);
    expect([...matmul([], [], 2, 0, 2)]).toEqual([0, 0, 0, 0]);
    expect([...transpose([1, 2, 3, 4, 5, 6], 2, 3)]).toEqual([1, 4, 2, 5, 3, 6]);
  });

  it("the naive float32 product errs, a little: that is its purpose", () => {
    const random = new TestRandom(1);
    const left = random.normalFloats(500);
    const right = random.normalFloats(500);
    const error = largestError(matmulFloat32(left, right, 1, 500, 1), matmul(left, right, 1, 500, 1));
    expect(error).toBeGreaterThan(1e-7);
    expect(error).toBeLessThan(1e-4);
  });
});

describe("softmax and logSumExp", () => {
  it("agree with hand-worked values, also for logits that overflow exp", () => {
    expectAllClose(softmax([Math.log(1), Math.log(3)]), [0.25, 0.75], { relative: 1e-15 });
    expectAllClose(softmax([1e4, 1e4 + Math.log(3), -Infinity]), [0.25, 0.75, 0], { relative: 1e-11 });
    expect(logSumExp([-1e4, -1e4])).toBeCloseTo(-1e4 + Math.log(2), 10);
    expect(logSumExp([])).toBe(-Infinity);
    expect(logSumExp([-Infinity])).toBe(-Infinity);
    expect(logSumExp([1, Number.NaN])).toBeNaN();
  });
});

describe("fullSoftmax", () => {
  const [B, D, n] = [3, 4, 6];
  const random = new TestRandom(12);
  const base = {
    H: Float64Array.from(random.normalFloats(B * D)),
    W: Float64Array.from(random.normalFloats(n * D)),
    bias: Float64Array.from(random.normalFloats(n)),
    B,
    D,
    n,
  };
  const problems: Record<string, FullSoftmaxProblem> = {
    "one target a row": { ...base, targets: [5, 0, 2] },
    temperature: { ...base, targets: [5, 0, 2], temperature: 0.3 },
    "row weights": { ...base, targets: [5, 0, 2], rowWeights: [0.5, 0, 3] },
    "label smoothing": { ...base, targets: [5, 0, 2], labelSmoothing: 0.2 },
    "several targets of unequal mass, one named twice, an empty row": {
      ...base,
      targets: { offsets: [0, 3, 3, 5], ids: [1, 4, 1, 0, 5], weights: [0.5, 0.3, 0.4, 2, 1] },
      temperature: 2,
      labelSmoothing: 0.1,
      rowWeights: [1, 2, 0.7],
    },
  };

  it.each(Object.keys(problems))("%s: dH, dW and dBias pass the gradient check at 1e-9", (name) => {
    const problem = problems[name]!;
    const { dH, dW, dBias } = fullSoftmax(problem);
    const tolerance = 1e-9;
    checkGradient((H) => fullSoftmax({ ...problem, H }).loss, base.H, dH, { tolerance, name: "dH" });
    checkGradient((W) => fullSoftmax({ ...problem, W }).loss, base.W, dW, { tolerance, name: "dW" });
    checkGradient((bias) => fullSoftmax({ ...problem, bias }).loss, base.bias, dBias, { tolerance, name: "dBias" });
  });

  it("is −log p of the target, row by row", () => {
    const { rowLoss, loss, logits, logSumExp: lse } = fullSoftmax(problems["one target a row"]!);
    for (const [i, target] of [5, 0, 2].entries()) {
      const row = logits.subarray(i * n, (i + 1) * n);
      expect(rowLoss[i]).toBeCloseTo(-Math.log(softmax(row)[target]!), 12);
      expect(lse[i]).toBeCloseTo(logSumExp(row), 14);
    }
    expect(loss).toBeCloseTo(rowLoss[0]! + rowLoss[1]! + rowLoss[2]!, 14);
  });

  it("equals log n for equal logits, whatever the smoothing", () => {
    const zero = { ...base, H: new Float64Array(B * D), bias: new Float64Array(n), targets: [1, 2, 3] };
    for (const labelSmoothing of [0, 0.3, 1]) {
      expectAllClose(fullSoftmax({ ...zero, labelSmoothing }).rowLoss, new Float64Array(B).fill(Math.log(n)), {
        relative: 1e-14,
      });
    }
  });

  it("masses that split one target give the same as the whole", () => {
    const whole = fullSoftmax({ ...base, targets: [5, 0, 2] });
    const split = fullSoftmax({
      ...base,
      targets: { offsets: [0, 2, 3, 4], ids: [5, 5, 0, 2], weights: [0.25, 0.75, 1, 1] },
    });
    expectAllClose(split.dW, whole.dW, { absolute: 1e-15 });
    expectAllClose(split.rowLoss, whole.rowLoss, { relative: 1e-14 });
  });

  it("a class of logit −∞ takes no part and does no harm", () => {
    const bias = base.bias.with(3, -Infinity);
    const { dLogits, loss } = fullSoftmax({ ...base, bias, targets: [5, 0, 2] });
    expect(loss).toBeGreaterThan(0);
    for (let i = 0; i < B; i++) expect(dLogits[i * n + 3]).toBe(0);
  });

  it("turns plain targets into ragged ones and leaves ragged ones alone", () => {
    expect(ragged([4, 2], 2)).toEqual({ offsets: [0, 1, 2], ids: [4, 2] });
    const targets = { offsets: [0, 0], ids: [] };
    expect(ragged(targets, 1)).toBe(targets);
  });
});
