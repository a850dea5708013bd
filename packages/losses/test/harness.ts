import { type CompiledKernels, compileKernels } from "@logq/kernels";
import { type CandidateAnswer, candidateLoss, expectAllClose, TestRandom } from "@logq/testing";
import {
  type ComputeOptions,
  computeLoss,
  describeLoss,
  LOSS_NAMES,
  type LossAnswer,
  type LossName,
  type LossProblem,
  type LossSpec,
  lossDefaults,
  needsLogQ,
  type TileLossName,
} from "../src/index.js";

export const REFERENCE = await compileKernels("reference", false);
export const BACKENDS: readonly CompiledKernels[] = [REFERENCE, await compileKernels("wasm", false)];

/** All losses of logits of classes: those of `computeLoss`. */
export const TILE_LOSSES = LOSS_NAMES.filter((name): name is TileLossName => describeLoss(name).kind !== "tree");

/** The usual options with some changes. The temperature of margins is 1: at their usual 1/64 a rounding of a cosine is one of 4e-6 in a logit. */
export function specOf(name: LossName, changes: Partial<LossSpec> = {}): LossSpec {
  return { ...lossDefaults(name).spec, temperature: 1, ...changes };
}

export interface Sizes {
  readonly B: number;
  readonly D: number;
  readonly n: number;
  readonly S: number;
  /** Most labels of a row. 1: one each, no ragged form. */
  readonly T: number;
}

export interface Circumstances {
  readonly perRow?: boolean;
  readonly bias?: boolean;
  readonly weights?: boolean;
  /** Standard deviation of the entries of H and W. */
  readonly spread?: number;
  /** Some rows without labels. */
  readonly ignored?: boolean;
  /** Masses other than the default. */
  readonly mass?: boolean;
  readonly seed?: number;
}

/** A random problem: candidates drawn with replacement by some skewed law, hits and duplicates included. */
export function randomProblem(
  spec: LossSpec,
  { B, D, n, S, T }: Sizes,
  circumstances: Circumstances = {},
): LossProblem {
  const { perRow = false, bias = true, weights = true, spread = 0.7, ignored = true, mass = false } = circumstances;
  const random = new TestRandom(circumstances.seed ?? 1);
  const counts = Array.from({ length: B }, () => {
    if (ignored && random.uniform() < 0.2) return 0;
    return T === 1 ? 1 : Math.min(n, random.integer(T + 1));
  });
  const offsets = new Int32Array(B + 1);
  for (let r = 0; r < B; r++) offsets[r + 1] = offsets[r]! + counts[r]!;
  const labels = Int32Array.from(counts.flatMap((count) => Array.from(random.distinctIntegers(count, n))));
  const law = lawOf(n);
  const logQ = (id: number) => Math.log(S * law[id]!);
  const ids = Int32Array.from({ length: perRow ? B * S : S }, () => draw(law, random.uniform()));
  const single = T === 1;
  const perTarget = single
    ? Int32Array.from({ length: B }, (_, r) => (counts[r] === 0 ? -1 : labels[offsets[r]!]!))
    : labels;
  const { candidates, cosines } = describeLoss(spec.name);
  return {
    spec,
    D,
    hidden: random.normalFloats(B * D, spread),
    table: random.normalFloats(n * D, spread),
    ...(bias && !cosines && { bias: random.normalFloats(n, 0.5) }),
    targets: single
      ? perTarget
      : {
          offsets,
          ids: labels,
          ...(mass && { mass: random.uniformFloats(labels.length, 0.1, 1.5) }),
        },
    ...(weights && { exampleWeights: Array.from({ length: B }, (_, r) => (r % 5 === 3 ? 0 : random.uniform(0.2, 3))) }),
    ...(candidates && {
      candidates: {
        ids,
        perRow,
        ...(needsLogQ(spec) && {
          logQ: Float64Array.from(ids, logQ),
          targetLogQ: Float64Array.from(perTarget, (id) => (id < 0 ? Number.NaN : logQ(id))),
        }),
      },
    }),
    ...(spec.exclude === "seen" && { seen: randomSeen(random, B, n) }),
  };
}

function randomSeen(random: TestRandom, B: number, n: number) {
  const rows = Array.from({ length: B }, () => Array.from(random.distinctIntegers(random.integer(Math.min(4, n)), n)));
  const offsets = [0];
  for (const row of rows) offsets.push(offsets.at(-1)! + row.length);
  return { offsets, ids: rows.flat() };
}

/** Probabilities that fall like 1/(c + 2). */
export function lawOf(n: number): Float64Array {
  const law = Float64Array.from({ length: n }, (_, c) => 1 / (c + 2));
  const sum = law.reduce((total, p) => total + p, 0);
  return law.map((p) => p / sum);
}

export function draw(law: ArrayLike<number>, u: number): number {
  let rest = u;
  for (let c = 0; c + 1 < law.length; c++) {
    rest -= law[c]!;
    if (rest < 0) return c;
  }
  return law.length - 1;
}

/** What the oracle is asked for the same problem; `x` may replace H, W or the bias. */
export function oracle(
  problem: LossProblem,
  x: { H?: ArrayLike<number>; W?: ArrayLike<number>; bias?: ArrayLike<number> } = {},
): CandidateAnswer {
  const { spec, D, hidden, table, candidates } = problem;
  const B = hidden.length / D;
  const n = table.length / D;
  const targets = raggedTargets(problem, B);
  const weights = Array.from({ length: B }, (_, r) => (targets.ignored[r] ? 0 : (problem.exampleWeights?.[r] ?? 1)));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const rowsOf = (values: ArrayLike<number> | undefined) => values && splitRows(values, candidates?.perRow ?? false, B);
  const bias = x.bias ?? problem.bias;
  const draws = rowsOf(candidates?.ids);
  const logQ = rowsOf(candidates?.logQ);
  const { seen } = problem;
  return candidateLoss({
    loss: spec.name as TileLossName,
    correction: spec.correction,
    H: x.H ?? hidden,
    W: x.W ?? table,
    ...(bias && { bias }),
    B,
    D,
    n,
    targets,
    targetLogQ: targets.logQ,
    ...(draws && { candidates: draws }),
    ...(logQ && { logQ }),
    removeHits: spec.accidentalHits === "remove",
    ...(seen && { seen: Array.from({ length: B }, (_, r) => idsOfRow(seen, r)) }),
    temperature: spec.temperature,
    rowWeights: weights.map((weight) => (sum === 0 ? 0 : weight / sum)),
    labelSmoothing: spec.labelSmoothing,
    cosine: spec.normalize,
    negativesPerLabel: spec.negativesPerLabel,
    zLoss: spec.zLoss,
    softCap: spec.softCap,
    massIsWeight: spec.labelMass === "weight",
    calibration: spec.calibration,
    negativeWeight: spec.negativeWeight,
    negativeMargin: spec.negativeMargin,
    marginKind: spec.marginKind,
    margin: spec.margin,
    sharedDraws: !candidates?.perRow,
  });
}

function raggedTargets(problem: LossProblem, B: number) {
  const { targets, candidates, spec } = problem;
  const normalised = describeLoss(spec.name).kind === "normalised";
  if ("offsets" in targets) {
    const { offsets, ids, mass } = targets;
    const counts = Array.from({ length: B }, (_, r) => offsets[r + 1]! - offsets[r]!);
    const equal = counts.flatMap((count) => new Array<number>(count).fill(normalised ? 1 / count : 1));
    const ignored = counts.map((count) => normalised && count === 0);
    return { offsets, ids, weights: mass ?? equal, logQ: candidates?.targetLogQ ?? [], ignored };
  }
  const kept = Array.from({ length: B }, (_, r) => r).filter((r) => targets[r]! >= 0);
  const offsets = [0];
  for (let r = 0; r < B; r++) offsets.push(offsets[r]! + (targets[r]! >= 0 ? 1 : 0));
  return {
    offsets,
    ids: kept.map((r) => targets[r]!),
    weights: kept.map(() => 1),
    logQ: kept.map((r) => candidates?.targetLogQ?.[r] ?? 0),
    ignored: Array.from({ length: B }, (_, r) => targets[r]! < 0),
  };
}

function idsOfRow({ offsets, ids }: { offsets: ArrayLike<number>; ids: ArrayLike<number> }, r: number): number[] {
  return Array.from({ length: offsets[r + 1]! - offsets[r]! }, (_, i) => ids[offsets[r]! + i]!);
}

function splitRows(values: ArrayLike<number>, perRow: boolean, B: number): number[][] {
  const all = Array.from(values);
  const S = all.length / B;
  return Array.from({ length: B }, (_, r) => (perRow ? all.slice(r * S, (r + 1) * S) : all));
}

/** The sparse gradient of an answer as (n, D) and (n). */
export function denseGradients(answer: LossAnswer, n: number, D: number): { dW: Float64Array; dBias: Float64Array } {
  const { ids, rows } = answer.tableGradient;
  const dW = new Float64Array(n * D);
  const dBias = new Float64Array(n);
  for (let u = 0; u < rows.length / D; u++) {
    const id = ids ? ids[u]! : u;
    dW.set(rows.subarray(u * D, (u + 1) * D), id * D);
    dBias[id] = answer.biasGradient?.[u] ?? 0;
  }
  return { dW, dBias };
}

/**
 * Computes `problem` and compares everything with the oracle: |error| <= `tolerance` of the largest value of its kind. Where every class is
 * the target, losses and gradients cancel to 0; the largest is therefore taken to be at least 1 for losses (logits are some units) and 0.1 for
 * gradients.
 */
export function expectLikeOracle(problem: LossProblem, tolerance: number, options: ComputeOptions = {}): LossAnswer {
  const { D } = problem;
  const n = problem.table.length / D;
  const answer = computeLoss(problem, options);
  const truth = oracle(problem);
  const { dW, dBias } = denseGradients(answer, n, D);
  const B = answer.perExample.length;
  const close = (name: string, actual: ArrayLike<number>, expected: Float64Array, shape: number[], least = 0.1) => {
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), least);
    expectAllClose(actual, expected, { absolute: tolerance * largest, name: `${problem.spec.name} ${name}`, shape });
  };
  close("loss", [answer.loss], Float64Array.of(truth.loss), [1], 1);
  close("dH", answer.hiddenGradient, truth.dH, [B, D]);
  close("dW", dW, truth.dW, [n, D]);
  if (problem.bias) close("dBias", dBias, truth.dBias, [n]);
  return answer;
}
