import { checkGradient, crossSparsely, expectAllClose, TestRandom } from "@logq/testing";
import { describe, expect, test } from "vitest";
import { type AdaptiveGradients, AdaptiveSoftmax } from "../src/adaptive/adaptive-softmax.js";
import { type AdaptiveParameters, type AdaptiveSpec, adaptiveClusters } from "../src/adaptive/clusters.js";
import { type AdaptiveProblem, computeAdaptiveLoss } from "../src/adaptive/compute.js";
import { adaptiveRowCost } from "../src/adaptive/facts.js";
import vectors from "./fixtures/torch-adaptive.json" with { type: "json" };
import { BACKENDS, REFERENCE } from "./harness.js";

/** Every number of an adaptive softmax, in one vector: H, head table, head bias, then each tail's projection and table. */
type Flat = Float64Array;

function flatten(hidden: ArrayLike<number>, parameters: AdaptiveParameters): Flat {
  const { headTable, headBias, tails } = parameters;
  const parts = [hidden, headTable, headBias ?? [], ...tails.flatMap(({ projection, table }) => [projection, table])];
  return Float64Array.from(parts.flatMap((part) => Array.from(part)));
}

/** log p of every class of every row (B, n), by enumeration in float64 from the definition alone. */
function enumerate(spec: AdaptiveSpec, B: number, x: Flat): number[][] {
  const { D, n, cutoffs, divValue = 4, headBias = false } = spec;
  const K = cutoffs.length;
  const h = cutoffs[0] ?? n;
  let at = 0;
  const row = (columns: number) => {
    at += columns;
    return Array.from(x.subarray(at - columns, at));
  };
  const take = (rows: number, columns: number) => Array.from({ length: rows }, () => row(columns));
  const hidden = take(B, D);
  const headTable = take(h + K, D);
  const bias = headBias ? take(1, h + K)[0]! : new Array<number>(h + K).fill(0);
  const tails = cutoffs.map((first, i) => {
    const width = Math.floor(D / divValue ** (i + 1));
    return { projection: take(width, D), table: take((cutoffs[i + 1] ?? n) - first, width) };
  });
  const apply = (matrix: number[][], v: number[]) => matrix.map((row) => row.reduce((s, w, d) => s + w * v[d]!, 0));
  const logSoftmax = (z: number[]) => {
    const max = Math.max(...z);
    const lse = max + Math.log(z.reduce((s, value) => s + Math.exp(value - max), 0));
    return z.map((value) => value - lse);
  };
  return hidden.map((v) => {
    const head = logSoftmax(apply(headTable, v).map((z, c) => z + bias[c]!));
    const inTails = tails.flatMap(({ projection, table }, i) =>
      logSoftmax(apply(table, apply(projection, v))).map((logP) => head[h + i]! + logP),
    );
    return [...head.slice(0, h), ...inTails];
  });
}

interface Circumstances {
  readonly seed?: number;
  readonly spread?: number;
  readonly weights?: boolean;
  /** Targets are drawn from these classes. Default: all. */
  readonly among?: readonly number[];
}

function randomProblem(
  spec: AdaptiveSpec,
  B: number,
  { seed = 1, spread = 0.7, weights = true, among }: Circumstances = {},
): AdaptiveProblem {
  const random = new TestRandom(seed);
  const { D, n, h, tails, headBias } = adaptiveClusters(spec);
  const target = () => (among ? among[random.integer(among.length)]! : random.integer(n));
  return {
    spec,
    hidden: random.normalFloats(B * D, spread),
    parameters: {
      headTable: random.normalFloats((h + tails.length) * D, spread),
      headBias: headBias ? random.normalFloats(h + tails.length, 0.5) : null,
      tails: tails.map(({ size, width }) => ({
        projection: random.normalFloats(width * D, spread),
        table: random.normalFloats(size * width, spread),
      })),
    },
    targets: Array.from({ length: B }, (_, r) => (r % 6 === 4 ? -1 : target())),
    ...(weights && { exampleWeights: Array.from({ length: B }, (_, r) => (r % 5 === 3 ? 0 : random.uniform(0.2, 3))) }),
  };
}

function sharesOf({ targets, exampleWeights }: AdaptiveProblem): number[] {
  const counted = Array.from(targets, (id, r) => (id < 0 ? 0 : (exampleWeights?.[r] ?? 1)));
  const sum = counted.reduce((total, weight) => total + weight, 0);
  return counted.map((weight) => (sum === 0 ? 0 : weight / sum));
}

/** The mean loss at x, by enumeration. */
function lossAt(problem: AdaptiveProblem, x: Flat): number {
  const shares = sharesOf(problem);
  const logP = enumerate(problem.spec, shares.length, x);
  return shares.reduce((sum, share, r) => sum - (share === 0 ? 0 : share * logP[r]![problem.targets[r]!]!), 0);
}

/** Gradients in the order of `flatten`; a tail that was not touched is 0. */
function flatGradients(spec: AdaptiveSpec, hidden: Float32Array, gradients: AdaptiveGradients): Flat {
  const { D, tails } = adaptiveClusters(spec);
  return flatten(hidden, {
    ...gradients,
    tails: gradients.tails.map(
      (tail, i) =>
        tail ?? {
          projection: new Float32Array(tails[i]!.width * D),
          table: new Float32Array(tails[i]!.size * tails[i]!.width),
        },
    ),
  });
}

const SPECS: readonly (readonly [string, AdaptiveSpec])[] = [
  ["one class", { D: 3, n: 1, cutoffs: [] }],
  ["two classes, one in the head", { D: 4, n: 2, cutoffs: [1], headBias: true }],
  ["no tails", { D: 5, n: 7, cutoffs: [], headBias: true }],
  ["odd widths, a tail of width 1", { D: 7, n: 19, cutoffs: [3, 5, 11], divValue: 1.8, headBias: true }],
  ["div 1: projections to the whole width", { D: 3, n: 9, cutoffs: [2, 4], divValue: 1 }],
  ["tails of one class", { D: 8, n: 6, cutoffs: [2, 3, 4, 5], divValue: 1.5 }],
];

describe.each(SPECS)("%s", (_, spec) => {
  const B = 11;
  const problem = randomProblem(spec, B);
  const x = flatten(problem.hidden, problem.parameters);

  test.each(BACKENDS)("$name: the loss and every row are the enumeration's to 2e-6", (backend) => {
    const answer = computeAdaptiveLoss(problem, { backend });
    const logP = enumerate(spec, B, x);
    const shares = sharesOf(problem);
    const expected = shares.map((share, r) => (share === 0 ? 0 : -logP[r]![problem.targets[r]!]!));
    expectAllClose(answer.perExample, expected, { absolute: 2e-6, relative: 2e-6 });
    expectAllClose([answer.loss], [lossAt(problem, x)], { absolute: 2e-6, relative: 2e-6 });
  });

  test.each(BACKENDS)(
    "$name: gradients of every parameter are the differences of the enumeration to 3e-6 of the largest",
    (backend) => {
      const { hiddenGradient, gradients } = computeAdaptiveLoss(problem, { backend });
      const analytic = flatGradients(spec, hiddenGradient, gradients);
      checkGradient((moved) => lossAt(problem, moved), x, analytic, { tolerance: 3e-6, absolute: 1e-7 });
    },
  );

  test.each(BACKENDS)("$name: log-probabilities of all classes are the enumeration's, and sum to 1", (backend) => {
    const softmax = AdaptiveSoftmax.create(spec, { B, backend, blockRows: 4, tileClasses: 4 });
    softmax.setParameters(problem.parameters);
    softmax.setHidden(problem.hidden);
    const logP = softmax.logProbabilities(B);
    expectAllClose(logP, enumerate(spec, B, x).flat(), { absolute: 3e-6, relative: 3e-6 });
    for (let r = 0; r < B; r++) {
      const sum = logP.subarray(r * spec.n, (r + 1) * spec.n).reduce((total, value) => total + Math.exp(value), 0);
      expect(Math.abs(sum - 1)).toBeLessThan(3e-6);
    }
  });

  test.each(BACKENDS)("$name: blocks and tiles change roundings only", (backend) => {
    const whole = computeAdaptiveLoss(problem, { backend });
    const flat = ({ hiddenGradient, gradients }: typeof whole) => flatGradients(spec, hiddenGradient, gradients);
    for (const keptLogits of [0, 40, 4000]) {
      const cut = computeAdaptiveLoss(problem, { backend, blockRows: 3, tileClasses: 1, keptLogits });
      expectAllClose(cut.perExample, whole.perExample, { absolute: 2e-6, relative: 2e-6 });
      expectAllClose(flat(cut), flat(whole), { absolute: 1e-6, relative: 3e-6 });
    }
  });
});

test.each(BACKENDS)(
  "$name: logits of hundreds, in one tile and in several: losses to 1e-5, gradients to 1e-4 of the largest",
  (backend) => {
    const spec = { D: 6, n: 70, cutoffs: [9, 30], divValue: 1.5, headBias: true };
    const problem = randomProblem(spec, 10, { spread: 4, seed: 8 });
    const x = flatten(problem.hidden, problem.parameters);
    const logP = enumerate(spec, 10, x);
    const expected = sharesOf(problem).map((share, r) => (share === 0 ? 0 : -logP[r]![problem.targets[r]!]!));
    expect(Math.max(...expected)).toBeGreaterThan(100);
    for (const [tileClasses, keptLogits] of [
      [4, 0],
      [4, 4000],
      [100, 4000],
    ]) {
      const answer = computeAdaptiveLoss(problem, { backend, tileClasses, keptLogits });
      expectAllClose(answer.perExample, expected, { absolute: 1e-4, relative: 1e-5 });
      const analytic = flatGradients(spec, answer.hiddenGradient, answer.gradients);
      const indices = Array.from({ length: x.length }, (_, i) => i).filter((i) => i % 7 === 0);
      const options = { tolerance: 1e-4, absolute: 1e-5, step: 1e-4, indices };
      checkGradient((moved) => lossAt(problem, moved), x, analytic, options);
    }
  },
);

test.each(BACKENDS)("$name: a tail of many tiles", (backend) => {
  const spec = { D: 3, n: 17_000, cutoffs: [4], divValue: 1.5 };
  const problem = { ...randomProblem(spec, 2, { weights: false }), targets: [3, 16_999] };
  const x = flatten(problem.hidden, problem.parameters);
  const { loss, hiddenGradient, gradients } = computeAdaptiveLoss(problem, { backend });
  expectAllClose([loss], [lossAt(problem, x)], { relative: 3e-6 });
  const analytic = flatGradients(spec, hiddenGradient, gradients);
  const indices = [0, 1, 2, 3, 4, 5, 6, 20, 21, 25, 30, x.length - 2, x.length - 1];
  checkGradient((moved) => lossAt(problem, moved), x, analytic, { tolerance: 1e-5, absolute: 1e-7, indices });
});

describe("parity with torch.nn.AdaptiveLogSoftmaxWithLoss", () => {
  const tensor = (rows: readonly (readonly number[])[]) => Float32Array.from(rows.flat());
  type Case = (typeof vectors.cases)[number];
  const parametersOf = ({ headWeight, headBias, tails }: Case["parameters"]): AdaptiveParameters => ({
    headTable: tensor(headWeight),
    headBias: headBias && Float32Array.from(headBias),
    tails: tails.map(({ projection, classes }) => ({ projection: tensor(projection), table: tensor(classes) })),
  });

  const cases = vectors.cases.map((theirs, i) => [i, theirs] as const);
  test.each(cases)("case %i: log-probabilities, loss and all gradients to 3e-6 of the largest", (_, theirs) => {
    const { D, n, cutoffs, divValue, targets } = theirs;
    const parameters = parametersOf(theirs.parameters);
    const spec = { D, n, cutoffs, divValue, headBias: parameters.headBias !== null };
    const hidden = tensor(theirs.hidden);
    const wanted = flatten(tensor(theirs.gradients.hidden), parametersOf(theirs.gradients));
    const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    for (const backend of BACKENDS) {
      const answer = computeAdaptiveLoss({ spec, hidden, parameters, targets }, { backend });
      expectAllClose([answer.loss], [theirs.loss], { absolute: 3e-6 });
      const flat = flatGradients(spec, answer.hiddenGradient, answer.gradients);
      expectAllClose(flat, wanted, { absolute: 3e-6 * largest });
      const softmax = AdaptiveSoftmax.create(spec, { B: targets.length, backend });
      softmax.setParameters(parameters);
      softmax.setHidden(hidden);
      const logP = softmax.logProbabilities(targets.length);
      expectAllClose(logP, theirs.logProbabilities.flat(), { absolute: 3e-6, relative: 1e-6 });
    }
  });
});

describe("top-k", () => {
  const cases = crossSparsely({
    backend: BACKENDS,
    k: [1, 2, 5, 13],
    B: [1, 3, 9, 33],
    spread: [0.2, 1.5, 4],
    tileClasses: [4, 400],
  });

  test.each(cases)("$backend.name, k = $k, B = $B, spread $spread: what sorting all classes finds", (circumstances) => {
    const { backend, k, B, spread, tileClasses } = circumstances;
    const spec = { D: 6, n: 60, cutoffs: [8, 25], divValue: 2, headBias: true };
    const problem = randomProblem(spec, B, { spread, seed: k + B });
    const softmax = AdaptiveSoftmax.create(spec, { B, backend, k, blockRows: 8, tileClasses });
    softmax.setParameters(problem.parameters);
    softmax.setHidden(problem.hidden);
    const { ids, logProbabilities } = softmax.topK(B, k);
    const all = enumerate(spec, B, flatten(problem.hidden, problem.parameters));
    for (let r = 0; r < B; r++) {
      const sorted = all[r]!.map((logP, id) => ({ logP, id })).sort((a, b) => b.logP - a.logP || a.id - b.id);
      const best = sorted.slice(0, k);
      const own = ids.subarray(r * k, (r + 1) * k);
      expectAllClose(
        logProbabilities.subarray(r * k, (r + 1) * k),
        best.map(({ logP }) => logP),
        { absolute: 1e-5, relative: 1e-5 },
      );
      expect(Array.from(own)).toEqual(best.map(({ id }) => id));
    }
  });

  test("a tail is looked at where its probability can still matter, and nowhere else", () => {
    const spec = { D: 4, n: 40, cutoffs: [10], headBias: true };
    const { parameters, hidden } = randomProblem(spec, 6, { spread: 0.1 });
    const bias = parameters.headBias!;
    const rowsLooked = (tailBias: number, k: number) => {
      bias[10] = tailBias;
      const softmax = AdaptiveSoftmax.create(spec, { B: 6 });
      softmax.setParameters(parameters);
      softmax.setHidden(hidden);
      return softmax.topK(6, k).tailRows[0];
    };
    expect(rowsLooked(-20, 10)).toBe(0);
    expect(rowsLooked(20, 1)).toBe(6);
    // The head has 10 classes: an eleventh must come from the tail.
    expect(rowsLooked(-20, 11)).toBe(6);
  });

  test("equal classes come in the order of their ids, across clusters too", () => {
    const spec = { D: 1, n: 4, cutoffs: [2, 3], divValue: 1 };
    const softmax = AdaptiveSoftmax.create(spec, { B: 1 });
    softmax.setHidden(Float32Array.of(1));
    expect(Array.from(softmax.topK(1, 4).ids)).toEqual([0, 1, 2, 3]);
  });
});

describe("batches", () => {
  const spec = { D: 5, n: 30, cutoffs: [6, 15], divValue: 2 };

  test("a tail without a target has no gradient, and its old one is not mistaken for one", () => {
    const all = randomProblem(spec, 20, { seed: 3 });
    const few = randomProblem(spec, 20, { seed: 3, among: [0, 3, 20] });
    const softmax = AdaptiveSoftmax.create(spec, { B: 20 });
    softmax.setParameters(all.parameters);
    const run = ({ hidden, targets, exampleWeights }: AdaptiveProblem) => {
      softmax.setHidden(hidden);
      const shares = Float32Array.from(sharesOf({ ...all, targets, ...(exampleWeights && { exampleWeights }) }));
      const counted = Int32Array.from(targets, (id, r) => (shares[r] === 0 ? -1 : id));
      softmax.lossAndGradients(counted, shares, new Float64Array(20));
      return softmax.gradients();
    };
    expect(run(all).tails.every((tail) => tail !== null)).toBe(true);
    const after = run(few);
    expect(softmax.touches(0)).toBe(false);
    expect(after.tails[0]).toBeNull();
    expect(after).toEqual(computeAdaptiveLoss(few).gradients);
  });

  test("rows of weight 0 and ignored rows change nothing but the length of the batch", () => {
    const problem = randomProblem(spec, 17);
    const shares = sharesOf(problem);
    const rows = shares.flatMap((share, r) => (share === 0 ? [] : [r]));
    const kept = {
      ...problem,
      hidden: Float32Array.from(rows.flatMap((r) => Array.from(problem.hidden.subarray(5 * r, 5 * r + 5)))),
      targets: rows.map((r) => problem.targets[r]!),
      exampleWeights: rows.map((r) => problem.exampleWeights![r]!),
    };
    for (const backend of BACKENDS) {
      const [with0, without] = [problem, kept].map((one) => computeAdaptiveLoss(one, { backend }));
      expect(with0!.loss).toBe(without!.loss);
      expect(with0!.gradients).toEqual(without!.gradients);
      for (let r = 0; r < 17; r++) {
        const gradient = with0!.hiddenGradient.subarray(5 * r, 5 * r + 5);
        if (shares[r] === 0) expect(Array.from(gradient)).toEqual([0, 0, 0, 0, 0]);
        if (shares[r] === 0) expect(with0!.perExample[r]).toBe(0);
      }
    }
  });

  test("a batch of ignored rows has loss 0 and no gradient", () => {
    const problem = { ...randomProblem(spec, 3), targets: [-7, -7, -7], ignoreIndex: -7 };
    const { loss, gradients, hiddenGradient } = computeAdaptiveLoss(problem);
    expect(loss).toBe(0);
    expect(gradients.headTable.every((value) => value === 0)).toBe(true);
    expect(gradients.tails).toEqual([null, null]);
    expect(hiddenGradient.every((value) => value === 0)).toBe(true);
  });

  test("nothing given is written to, and the same call answers the same bits", () => {
    const problem = randomProblem(spec, 9);
    const before = structuredClone(problem);
    const first = computeAdaptiveLoss(problem);
    expect(problem).toEqual(before);
    expect(computeAdaptiveLoss(problem)).toEqual(first);
  });

  test("parameters go in and come out; log-probabilities of targets are those of all classes", () => {
    const problem = randomProblem(spec, 8, { weights: false });
    const softmax = AdaptiveSoftmax.create(spec, { B: 8 });
    softmax.setParameters(problem.parameters);
    expect(softmax.parameters()).toEqual(problem.parameters);
    softmax.setHidden(problem.hidden);
    const logP = new Float64Array(8);
    const targets = Int32Array.from(problem.targets);
    softmax.targetLogProbabilities(targets, logP);
    const all = softmax.logProbabilities(8);
    const expected = Array.from(targets, (id, r) => (id < 0 ? 0 : all[r * 30 + id]!));
    expectAllClose(logP, expected, { absolute: 2e-6 });
  });
});

test("gradient descent on targets that come as counts say ends at their entropy: log p is learnt, normaliser and all", () => {
  const counts = [8, 5, 4, 3, 2, 2, 1, 1];
  const sum = counts.reduce((total, count) => total + count, 0);
  const spec = { D: 2, n: 8, cutoffs: [2, 5], divValue: 1.4 };
  let { parameters } = randomProblem(spec, 1, { spread: 0.5 });
  const hidden = new Float32Array(16).fill(1);
  const step = (values: Float32Array, gradient: Float32Array) => values.map((value, i) => value - 0.7 * gradient[i]!);
  let loss = Infinity;
  for (let t = 0; t < 1500; t++) {
    const problem = { spec, hidden, parameters, targets: counts.map((_, id) => id), exampleWeights: counts };
    const answer = computeAdaptiveLoss(problem);
    loss = answer.loss;
    parameters = {
      headTable: step(parameters.headTable, answer.gradients.headTable),
      headBias: null,
      tails: parameters.tails.map(({ projection, table }, i) => {
        const gradient = answer.gradients.tails[i]!;
        return { projection: step(projection, gradient.projection), table: step(table, gradient.table) };
      }),
    };
  }
  const entropy = counts.reduce((nats, count) => nats - (count / sum) * Math.log(count / sum), 0);
  expect(loss).toBeGreaterThan(entropy - 1e-6);
  expect(loss).toBeLessThan(entropy + 1e-4);
});

test("a row costs the head and, as often as it is met, each tail: 3 products each", () => {
  const clusters = adaptiveClusters({ D: 8, n: 100, cutoffs: [10, 40], divValue: 2 });
  const expected = 3 * (8 * 12 + 0.25 * 4 * (8 + 30) + 0.125 * 2 * (8 + 60));
  expect(adaptiveRowCost(clusters, [0.25, 0.125])).toBe(expected);
  expect(adaptiveRowCost(adaptiveClusters({ D: 8, n: 100, cutoffs: [] }), [])).toBe(3 * 8 * 100);
});

test("logits that overflow float32 are refused by the row", () => {
  const problem = randomProblem({ D: 2, n: 5, cutoffs: [2], divValue: 2 }, 3, { weights: false });
  const hidden = Float32Array.of(1, 1, 1e30, 1e30, 1, 1);
  const parameters = { ...problem.parameters, headTable: new Float32Array(6).fill(1e30) };
  expect(() => computeAdaptiveLoss({ ...problem, hidden, parameters }, { backend: REFERENCE })).toThrow(/row 1/);
});
