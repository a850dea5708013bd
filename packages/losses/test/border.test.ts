import { ClassIdError, EmptyInputError, MissingLogQError, NotFiniteError, OptionError, ShapeError } from "@logq/core";
import { describe, expect, test } from "vitest";
import { computeLoss, type LossProblem } from "../src/index.js";
import { randomProblem, specOf } from "./harness.js";

const SIZES = { B: 3, D: 2, n: 5, S: 4, T: 1 };
const full = randomProblem(specOf("full-softmax"), SIZES, { ignored: false });
const sampled = randomProblem(specOf("sampled-softmax"), SIZES, { ignored: false });
const { candidates } = sampled;
if (!candidates) throw new Error("no candidates");

type Change = Partial<LossProblem>;

describe("computeLoss refuses with a typed error that carries the values", () => {
  const cases: readonly (readonly [string, LossProblem, Change, new (message: string) => Error, object])[] = [
    ["hidden of no whole rows", full, { hidden: new Float32Array(5) }, ShapeError, { actual: 5, D: 2 }],
    ["an empty table", full, { table: new Float32Array(0) }, EmptyInputError, { name: "table" }],
    ["a bias of another length", full, { bias: new Float32Array(4) }, ShapeError, { actual: 4, expected: 5 }],
    ["too few targets", full, { targets: [1, 2] }, ShapeError, { actual: 2, expected: 3 }],
    ["a target of n", full, { targets: [0, 5, 1] }, ClassIdError, { id: 5, index: 1, n: 5 }],
    ["a target of −2", full, { targets: [0, -2, 1] }, ClassIdError, { id: -2 }],
    ["a target of 1.5", full, { targets: [0, 1.5, 1] }, ClassIdError, { id: 1.5 }],
    ["NaN in hidden", full, { hidden: Float32Array.of(0, 1, 2, NaN, 4, 5) }, NotFiniteError, { index: 3 }],
    ["+∞ in the table", full, { table: new Float32Array(10).fill(Infinity, 9) }, NotFiniteError, { index: 9 }],
    ["NaN in the bias", full, { bias: Float32Array.of(0, 0, NaN, 0, 0) }, NotFiniteError, { index: 2 }],
    ["a negative weight", full, { exampleWeights: [1, -1, 1] }, OptionError, { index: 1, value: -1 }],
    ["weights of another length", full, { exampleWeights: [1] }, ShapeError, { actual: 1, expected: 3 }],
    ["D = 0", full, { D: 0 }, OptionError, { name: "D" }],
    ["offsets that fall", full, { targets: { offsets: [0, 2, 1, 3], ids: [0, 1, 2] } }, ShapeError, { row: 1 }],
    ["offsets that end early", full, { targets: { offsets: [0, 1, 1, 1], ids: [0, 1] } }, ShapeError, { actual: 2 }],
    [
      "a label named twice",
      full,
      { targets: { offsets: [0, 2, 2, 3], ids: [4, 4, 1] } },
      ClassIdError,
      { id: 4, row: 0 },
    ],
    ["a negative mass", full, { targets: { offsets: [0, 1, 1, 1], ids: [1], mass: [-1] } }, OptionError, { value: -1 }],
    ["a bias beside cosines", { ...full, spec: specOf("margin") }, {}, OptionError, { loss: "margin" }],
    ["candidates of a full loss", full, { candidates }, OptionError, { loss: "full-softmax" }],
    ["no candidates", { ...full, spec: sampled.spec }, {}, EmptyInputError, { loss: "sampled-softmax" }],
    ["candidates without log Q", sampled, { candidates: { ids: [1, 2] } }, MissingLogQError, { missing: "logQ" }],
    [
      "targets without log Q",
      sampled,
      { candidates: { ids: [1], logQ: [0] } },
      MissingLogQError,
      { missing: "targetLogQ" },
    ],
    [
      "a candidate of n",
      sampled,
      { candidates: { ...candidates, ids: [1, 2, 5, 0] } },
      ClassIdError,
      { id: 5, index: 2 },
    ],
    [
      "log Q of another length",
      sampled,
      { candidates: { ...candidates, logQ: [0] } },
      ShapeError,
      { actual: 1, expected: 4 },
    ],
    [
      "log Q of −∞",
      sampled,
      { candidates: { ...candidates, logQ: [0, 0, -Infinity, 0] } },
      NotFiniteError,
      { index: 2 },
    ],
    [
      "two log Q of one class",
      sampled,
      { candidates: { ...candidates, ids: [1, 1, 2, 3], logQ: [0, 1, 0, 0] } },
      OptionError,
      { id: 1 },
    ],
    [
      "(B, S) that B does not divide",
      sampled,
      { candidates: { ...candidates, perRow: true } },
      ShapeError,
      { actual: 4, B: 3 },
    ],
    [
      "seen without exclude",
      full,
      { seen: { offsets: [0, 0, 0, 0], ids: [] } },
      OptionError,
      { exclude: "none", seen: true },
    ],
    [
      "exclude without seen",
      full,
      { spec: specOf("full-softmax", { exclude: "seen" }) },
      OptionError,
      { exclude: "seen" },
    ],
    [
      "a seen class of n",
      full,
      { spec: specOf("full-softmax", { exclude: "seen" }), seen: { offsets: [0, 1, 1, 1], ids: [9] } },
      ClassIdError,
      { id: 9 },
    ],
  ];

  test.each(cases)("%s", (_, problem, change, kind, values) => {
    const run = () => computeLoss({ ...problem, ...change });
    expect(run).toThrow(kind);
    expect(run).toThrow(expect.objectContaining({ values: expect.objectContaining(values) }));
  });

  test("logits that overflow float32, naming the row", () => {
    const hidden = Float32Array.of(1, 1, 1e30, 1e30, 1, 1);
    const run = () => computeLoss({ ...full, hidden, table: new Float32Array(10).fill(1e30), targets: [0, 1, 2] });
    expect(run).toThrow(NotFiniteError);
    expect(run).toThrow(/row 1/);
  });

  test("block and tile sizes below 1", () => {
    expect(() => computeLoss(full, { blockRows: 0 })).toThrow(OptionError);
    expect(() => computeLoss(full, { tileClasses: 0 })).toThrow(OptionError);
  });
});

test("nothing given to computeLoss is written to", () => {
  const before = structuredClone(sampled);
  computeLoss(sampled);
  expect(sampled).toEqual(before);
});
