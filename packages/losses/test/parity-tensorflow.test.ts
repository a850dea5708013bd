import { expectAllClose } from "@logq/testing";
import { describe, expect, test } from "vitest";
import { computeLoss, type LossAnswer, type LossName, type LossProblem, type LossSpec } from "../src/index.js";
import vectors from "./fixtures/tensorflow-losses.json" with { type: "json" };
import { BACKENDS, denseGradients, oracle, specOf } from "./harness.js";

/** TensorFlow computes in float32. */
const TOLERANCE = 1e-5;

interface TensorFlowAnswer {
  /** (B) */
  readonly losses: readonly number[];
  readonly mean: number;
  readonly weightGradient: readonly (readonly number[])[];
  readonly biasGradient: readonly number[];
  readonly hiddenGradient: readonly (readonly number[])[];
}

interface CandidateCase {
  readonly T: number;
  readonly unique: boolean;
  readonly removeHits: boolean;
  /** (B, T) */
  readonly labels: readonly (readonly number[])[];
  readonly ids: readonly number[];
  readonly expected: readonly number[];
  readonly trueExpected: readonly (readonly number[])[];
  readonly sampledSoftmax: TensorFlowAnswer;
  readonly nce: TensorFlowAnswer;
}

const { inputs } = vectors;
const CASES: readonly CandidateCase[] = vectors.candidates;
const [n, D, B] = [inputs.weights.length, inputs.weights[0]!.length, inputs.hidden.length];
const TABLES = {
  D,
  hidden: Float32Array.from(inputs.hidden.flat()),
  table: Float32Array.from(inputs.weights.flat()),
  bias: Float32Array.from(inputs.biases),
};

/** Row r has labels of its own, T each; candidates are shared. Masses are the loss's defaults. */
function problemOf({ T, labels, ids, expected, trueExpected }: CandidateCase, spec: LossSpec): LossProblem {
  return {
    ...TABLES,
    spec,
    targets: { offsets: Array.from({ length: B + 1 }, (_, r) => r * T), ids: labels.flat() },
    candidates: { ids, logQ: expected.map(Math.log), targetLogQ: trueExpected.flat().map(Math.log) },
  };
}

/** Within the tolerance of the largest value of its kind. */
function expectClose(name: string, actual: ArrayLike<number>, expected: readonly number[]): void {
  const largest = Math.max(...expected.map(Math.abs));
  expectAllClose(actual, expected, { absolute: TOLERANCE * largest, name });
}

function expectSame(answer: LossAnswer, theirs: TensorFlowAnswer, name: string): void {
  const { dW, dBias } = denseGradients(answer, n, D);
  expectClose(`${name}: loss`, [answer.loss], [theirs.mean]);
  expectClose(`${name}: losses`, answer.perExample, theirs.losses);
  expectClose(`${name}: dH`, answer.hiddenGradient, theirs.hiddenGradient.flat());
  expectClose(`${name}: dW`, dW, theirs.weightGradient.flat());
  expectClose(`${name}: dBias`, dBias, theirs.biasGradient);
}

/** Whether some row has a label that was drawn twice. */
function hasRepeatedHit({ labels, ids }: CandidateCase): boolean {
  return labels.flat().some((label) => ids.indexOf(label) !== ids.lastIndexOf(label));
}

function nameOf({ T, unique, removeHits }: CandidateCase): string {
  return `${T} ${T === 1 ? "label" : "labels"}, ${unique ? "unique" : "repeated"} candidates, hits ${removeHits ? "removed" : "kept"}`;
}

function hitsOf({ removeHits }: CandidateCase): Partial<LossSpec> {
  return { accidentalHits: removeHits ? "remove" : "keep" };
}

test("the cases have hits, repeated candidates and repeated hits", () => {
  for (const of of CASES) {
    expect(of.labels.flat().some((label) => of.ids.includes(label))).toBe(true);
    expect(new Set(of.ids).size === of.ids.length).toBe(of.unique);
    expect(hasRepeatedHit(of)).toBe(!of.unique);
  }
});

describe.each(BACKENDS)("on $name kernels, values and gradients are TensorFlow's to 1e-5 of the largest", (backend) => {
  describe("tf.nn.sampled_softmax_loss: importance, labels of a row share a mass of 1", () => {
    const agreeing = CASES.filter((of) => !(of.removeHits && hasRepeatedHit(of)));
    test.each(agreeing.map((of) => [nameOf(of), of] as const))("%s", (name, of) => {
      const spec = specOf("sampled-softmax", hitsOf(of));
      expectSame(computeLoss(problemOf(of, spec), { backend }), of.sampledSoftmax, name);
    });
  });

  describe("tf.nn.nce_loss with one label is nce, or sampled-logistic where hits are removed", () => {
    const agreeing = CASES.filter((of) => of.T === 1 && !(of.removeHits && hasRepeatedHit(of)));
    test.each(agreeing.map((of) => [nameOf(of), of] as const))("%s", (name, of) => {
      const loss: LossName = of.removeHits ? "sampled-logistic" : "nce";
      expectSame(computeLoss(problemOf(of, specOf(loss)), { backend }), of.nce, name);
    });
  });

  test("tf.nn.softmax_cross_entropy_with_logits: full-softmax with the distribution as masses", () => {
    for (const { name, labels, answer } of vectors.softmax) {
      if (name !== "sum-not-one") expectSame(computeLoss(softmaxProblem(labels), { backend }), answer, name);
    }
  });
});

/** Every class with a mass above 0 is a label of its row. */
function softmaxProblem(labels: readonly (readonly number[])[]): LossProblem {
  const offsets = [0];
  for (const row of labels) offsets.push(offsets.at(-1)! + row.filter((mass) => mass > 0).length);
  const ids = labels.flatMap((row) => row.flatMap((mass, id) => (mass > 0 ? [id] : [])));
  const mass = labels.flatMap((row) => row.filter((value) => value > 0));
  return { ...TABLES, spec: specOf("full-softmax"), targets: { offsets, ids, mass } };
}

function logitOf(r: number, c: number): number {
  const { hidden, table, bias } = TABLES;
  let z = bias[c]!;
  for (let d = 0; d < D; d++) z += hidden[r * D + d]! * table[c * D + d]!;
  return z;
}

/** Row r of a case alone, with the candidates at some of their places. Its loss is that of the row in the batch, its dH B times as large. */
function rowProblem(of: CandidateCase, r: number, hits: "keep" | "remove", places: readonly number[]): LossProblem {
  const logQ = places.map((at) => Math.log(of.expected[at]!));
  return {
    ...TABLES,
    hidden: TABLES.hidden.slice(r * D, (r + 1) * D),
    spec: specOf("sampled-softmax", { accidentalHits: hits }),
    targets: { offsets: [0, of.T], ids: of.labels[r]! },
    candidates: { ids: places.map((at) => of.ids[at]!), logQ, targetLogQ: of.trueExpected[r]!.map(Math.log) },
  };
}

interface Gap {
  readonly losses: number[];
  readonly dH: Float64Array;
  readonly dW: Float64Array;
  readonly dBias: Float64Array;
}

/** share·Σ y over the corrected logits y of each row's labels, and the gradients of its mean over rows. */
function labelLogits(of: CandidateCase, share: number): Gap {
  const { hidden, table } = TABLES;
  const gap: Gap = {
    losses: new Array<number>(B).fill(0),
    dH: new Float64Array(B * D),
    dW: new Float64Array(n * D),
    dBias: new Float64Array(n),
  };
  for (let r = 0; r < B; r++) {
    of.labels[r]!.forEach((id, t) => {
      gap.losses[r]! += share * (logitOf(r, id) - Math.log(of.trueExpected[r]![t]!));
      gap.dBias[id]! += share / B;
      for (let d = 0; d < D; d++) {
        gap.dH[r * D + d]! += (share / B) * table[id * D + d]!;
        gap.dW[id * D + d]! += (share / B) * hidden[r * D + d]!;
      }
    });
  }
  return gap;
}

/** Σ_c p_c·w_c of row r under the full softmax (D). */
function meanRow(r: number): Float64Array {
  const logits = Array.from({ length: n }, (_, c) => logitOf(r, c));
  const sum = logits.reduce((total, z) => total + Math.exp(z), 0);
  const mean = new Float64Array(D);
  logits.forEach((z, c) => {
    for (let d = 0; d < D; d++) mean[d]! += (Math.exp(z) / sum) * TABLES.table[c * D + d]!;
  });
  return mean;
}

function plus(a: ArrayLike<number>, b: ArrayLike<number>): number[] {
  return Array.from(a, (value, i) => value + b[i]!);
}

describe("where logq differs from TensorFlow on purpose, both values hold", () => {
  const repeated = CASES.filter((of) => of.removeHits && hasRepeatedHit(of));
  test.each(repeated.map((of) => [nameOf(of), of] as const))(
    "sampled softmax, %s: TensorFlow removes the last draw of a label and keeps the others, logq removes all",
    (_, of) => {
      const { ids, sampledSoftmax } = of;
      const places = ids.map((_, at) => at);
      of.labels.forEach((labels, r) => {
        const survivors = places.filter((at) => !labels.includes(ids[at]!) || ids.lastIndexOf(ids[at]!) !== at);
        const theirs = computeLoss(rowProblem(of, r, "keep", survivors));
        const dH = theirs.hiddenGradient.map((g) => g / B);
        expectClose(`TensorFlow's loss of row ${r}`, theirs.perExample, [sampledSoftmax.losses[r]!]);
        expectClose(`TensorFlow's dH of row ${r}`, dH, sampledSoftmax.hiddenGradient[r]!);
        const others = places.filter((at) => !labels.includes(ids[at]!));
        const clean = computeLoss(rowProblem(of, r, "keep", others));
        const own = computeLoss(rowProblem(of, r, "remove", places));
        expectClose(`logq's loss of row ${r}`, own.perExample, Array.from(clean.perExample));
        // What survives adds to the normaliser: by more than rounding, wherever there is any.
        expect(theirs.loss - own.loss > 1e-4).toBe(survivors.length > others.length);
      });
    },
  );

  const severalLabels = CASES.filter((of) => of.T > 1 && !(of.removeHits && hasRepeatedHit(of)));
  test.each(severalLabels.map((of) => [nameOf(of), of] as const))(
    "nce, %s: to TensorFlow a label is 1/T present and 1 − 1/T absent, to logq present: (1 − 1/T)·Σy lies between them",
    (_, of) => {
      const problem = problemOf(of, specOf(of.removeHits ? "sampled-logistic" : "nce"));
      const own = computeLoss(problem);
      const { dW, dBias } = denseGradients(own, n, D);
      const gap = labelLogits(of, 1 - 1 / of.T);
      expectClose("logq's loss", [own.loss], [oracle(problem).loss]);
      expectClose("losses", plus(own.perExample, gap.losses), of.nce.losses);
      expectClose("dH", plus(own.hiddenGradient, gap.dH), of.nce.hiddenGradient.flat());
      expectClose("dW", plus(dW, gap.dW), of.nce.weightGradient.flat());
      expectClose("dBias", plus(dBias, gap.dBias), of.nce.biasGradient);
      expect(Math.abs(of.nce.mean - own.loss)).toBeGreaterThan(0.1);
    },
  );

  test("softmax with masses of sum M: the same loss, but TensorFlow's gradient by logits is p − y, which is its derivative M·p − y only at M = 1", () => {
    const { labels, answer } = vectors.softmax.find(({ name }) => name === "sum-not-one")!;
    const problem = softmaxProblem(labels);
    const own = computeLoss(problem);
    expectClose("losses", own.perExample, answer.losses);
    expectClose("logq's dH", own.hiddenGradient, Array.from(oracle(problem).dH));
    const gap = labels.flatMap((row, r) => {
      const M = row.reduce((sum, mass) => sum + mass, 0);
      return Array.from(meanRow(r), (mean) => ((1 - M) * mean) / B);
    });
    expectClose("TensorFlow's dH", plus(own.hiddenGradient, gap), answer.hiddenGradient.flat());
    expect(Math.max(...gap.map(Math.abs))).toBeGreaterThan(0.01);
  });
});
