import { ClassIdError, EmptyInputError, NotFiniteError, OptionError, ShapeError } from "@logq/core";
import { describe, expect, test } from "vitest";
import { AdaptiveSoftmax } from "../src/adaptive/adaptive-softmax.js";
import { type AdaptiveParameters, type AdaptiveSpec, adaptiveClusters } from "../src/adaptive/clusters.js";
import { type AdaptiveProblem, computeAdaptiveLoss } from "../src/adaptive/compute.js";

const SPEC: AdaptiveSpec = { D: 4, n: 10, cutoffs: [3, 6], divValue: 2, headBias: true };
const PARAMETERS: AdaptiveParameters = {
  headTable: new Float32Array(20),
  headBias: new Float32Array(5),
  tails: [
    { projection: new Float32Array(8), table: new Float32Array(6) },
    { projection: new Float32Array(4), table: new Float32Array(4) },
  ],
};
const PROBLEM: AdaptiveProblem = {
  spec: SPEC,
  hidden: new Float32Array(12),
  parameters: PARAMETERS,
  targets: [0, 5, 9],
};

type Refusal = readonly [string, () => unknown, new (message: string) => Error, object];

function expectRefusals(cases: readonly Refusal[]): void {
  test.each(cases)("%s", (_, run, kind, values) => {
    expect(run).toThrow(kind);
    expect(run).toThrow(expect.objectContaining({ values: expect.objectContaining(values) }));
  });
}

describe("a spec is refused with", () => {
  const check = (changes: Partial<AdaptiveSpec>) => () => adaptiveClusters({ ...SPEC, ...changes });
  expectRefusals([
    ["cutoffs that fall", check({ cutoffs: [6, 3] }), OptionError, { index: 1, value: 3, before: 6 }],
    ["a cutoff twice", check({ cutoffs: [3, 3] }), OptionError, { index: 1, before: 3 }],
    ["a cutoff of 0", check({ cutoffs: [0, 3] }), OptionError, { value: 0, minimum: 1 }],
    ["a cutoff of n", check({ cutoffs: [3, 10] }), OptionError, { value: 10, maximum: 9 }],
    ["a cutoff of 2.5", check({ cutoffs: [2.5] }), OptionError, { value: 2.5 }],
    ["a cutoff among one class", check({ n: 1, cutoffs: [1] }), OptionError, { maximum: 0 }],
    ["n = 0", check({ n: 0, cutoffs: [] }), OptionError, { name: "n" }],
    ["a divValue below 1", check({ divValue: 0.5 }), OptionError, { value: 0.5 }],
    ["a divValue of NaN", check({ divValue: Number.NaN }), OptionError, { name: "divValue" }],
  ]);

  test("a tail of width 0", () => {
    expect(adaptiveClusters({ ...SPEC, cutoffs: [3], divValue: 4 }).tails[0]!.width).toBe(1);
    const run = check({ divValue: 4 });
    expect(run).toThrow(OptionError);
    expect(run).toThrow(expect.objectContaining({ values: { tail: 1, D: 4, divValue: 4 } }));
  });
});

describe("computeAdaptiveLoss refuses", () => {
  const check = (changes: Partial<AdaptiveProblem>) => () => computeAdaptiveLoss({ ...PROBLEM, ...changes });
  const checkParameters = (changes: Partial<AdaptiveParameters>) =>
    check({ parameters: { ...PARAMETERS, ...changes } });
  const tail = PARAMETERS.tails[1]!;
  const withTail = (changes: Partial<typeof tail>) =>
    checkParameters({ tails: [PARAMETERS.tails[0]!, { ...tail, ...changes }] });
  expectRefusals([
    ["hidden of no whole rows", check({ hidden: new Float32Array(7) }), ShapeError, { actual: 7, D: 4 }],
    ["no rows", check({ hidden: new Float32Array(0) }), EmptyInputError, { name: "hidden" }],
    ["NaN in hidden", check({ hidden: new Float32Array(12).fill(Number.NaN, 5, 6) }), NotFiniteError, { index: 5 }],
    ["too few targets", check({ targets: [1] }), ShapeError, { actual: 1, expected: 3 }],
    ["a target of n", check({ targets: [0, 10, 1] }), ClassIdError, { index: 1, id: 10, n: 10 }],
    ["a target of −2", check({ targets: [0, -2, 1] }), ClassIdError, { id: -2 }],
    [
      "a target of 1.5, though it weighs 0",
      check({ targets: [0, 1.5, 1], exampleWeights: [1, 0, 1] }),
      ClassIdError,
      { id: 1.5 },
    ],
    ["a negative weight", check({ exampleWeights: [1, 1, -1] }), OptionError, { index: 2, value: -1 }],
    ["a weight of NaN", check({ exampleWeights: [1, Number.NaN, 1] }), NotFiniteError, { index: 1 }],
    ["weights of another length", check({ exampleWeights: [1] }), ShapeError, { actual: 1 }],
    [
      "a head without rows for tails",
      checkParameters({ headTable: new Float32Array(12) }),
      ShapeError,
      { actual: 12, expected: 20 },
    ],
    ["no bias", checkParameters({ headBias: null }), ShapeError, { headBias: true }],
    ["a bias that the spec has not", check({ spec: { ...SPEC, headBias: false } }), ShapeError, { headBias: false }],
    ["a bias of another length", checkParameters({ headBias: new Float32Array(3) }), ShapeError, { expected: 5 }],
    ["a tail too few", checkParameters({ tails: [tail] }), ShapeError, { actual: 1, expected: 2 }],
    ["a tail's table for another n", withTail({ table: new Float32Array(5) }), ShapeError, { actual: 5, expected: 4 }],
    ["a projection of another width", withTail({ projection: new Float32Array(8) }), ShapeError, { expected: 4 }],
    [
      "+∞ in a tail",
      withTail({ table: Float32Array.of(0, 0, Infinity, 0) }),
      NotFiniteError,
      { name: "tails[1].table", index: 2 },
    ],
  ]);

  test("block and tile sizes below 1", () => {
    expect(() => computeAdaptiveLoss(PROBLEM, { blockRows: 0 })).toThrow(OptionError);
    expect(() => computeAdaptiveLoss(PROBLEM, { tileClasses: 0 })).toThrow(OptionError);
    expect(() => computeAdaptiveLoss(PROBLEM, { keptLogits: -1 })).toThrow(OptionError);
  });
});

describe("AdaptiveSoftmax refuses", () => {
  const softmax = AdaptiveSoftmax.create(SPEC, { B: 2, k: 3 });
  expectRefusals([
    ["a batch above its size", () => softmax.setHidden(new Float32Array(12)), OptionError, { value: 3, maximum: 2 }],
    ["rows that are not whole", () => softmax.setHidden(new Float32Array(6)), OptionError, { value: 1.5 }],
    ["NaN in hidden", () => softmax.setHidden(Float32Array.of(0, 0, Number.NaN, 0)), NotFiniteError, { index: 2 }],
    [
      "a target of n",
      () => softmax.targetLogProbabilities(Int32Array.of(0, 10), new Float64Array(2)),
      ClassIdError,
      { index: 1, id: 10, n: 10 },
    ],
    ["k above its own", () => softmax.topK(1, 4), OptionError, { k: 4, most: 3 }],
    ["k above n", () => softmax.topK(1, 11), OptionError, { value: 11, maximum: 10 }],
  ]);
});

test("all parameters 0: every class of the head and every tail is as likely, and so is every class in a tail", () => {
  const { perExample } = computeAdaptiveLoss(PROBLEM);
  expect(perExample[0]).toBeCloseTo(Math.log(5), 6);
  expect(perExample[1]).toBeCloseTo(Math.log(5) + Math.log(3), 6);
  expect(perExample[2]).toBeCloseTo(Math.log(5) + Math.log(4), 6);
});
