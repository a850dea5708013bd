import { expectAllClose } from "@logq/testing";
import { describe, expect, test } from "vitest";
import { candidateTerms, computeLoss, type LossProblem, type TermVectors } from "../src/index.js";
import { BACKENDS, expectLikeOracle, randomProblem, specOf, TILE_LOSSES } from "./harness.js";
import { makeRig, run } from "./rig.js";

/** One row and n classes of width 1 with h = 1: the logit of class c is logits[c]. */
function plainProblem(logits: readonly number[], target: number, rest: Partial<LossProblem>): LossProblem {
  return {
    spec: specOf("full-softmax"),
    D: 1,
    hidden: Float32Array.of(1),
    table: Float32Array.from(logits),
    targets: [target],
    ...rest,
  };
}

function vectors(values: Partial<TermVectors> & { to: number }): TermVectors {
  const arrays = { add: new Float32Array(values.to), weight: new Float32Array(values.to) };
  return { from: 0, bias: null, logQ: null, multiplicity: null, ...arrays, ...values };
}

describe.each(BACKENDS)("on $name kernels", (backend) => {
  test("log Q is subtracted: the candidate drawn more often gets the smaller share of the gradient", () => {
    const candidates = { ids: [1, 2], logQ: [Math.log(0.9), Math.log(0.1)], targetLogQ: [0] };
    const problem = plainProblem([0, 0, 0], 0, { spec: specOf("sampled-softmax"), candidates });
    const [, often, seldom] = computeLoss(problem, { backend }).tableGradient.rows;
    expect(seldom! / often!).toBeCloseTo(9, 5);
  });

  test("a removed hit has probability exactly 0, and so has every duplicate of it, shared or per row", () => {
    for (const name of ["sampled-softmax", "negative-sampling", "sampled-logistic", "sampled-one-vs-all"] as const) {
      for (const perRow of [false, true]) {
        const spec = specOf(name, { accidentalHits: "remove" });
        const ids = [2, 0, 2, 2, 1];
        const logQ = ids.map((id) => Math.log(0.5 + id));
        const withHits = { ids, logQ, targetLogQ: [0.1], perRow };
        const withoutHits = { ids: [0, 1], logQ: [Math.log(0.5), Math.log(1.5)], targetLogQ: [0.1], perRow };
        const logits = [0.4, -0.3, 1.2];
        const hit = computeLoss(plainProblem(logits, 2, { spec, candidates: withHits }), { backend });
        const clean = computeLoss(plainProblem(logits, 2, { spec, candidates: withoutHits }), { backend });
        expect(hit).toEqual(clean);
      }
    }
  });

  test("in a tile, a masked logit turns into a gradient of exactly 0 and leaves sum, max and loss as if it were not there", () => {
    for (const name of TILE_LOSSES) {
      const rig = makeRig(backend, specOf(name), { C: 3, R: 1, T: 1 });
      const { ld } = rig.tile;
      rig.offsets.set([0, 1]);
      const losses = [-Infinity, -1e30].map((masked) => {
        rig.z.fill(0);
        rig.z[0] = 1;
        rig.z[ld] = masked;
        rig.z[2 * ld] = 2;
        rig.dot[0] = 1;
        run(rig);
        return [rig.losses[0], rig.z[0], rig.z[2 * ld], rig.dot[0]];
      });
      expect(losses[0]).toEqual(losses[1]);
      expect(losses[0]!.every(Number.isFinite)).toBe(true);
      expect(rig.z[ld]).toBeCloseTo(0, 30);
    }
  });

  test("−∞ times a weight or coefficient of 0 is 0, not NaN", () => {
    for (const name of TILE_LOSSES) {
      const rig = makeRig(backend, specOf(name), { C: 2, R: 2, T: 2 });
      rig.z.fill(-Infinity);
      rig.z[0] = 0.5;
      rig.z[1] = 0.5;
      rig.classWeight.set([1, 0]);
      rig.weight.set([1, 0]);
      rig.offsets.set([0, 1, 2]);
      run(rig);
      expect([rig.z[0], rig.z[rig.tile.ld], rig.z[1], rig.z[rig.tile.ld + 1]].every(Number.isFinite)).toBe(true);
      expect(Array.from(rig.losses).every(Number.isFinite)).toBe(true);
      expect(Array.from(rig.dot).every(Number.isFinite)).toBe(true);
    }
  });

  test("logits beyond ±6 are neither dropped nor clipped: at ±8, ±20 and ±50 gradients are exact to 1e-6", () => {
    const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
    for (const z of [-50, -20, -8, 8, 20, 50]) {
      const spec = specOf("negative-sampling");
      const problem = plainProblem([z, z], 0, { spec, candidates: { ids: [1] } });
      const { rows } = computeLoss(problem, { backend }).tableGradient;
      expectAllClose(rows, [-sigmoid(-z), sigmoid(z)], { relative: 1e-6 });
    }
  });

  test("label smoothing does not depend on how classes are cut into tiles, and is that of the whole: equal to the oracle to 2e-6", () => {
    const spec = specOf("full-softmax", { labelSmoothing: 0.25 });
    const problem = randomProblem(spec, { B: 7, D: 5, n: 29, S: 1, T: 3 }, { seed: 6 });
    for (const tileClasses of [1, 4, 10, 29]) expectLikeOracle(problem, 2e-6, { backend, tileClasses });
  });

  test("a class that is target and candidate at once, drawn three times, has one row of gradient that is the sum of its uses", () => {
    for (const name of ["sampled-softmax", "nce"] as const) {
      const ids = [1, 3, 1, 1];
      const candidates = { ids, logQ: ids.map((id) => Math.log(id)), targetLogQ: [0] };
      const problem = plainProblem([0.1, 0.7, -0.2, 0.3], 1, { spec: specOf(name), candidates });
      const { ids: touched } = expectLikeOracle(problem, 1e-6, { backend }).tableGradient;
      expect(Array.from(touched!)).toEqual([1, 3]);
    }
  });

  test("a candidate loss answers with rows of its targets and candidates, however many classes there are", () => {
    const n = 100_000;
    const table = new Float32Array(n).fill(0.1);
    const spec = specOf("sampled-softmax");
    const candidates = { ids: [99_999, 5, 5, 70_000], logQ: [0, 0, 0, 0], targetLogQ: [0] };
    const { tableGradient } = computeLoss({ ...plainProblem([], 4, { spec, candidates }), table }, { backend });
    expect(Array.from(tableGradient.ids!)).toEqual([4, 5, 70_000, 99_999]);
    expect(tableGradient.rows).toHaveLength(4);
  });

  test("a batch whose rows are all ignored has loss 0 and gradients 0, not NaN", () => {
    for (const name of TILE_LOSSES) {
      const problem = randomProblem(specOf(name), { B: 4, D: 3, n: 6, S: 5, T: 1 }, { seed: 2 });
      for (const ignored of [{ targets: [-1, -1, -1, -1] }, { exampleWeights: [0, 0, 0, 0] }]) {
        const answer = computeLoss({ ...problem, ...ignored }, { backend });
        expect(answer.loss).toBe(0);
        expect(answer.hiddenGradient.every((g) => g === 0)).toBe(true);
        expect(answer.tableGradient.rows.every((g) => g === 0)).toBe(true);
      }
    }
  });

  test("ignoreIndex may be any id", () => {
    const problem = randomProblem(specOf("full-softmax"), { B: 3, D: 2, n: 5, S: 1, T: 1 }, { weights: false });
    const a = computeLoss({ ...problem, targets: [2, -1, 0] }, { backend });
    const b = computeLoss({ ...problem, targets: [2, 4, 0], ignoreIndex: 4 }, { backend });
    expect(b).toEqual(a);
  });
});

describe("candidateTerms", () => {
  test("the temperature divides dot and bias and never log Q", () => {
    for (const [name, role] of [
      ["sampled-softmax", "candidate"],
      ["sampled-softmax", "label"],
      ["nce", "candidate"],
      ["sampled-logistic", "label"],
    ] as const) {
      const v = vectors({ to: 1, bias: Float32Array.of(3), logQ: Float64Array.of(-5) });
      candidateTerms(specOf(name, { temperature: 0.5 }), role, v);
      expect(v.add[0]).toBe(3 / 0.5 + 5);
    }
  });

  test("multiplicity c: a softmax adds log c under every correction, logistic losses weigh by c, sampled-one-vs-all by c/Q", () => {
    const multiplicity = Int32Array.of(4);
    const logQ = Float64Array.of(Math.log(8));
    for (const correction of ["importance", "partition", "none"] as const) {
      const v = vectors({ to: 1, multiplicity, logQ });
      candidateTerms(specOf("sampled-softmax", { correction, accidentalHits: "remove" }), "candidate", v);
      expect(v.add[0]).toBeCloseTo(Math.log(4) - (correction === "none" ? 0 : Math.log(8)), 6);
    }
    const expected = { nce: 4, "negative-sampling": 4, "sampled-logistic": 4, "sampled-one-vs-all": 0.5 } as const;
    for (const [name, weight] of Object.entries(expected)) {
      const v = vectors({ to: 1, multiplicity, logQ });
      candidateTerms(specOf(name as keyof typeof expected), "candidate", v);
      expect(v.weight![0]).toBeCloseTo(weight, 6);
    }
  });

  test("partition leaves the label as it is, importance subtracts its log Q, negative sampling and none subtract nothing", () => {
    const label = (spec: ReturnType<typeof specOf>) => {
      const v = vectors({ to: 1, logQ: Float64Array.of(-2) });
      candidateTerms(spec, "label", v);
      return v.add[0];
    };
    expect(label(specOf("sampled-softmax"))).toBe(2);
    expect(label(specOf("nce"))).toBe(2);
    expect(label(specOf("sampled-softmax", { correction: "partition", accidentalHits: "remove" }))).toBe(0);
    expect(label(specOf("sampled-softmax", { correction: "none" }))).toBe(0);
    expect(label(specOf("negative-sampling"))).toBe(0);
    expect(label(specOf("sampled-one-vs-all"))).toBe(0);
  });

  test("only elements [from, to) are written", () => {
    const v = vectors({ to: 5, bias: Float32Array.of(1, 2, 3, 4, 5) });
    candidateTerms(specOf("negative-sampling"), "candidate", { ...v, from: 1, to: 3 });
    expect(Array.from(v.add)).toEqual([0, 2, 3, 0, 0]);
    expect(Array.from(v.weight!)).toEqual([0, 1, 1, 0, 0]);
  });
});
