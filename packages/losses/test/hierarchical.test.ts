import { ClassIdError, EmptyInputError, NotFiniteError, OptionError, ShapeError } from "@logq/core";
import { checkGradient, expectAllClose, TestRandom } from "@logq/testing";
import { describe, expect, test } from "vitest";
import { balancedTree } from "../src/hierarchical/balanced.js";
import type { ClassTree } from "../src/hierarchical/class-tree.js";
import {
  computeHierarchicalLoss,
  type HierarchicalAnswer,
  type HierarchicalProblem,
} from "../src/hierarchical/compute.js";
import { hierarchicalRowCost } from "../src/hierarchical/facts.js";
import { HierarchicalSoftmax } from "../src/hierarchical/hierarchical-softmax.js";
import { huffmanTree } from "../src/hierarchical/huffman.js";
import { BACKENDS } from "./harness.js";

/** H, then V, then b if there is one. */
function flatten({ hidden, table, biases }: HierarchicalProblem): Float64Array {
  return Float64Array.of(...hidden, ...table, ...(biases ?? []));
}

/** log p of every class of every row (B, n), by descent from the root through the children, in float64. */
function enumerate({ tree, D, hidden, biases }: HierarchicalProblem, x: Float64Array): Float64Array {
  const { n, children } = tree;
  const B = hidden.length / D;
  const out = new Float64Array(B * n);
  const [tableAt, biasAt] = [B * D, B * D + (n - 1) * D];
  const descend = (r: number, child: number, logP: number) => {
    if (child < 0) {
      out[r * n + ~child] = logP;
      return;
    }
    let z = biases ? x[biasAt + child]! : 0;
    for (let d = 0; d < D; d++) z += x[r * D + d]! * x[tableAt + child * D + d]!;
    descend(r, children[2 * child]!, logP - Math.log(1 + Math.exp(-z)));
    descend(r, children[2 * child + 1]!, logP - Math.log(1 + Math.exp(z)));
  };
  for (let r = 0; r < B; r++) descend(r, n === 1 ? ~0 : n - 2, 0);
  return out;
}

function sharesOf({ targets, exampleWeights, ignoreIndex = -1 }: HierarchicalProblem): number[] {
  const counted = Array.from(targets, (id, r) => (id === ignoreIndex ? 0 : (exampleWeights?.[r] ?? 1)));
  const sum = counted.reduce((total, weight) => total + weight, 0);
  return counted.map((weight) => (sum === 0 ? 0 : weight / sum));
}

function lossAt(problem: HierarchicalProblem, x: Float64Array): number {
  const logP = enumerate(problem, x);
  return sharesOf(problem).reduce(
    (sum, share, r) => sum - (share === 0 ? 0 : share * logP[r * problem.tree.n + problem.targets[r]!]!),
    0,
  );
}

/** In the order of `flatten`, nodes that were not touched at 0. */
function flatGradients({ tree, D, biases }: HierarchicalProblem, answer: HierarchicalAnswer): Float64Array {
  const { ids, rows, biases: biasGradient } = answer.gradients;
  const dV = new Float64Array((tree.n - 1) * D);
  const db = new Float64Array(biases ? tree.n - 1 : 0);
  ids.forEach((node, u) => {
    dV.set(rows.subarray(u * D, (u + 1) * D), node * D);
    if (biasGradient) db[node] = biasGradient[u]!;
  });
  return Float64Array.of(...answer.hiddenGradient, ...dV, ...db);
}

interface Circumstances {
  readonly seed?: number;
  readonly spread?: number;
  readonly bias?: boolean;
}

function randomProblem(
  tree: ClassTree,
  D: number,
  B: number,
  { seed = 1, spread = 0.7, bias = true }: Circumstances = {},
): HierarchicalProblem {
  const random = new TestRandom(seed);
  return {
    tree,
    D,
    hidden: random.normalFloats(B * D, spread),
    table: random.normalFloats((tree.n - 1) * D, spread),
    ...(bias && { biases: random.normalFloats(tree.n - 1, 0.5) }),
    targets: Array.from({ length: B }, (_, r) => (r % 6 === 4 ? -1 : random.integer(tree.n))),
    exampleWeights: Array.from({ length: B }, (_, r) => (r % 5 === 3 ? 0 : random.uniform(0.2, 3))),
  };
}

const zipf = (n: number) => Array.from({ length: n }, (_, c) => 1000 / (c + 1));
const identity = (n: number) => Array.from({ length: n }, (_, id) => id);

const TREES: readonly (readonly [string, ClassTree, number, boolean])[] = [
  ["one class", huffmanTree([3]), 2, true],
  ["two classes, D = 1", huffmanTree([3, 1]), 1, false],
  ["Huffman, Zipf, biases", huffmanTree(zipf(23)), 5, true],
  ["Huffman, Zipf, no biases", huffmanTree(zipf(12)), 3, false],
  ["Huffman, a chain", huffmanTree(identity(9).map((c) => 2 ** c)), 4, true],
  ["balanced", balancedTree(identity(13)), 7, true],
];

describe.each(TREES)("%s", (_, tree, D, bias) => {
  const B = 12;
  const problem = randomProblem(tree, D, B, { bias });
  const x = flatten(problem);
  const logP = enumerate(problem, x);

  test.each(BACKENDS)("$name: every row's loss is the enumeration's to 3e-6, and so is the mean", (backend) => {
    const answer = computeHierarchicalLoss(problem, { backend });
    const expected = sharesOf(problem).map((share, r) => (share === 0 ? 0 : -logP[r * tree.n + problem.targets[r]!]!));
    expectAllClose(answer.perExample, expected, { absolute: 3e-6, relative: 3e-6 });
    expectAllClose([answer.loss], [lossAt(problem, x)], { absolute: 3e-6, relative: 3e-6 });
  });

  test.each(BACKENDS)(
    "$name: gradients of H, V and b are the differences of the enumeration to 3e-6 of the largest",
    (backend) => {
      const analytic = flatGradients(problem, computeHierarchicalLoss(problem, { backend }));
      checkGradient((moved) => lossAt(problem, moved), x, analytic, { tolerance: 3e-6, absolute: 1e-7 });
    },
  );

  test.each(BACKENDS)("$name: log-probabilities of all classes are the enumeration's, and sum to 1", (backend) => {
    const softmax = HierarchicalSoftmax.create(tree, { D, B, bias, backend });
    softmax.setParameters(problem.table, problem.biases ?? null);
    softmax.setHidden(problem.hidden);
    const all = softmax.logProbabilities(B);
    expectAllClose(all, logP, { absolute: 3e-6, relative: 3e-6 });
    for (let r = 0; r < B; r++) {
      const row = all.subarray(r * tree.n, (r + 1) * tree.n);
      expect(row.reduce((sum, value) => sum + Math.exp(value), 0)).toBeCloseTo(1, 5);
    }
  });

  test.each(BACKENDS)("$name: the object in training gives the bits of the public form", (backend) => {
    const softmax = HierarchicalSoftmax.create(tree, { D, B: B + 3, bias, backend });
    softmax.setParameters(problem.table, problem.biases ?? null);
    softmax.setHidden(problem.hidden);
    const shares = Float32Array.from(sharesOf(problem));
    const targets = Int32Array.from(problem.targets, (id, r) => (shares[r] === 0 ? -1 : id));
    const own = new Float64Array(B);
    softmax.lossAndGradients(targets, shares, own);
    const answer = computeHierarchicalLoss(problem, { backend });
    expect(own.map((value) => -value + 0)).toEqual(answer.perExample);
    expect(softmax.hiddenGradient(B)).toEqual(answer.hiddenGradient);
    expect(softmax.gradients()).toEqual(answer.gradients);
  });

  test.each([1, 2, 5, 100])("the %i best are what sorting all classes finds", (most) => {
    const k = Math.min(most, tree.n);
    const softmax = HierarchicalSoftmax.create(tree, { D, B, bias });
    softmax.setParameters(problem.table, problem.biases ?? null);
    softmax.setHidden(problem.hidden);
    const { ids, logProbabilities } = softmax.topK(B, k);
    for (let r = 0; r < B; r++) {
      const row = logP.subarray(r * tree.n, (r + 1) * tree.n);
      const sorted = identity(tree.n).sort((a, b) => row[b]! - row[a]! || a - b);
      expect(Array.from(ids.subarray(r * k, (r + 1) * k))).toEqual(sorted.slice(0, k));
      const best = sorted.slice(0, k).map((id) => row[id]!);
      expectAllClose(logProbabilities.subarray(r * k, (r + 1) * k), best, { absolute: 1e-12, relative: 1e-12 });
    }
  });
});

describe("paths", () => {
  test("only nodes on paths of targets have gradients, each once, however many rows use it", () => {
    const tree = balancedTree(identity(64));
    const problem = { ...randomProblem(tree, 4, 6), targets: [5, 5, 5, 63, -1, 5], exampleWeights: [1, 1, 1, 1, 1, 1] };
    const { ids } = computeHierarchicalLoss(problem).gradients;
    const expected = new Set(
      [5, 63].flatMap((id) => Array.from(tree.nodes.subarray(tree.offsets[id], tree.offsets[id + 1]))),
    );
    expect(Array.from(ids)).toEqual([...expected].sort((a, b) => a - b));
    expect(ids).toHaveLength(11);
  });

  test("what lies off the paths is not read: NaN there is no matter, on a path it is refused", () => {
    const tree = balancedTree(identity(8));
    const problem = { ...randomProblem(tree, 2, 2), targets: [0, 1], exampleWeights: [1, 1] };
    const { ids } = computeHierarchicalLoss(problem).gradients;
    const off = identity(7).find((node) => !ids.includes(node))!;
    const poison = (node: number) => problem.table.map((value, i) => (i >>> 1 === node ? Number.NaN : value));
    expect(computeHierarchicalLoss({ ...problem, table: poison(off) })).toEqual(computeHierarchicalLoss(problem));
    expect(() => computeHierarchicalLoss({ ...problem, table: poison(ids[0]!) })).toThrow(NotFiniteError);
  });

  test("rows of weight 0 and ignored rows change nothing but the length of the batch", () => {
    const problem = randomProblem(huffmanTree(zipf(20)), 3, 17);
    const shares = sharesOf(problem);
    const rows = shares.flatMap((share, r) => (share === 0 ? [] : [r]));
    const kept = {
      ...problem,
      hidden: Float32Array.from(rows.flatMap((r) => Array.from(problem.hidden.subarray(3 * r, 3 * r + 3)))),
      targets: rows.map((r) => problem.targets[r]!),
      exampleWeights: rows.map((r) => problem.exampleWeights![r]!),
    };
    for (const backend of BACKENDS) {
      const with0 = computeHierarchicalLoss(problem, { backend });
      const without = computeHierarchicalLoss(kept, { backend });
      expect(with0.loss).toBe(without.loss);
      expect(with0.gradients).toEqual(without.gradients);
      shares.forEach((share, r) => {
        if (share === 0) expect(Array.from(with0.hiddenGradient.subarray(3 * r, 3 * r + 3))).toEqual([0, 0, 0]);
      });
    }
  });

  test("a batch of ignored rows has loss 0 and touches nothing", () => {
    const problem = { ...randomProblem(huffmanTree(zipf(5)), 3, 2), targets: [-9, -9], ignoreIndex: -9 };
    for (const backend of BACKENDS) {
      const { loss, gradients } = computeHierarchicalLoss(problem, { backend });
      expect(loss).toBe(0);
      expect(gradients.ids).toHaveLength(0);
      expect(gradients.rows).toHaveLength(0);
    }
  });

  test("nothing given is written to", () => {
    const problem = randomProblem(huffmanTree(zipf(9)), 3, 5);
    const before = structuredClone(problem);
    computeHierarchicalLoss(problem);
    expect(problem).toEqual(before);
  });

  test("the best class of a sure row is found along its path; equal classes come in the order of their ids", () => {
    const n = 1024;
    const tree = balancedTree(identity(n));
    const softmax = HierarchicalSoftmax.create(tree, { D: 1, B: 1 });
    const table = new Float32Array(n - 1);
    for (let i = tree.offsets[700]!; i < tree.offsets[701]!; i++) table[tree.nodes[i]!] = 9 * tree.signs[i]!;
    softmax.setParameters(table);
    softmax.setHidden(Float32Array.of(1));
    const { ids, nodesAsked } = softmax.topK(1, 1);
    expect(ids[0]).toBe(700);
    expect(nodesAsked[0]).toBe(10);
    softmax.setParameters(new Float32Array(n - 1));
    expect(Array.from(softmax.topK(1, 5).ids)).toEqual([0, 1, 2, 3, 4]);
  });

  test("logits of 1000 are no matter: the loss is linear there", () => {
    const problem: HierarchicalProblem = {
      tree: huffmanTree([2, 1]),
      D: 1,
      hidden: Float32Array.of(1, 1),
      table: Float32Array.of(1000),
      targets: [0, 1],
    };
    for (const backend of BACKENDS) {
      const sorted = Array.from(computeHierarchicalLoss(problem, { backend }).perExample).sort((a, b) => a - b);
      expect(sorted).toEqual([0, 1000]);
    }
  });

  test("a row costs three times its decisions", () => {
    expect(hierarchicalRowCost(128, 10)).toBe(3 * 1280);
  });
});

test("gradient descent on targets that come as counts say ends at their entropy: log p is learnt, normaliser and all", () => {
  const counts = [5, 4, 3, 3, 2, 2, 1, 1];
  const sum = counts.reduce((total, count) => total + count, 0);
  const targets = identity(8);
  const tree = huffmanTree(counts);
  let table = new Float32Array(7);
  let loss = Infinity;
  for (let t = 0; t < 400; t++) {
    const problem = { tree, D: 1, hidden: new Float32Array(8).fill(1), table, targets, exampleWeights: counts };
    const answer = computeHierarchicalLoss(problem);
    loss = answer.loss;
    table = table.map((value, node) => value - 5 * answer.gradients.rows[node]!);
  }
  const entropy = counts.reduce((nats, count) => nats - (count / sum) * Math.log(count / sum), 0);
  expect(loss).toBeGreaterThan(entropy - 1e-6);
  expect(loss).toBeLessThan(entropy + 1e-5);
});

describe("computeHierarchicalLoss refuses", () => {
  const tree = huffmanTree([3, 2, 1]);
  const problem: HierarchicalProblem = {
    tree,
    D: 2,
    hidden: new Float32Array(4),
    table: new Float32Array(4),
    biases: new Float32Array(2),
    targets: [0, 2],
  };
  const check = (changes: Partial<HierarchicalProblem>) => () => computeHierarchicalLoss({ ...problem, ...changes });
  type Refusal = readonly [string, () => unknown, new (message: string) => Error, object];
  const cases: readonly Refusal[] = [
    ["D = 0", check({ D: 0 }), OptionError, { name: "D" }],
    ["hidden of no whole rows", check({ hidden: new Float32Array(3) }), ShapeError, { actual: 3, D: 2 }],
    ["no rows", check({ hidden: new Float32Array(0) }), EmptyInputError, { name: "hidden" }],
    ["NaN in hidden", check({ hidden: Float32Array.of(0, Number.NaN, 0, 0) }), NotFiniteError, { index: 1 }],
    ["a table of another n", check({ table: new Float32Array(6) }), ShapeError, { actual: 6, expected: 4 }],
    ["biases of another n", check({ biases: new Float32Array(3) }), ShapeError, { actual: 3, expected: 2 }],
    ["an infinite bias", check({ biases: Float32Array.of(0, Infinity) }), NotFiniteError, { value: Infinity }],
    ["a target of n", check({ targets: [0, 3] }), ClassIdError, { index: 1, id: 3, n: 3 }],
    ["a target of −2", check({ targets: [-2, 0] }), ClassIdError, { id: -2 }],
    ["too many targets", check({ targets: [0, 1, 2] }), ShapeError, { actual: 3, expected: 2 }],
    ["a negative weight", check({ exampleWeights: [1, -1] }), OptionError, { index: 1, value: -1 }],
    [
      "logits that overflow float32, towards loss 0 or not",
      check({ hidden: Float32Array.of(0, 0, 1e30, 1e30), table: new Float32Array(4).fill(1e30) }),
      NotFiniteError,
      { row: 1 },
    ],
  ];

  test.each(cases)("%s", (_, run, kind, values) => {
    expect(run).toThrow(kind);
    expect(run).toThrow(expect.objectContaining({ values: expect.objectContaining(values) }));
  });

  test("and the object what it was not made for", () => {
    const softmax = HierarchicalSoftmax.create(tree, { D: 2, B: 1 });
    expect(() => softmax.setHidden(new Float32Array(4))).toThrow(OptionError);
    expect(() => softmax.setParameters(new Float32Array(2))).toThrow(ShapeError);
    expect(() => softmax.setParameters(new Float32Array(4), new Float32Array(2))).toThrow(ShapeError);
    expect(() => softmax.setParameters(Float32Array.of(0, 0, Number.NaN, 0))).toThrow(NotFiniteError);
    expect(() => softmax.setHidden(Float32Array.of(0, Number.NaN))).toThrow(NotFiniteError);
    expect(() => softmax.targetLogProbabilities(Int32Array.of(3), new Float64Array(1))).toThrow(ClassIdError);
    expect(() => softmax.targetLogProbabilities(Int32Array.of(1, 1), new Float64Array(2))).toThrow(OptionError);
    expect(() => softmax.topK(1, 4)).toThrow(OptionError);
    expect(() => softmax.topK(2, 1)).toThrow(OptionError);
  });
});
