import { expectAllClose, TestRandom } from "@logq/testing";
import { describe, expect, test } from "vitest";
import { allPaths } from "../src/hierarchical/all-paths.js";
import type { SeparableLoss } from "../src/index.js";
import { balancedTree, bestPaths, type ClassTree, describeLoss, huffmanTree, nodeBiases } from "../src/index.js";
import { BACKENDS, specOf } from "./harness.js";
import { makeRig } from "./rig.js";

/** Decisions of rows, ragged: 3, none, 1, and 9 of a row that weighs nothing. */
const OFFSETS = [0, 3, 3, 4, 13];
const WEIGHTS = [0.5, 0.2, 1.5, 0];
const SCALE = 1 / 0.7;

const random = new TestRandom(5);
const DOTS = random.normalFloats(13, 2);
const ADDS = random.normalFloats(13);
const MASSES = Float32Array.from({ length: 13 }, (_, j) => (j % 2 === 0 ? -1 : 1) / (j % 3 === 0 ? 2 : 1));

describe.each(BACKENDS)("on $name kernels, the loss of paths", (backend) => {
  function settled(dots: ArrayLike<number>) {
    const rig = makeRig(backend, specOf("hierarchical-softmax", { temperature: 0.7 }), { C: 0, R: 4, T: 13, n: 7 });
    const loss = rig.loss as SeparableLoss;
    rig.offsets.set(OFFSETS);
    rig.weight.set(WEIGHTS);
    rig.dot.set(dots);
    rig.labelAdd.set(ADDS);
    rig.mass.set(MASSES);
    loss.begin(rig.rows);
    loss.tile(rig.tile, rig.rows);
    loss.settle(rig.positives, rig.rows);
    return { losses: Array.from(rig.losses), gradients: Array.from(rig.dot) };
  }

  /** Of row r in float64, its weight with it. */
  const lossOf = (r: number, dots: ArrayLike<number>) => {
    let sum = 0;
    for (let j = OFFSETS[r]!; j < OFFSETS[r + 1]!; j++) {
      const y = Math.sign(MASSES[j]!) * (SCALE * dots[j]! + ADDS[j]!);
      sum += Math.abs(MASSES[j]!) * Math.log1p(Math.exp(-y));
    }
    return WEIGHTS[r]! * sum;
  };

  test("is Σ −m·log σ(sign·y) of each row, and 0 of one that weighs nothing, to 2e-6", () => {
    expectAllClose(
      settled(DOTS).losses,
      [0, 1, 2, 3].map((r) => lossOf(r, DOTS)),
      { absolute: 2e-6 },
    );
  });

  test("has the gradients of its differences, to 1e-6", () => {
    const numeric = Array.from(DOTS, (_, j) => {
      const at = (step: number) => {
        const moved = Float64Array.from(DOTS);
        moved[j] = moved[j]! + step;
        return [0, 1, 2, 3].reduce((sum, r) => sum + lossOf(r, moved), 0);
      };
      return (at(1e-5) - at(-1e-5)) / 2e-5;
    });
    expectAllClose(settled(DOTS).gradients, numeric, { absolute: 1e-6 });
  });

  test("tells of a logit that overflowed, on whichever side it is, and of none in a row that weighs nothing", () => {
    for (const [j, row] of [
      [0, 0],
      [1, 0],
      [3, 2],
    ] as const) {
      for (const dot of [Infinity, -Infinity, Number.NaN]) {
        const dots = DOTS.slice();
        dots[j] = dot;
        dots[5] = dot;
        const { losses, gradients } = settled(dots);
        expect(losses[row]).toBeNaN();
        expect(losses[3]).toBe(0);
        expect(gradients.slice(4)).toEqual(new Array(9).fill(0));
      }
    }
  });
});

const TREES: readonly (readonly [string, ClassTree])[] = [
  ["one class", huffmanTree([2])],
  ["two classes", huffmanTree([2, 5])],
  ["Huffman", huffmanTree([9, 1, 1, 4, 2, 2, 7])],
  ["balanced", balancedTree([3, 0, 1, 2, 4])],
];

describe.each(TREES)("%s", (_, tree) => {
  const logits = new TestRandom(3).normalFloats(Math.max(1, tree.n - 1));
  const all = new Float32Array(tree.n + 2).fill(9);
  allPaths(tree, (node) => logits[node]!, all, 1);
  const logP = all.subarray(1, tree.n + 1);

  test("probabilities of all classes sum to 1, and are written where they were asked for", () => {
    expect(logP.reduce((sum, value) => sum + Math.exp(value), 0)).toBeCloseTo(1, 5);
    expect([all[0], all[tree.n + 1]]).toEqual([9, 9]);
  });

  test("the best without some classes are the best of the others, and there are no more than there are", () => {
    const isLeftOut = (id: number) => id % 3 === 0;
    const { ids, logProbabilities } = bestPaths(tree, (node) => logits[node]!, tree.n, isLeftOut);
    const left = Array.from(logP.keys()).filter((id) => !isLeftOut(id));
    left.sort((a, b) => logP[b]! - logP[a]! || a - b);
    const none = tree.n - left.length;
    expect(Array.from(ids)).toEqual([...left, ...new Array(none).fill(-1)]);
    expectAllClose(
      logProbabilities.subarray(0, left.length),
      left.map((id) => logP[id]!),
      { absolute: 2e-6 },
    );
    expect(Array.from(logProbabilities.subarray(left.length))).toEqual(new Array(none).fill(-Infinity));
  });

  test("nodeBiases make the law of the weights", () => {
    const weights = Float64Array.from({ length: tree.n }, (_, id) => 0.5 + id);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const biases = nodeBiases(tree, weights);
    const out = new Float32Array(tree.n);
    allPaths(tree, (node) => biases[node]!, out);
    expectAllClose(
      out,
      Array.from(weights, (weight) => Math.log(weight / total)),
      { absolute: 1e-6 },
    );
  });
});

test("it is a likelihood, and looks at no candidates", () => {
  expect(describeLoss("hierarchical-softmax")).toMatchObject({ kind: "tree", candidates: false, perplexity: true });
});
