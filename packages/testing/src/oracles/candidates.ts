import { logSumExp, type RaggedTargets } from "./softmax.js";

export type CandidateLossName =
  | "full-softmax"
  | "sampled-softmax"
  | "nce"
  | "negative-sampling"
  | "sampled-logistic"
  | "one-vs-all"
  | "sampled-one-vs-all"
  | "bce"
  | "gbce"
  | "bpr"
  | "warp"
  | "ccl"
  | "margin"
  | "sampled-margin";

/** A loss with everything that was drawn spelled out: one entry per draw and row, nothing merged. */
export interface CandidateProblem {
  readonly loss: CandidateLossName;
  /** Default "none". */
  readonly correction?: "importance" | "partition" | "none";
  /** (B, D) */
  readonly H: ArrayLike<number>;
  /** (n, D) */
  readonly W: ArrayLike<number>;
  /** (n). Absent: 0. */
  readonly bias?: ArrayLike<number>;
  readonly B: number;
  readonly D: number;
  readonly n: number;
  /** Weights are the masses of the labels; absent: 1 each. */
  readonly targets: RaggedTargets;
  /** log Q of each target. */
  readonly targetLogQ?: ArrayLike<number>;
  /** The draws of each row, duplicates as they come. Full losses have none. */
  readonly candidates?: readonly ArrayLike<number>[];
  /** log Q of each draw of each row. */
  readonly logQ?: readonly ArrayLike<number>[];
  /** Draws that hit a label of their row are left out. Default false. */
  readonly removeHits?: boolean;
  /** Classes that take no part in a row, unless they are its labels. */
  readonly seen?: readonly ArrayLike<number>[];
  /** τ. Default 1. */
  readonly temperature?: number;
  /** (B), multiplies the loss of a row. Absent: 1 each. */
  readonly rowWeights?: ArrayLike<number>;
  /** Full softmax: ε, spread over all n classes. Sampled softmax: each draw has ε/(n·Q) of it. Default 0. */
  readonly labelSmoothing?: number;
  /** Negative sampling only. k > 0: draws count k·(mass of the row's labels)/(draws of the row) times each. Default 0: once. */
  readonly negativesPerLabel?: number;
  /** Softmax family only. λ: λ·(log of the partition)² is added to the loss of each row with labels. Default 0. */
  readonly zLoss?: number;
  /** Softmax family only. c > 0: s ← c·tanh(s/c) before log Q. Default 0: none. */
  readonly softCap?: number;
  /** one-vs-all and its sampled form only. Whether a label's mass says how often it counts, not what is wanted of it. Default false. */
  readonly massIsWeight?: boolean;
  /** gbce only. t. Default 0. */
  readonly calibration?: number;
  /** ccl only. w and m. Default 1 and 0. */
  readonly negativeWeight?: number;
  readonly negativeMargin?: number;
  /** margin and sampled-margin only. Default a cosine margin of 0. */
  readonly marginKind?: "cosine" | "angular";
  readonly margin?: number;
  /** warp only. Whether the draws are one list for all rows, so that each label walks the distinct ones in an order of its own. Default false. */
  readonly sharedDraws?: boolean;
  /** Rows of H and W are brought to length 1 first. Default false. */
  readonly cosine?: boolean;
}

export interface CandidateAnswer {
  readonly loss: number;
  /** (B), with the row's weight. */
  readonly rowLoss: Float64Array;
  /** (B, D) */
  readonly dH: Float64Array;
  /** (n, D), dense: zeros where no label and no candidate was. */
  readonly dW: Float64Array;
  /** (n) */
  readonly dBias: Float64Array;
  /** (B, n): ∂loss/∂(h·w + b), summed over all uses of a class in a row. */
  readonly dLogits: Float64Array;
}

/** The logits of a row that its loss looks at, and what it makes of them. */
interface Row {
  /** s_c = (h·w_c + b_c)/τ of every class. */
  readonly s: Float64Array;
  /** Adds to ∂ℓ/∂s_c. */
  readonly add: (c: number, slope: number) => void;
  readonly labels: readonly { id: number; mass: number; logQ: number }[];
  /** What is left of the draws, or all classes of a full loss. */
  readonly others: readonly { id: number; logQ: number }[];
}

/** The losses by their definitions, in float64, one draw at a time, with gradients with respect to everything. */
export function candidateLoss(problem: CandidateProblem): CandidateAnswer {
  const { B, D, n, bias, temperature = 1, rowWeights, cosine = false, softCap = 0 } = problem;
  const H = cosine ? unitRows(problem.H, B, D) : Float64Array.from(problem.H);
  const W = cosine ? unitRows(problem.W, n, D) : Float64Array.from(problem.W);
  const rowLoss = new Float64Array(B);
  const dLogits = new Float64Array(B * n);
  for (let r = 0; r < B; r++) {
    const weight = rowWeights?.[r] ?? 1;
    if (weight === 0) continue;
    const s = new Float64Array(n);
    for (let c = 0; c < n; c++) {
      for (let d = 0; d < D; d++) s[c]! += H[r * D + d]! * W[c * D + d]!;
      s[c] = (s[c]! + (bias?.[c] ?? 0)) / temperature;
      if (softCap > 0) s[c] = softCap * Math.tanh(s[c]! / softCap);
    }
    const add = (c: number, slope: number): void => {
      const through = softCap > 0 ? 1 - (s[c]! / softCap) ** 2 : 1;
      dLogits[r * n + c]! += (weight * slope * through) / temperature;
    };
    rowLoss[r] = weight * lossOfRow(problem, r, { s, add, labels: labelsOf(problem, r), others: othersOf(problem, r) });
  }
  const dH = new Float64Array(B * D);
  const dW = new Float64Array(n * D);
  const dBias = new Float64Array(n);
  for (let r = 0; r < B; r++) {
    for (let c = 0; c < n; c++) {
      const g = dLogits[r * n + c]!;
      dBias[c]! += g;
      for (let d = 0; d < D; d++) {
        dH[r * D + d]! += g * W[c * D + d]!;
        dW[c * D + d]! += g * H[r * D + d]!;
      }
    }
  }
  return {
    loss: rowLoss.reduce((sum, value) => sum + value, 0),
    rowLoss,
    dH: cosine ? throughLength(dH, problem.H, B, D) : dH,
    dW: cosine ? throughLength(dW, problem.W, n, D) : dW,
    dBias,
    dLogits,
  };
}

function labelsOf({ targets, targetLogQ }: CandidateProblem, r: number): Row["labels"] {
  const labels = [];
  for (let t = targets.offsets[r]!; t < targets.offsets[r + 1]!; t++) {
    labels.push({ id: targets.ids[t]!, mass: targets.weights?.[t] ?? 1, logQ: targetLogQ?.[t] ?? 0 });
  }
  return labels;
}

function othersOf(problem: CandidateProblem, r: number): Row["others"] {
  const { n, candidates, logQ, removeHits = false, seen } = problem;
  const all = candidates?.[r] ?? Array.from({ length: n }, (_, c) => c);
  const labels = new Set(labelsOf(problem, r).map(({ id }) => id));
  const hidden = new Set(Array.from(seen?.[r] ?? []));
  return Array.from(all, (id, j) => ({ id, logQ: logQ?.[r]?.[j] ?? 0 })).filter(({ id }) =>
    labels.has(id) ? !removeHits : !hidden.has(id),
  );
}

function lossOfRow(problem: CandidateProblem, r: number, row: Row): number {
  const correction = problem.correction ?? "none";
  const ofLabels = correction === "importance" ? 1 : 0;
  const ofOthers = correction === "none" ? 0 : 1;
  switch (problem.loss) {
    case "full-softmax":
      return fullSoftmaxRow(row, problem.labelSmoothing ?? 0, problem.zLoss ?? 0);
    case "sampled-softmax":
      return sampledSoftmaxRow(problem, row, ofLabels, ofOthers);
    case "nce":
    case "sampled-logistic":
      return classifierRow(row, 1, 1);
    case "negative-sampling":
      return classifierRow(row, 0, countOfDraw(problem, row, r));
    case "one-vs-all":
      return oneVsAllRow(row, problem.massIsWeight ?? false);
    case "sampled-one-vs-all":
      return sampledOneVsAllRow(row, problem.massIsWeight ?? false);
    case "bce":
    case "gbce":
      return binaryRow(problem, row, r);
    case "bpr":
      return rankingRow(row, problem.candidates![r]!.length);
    case "warp":
      return warpRow(problem, row, r);
    case "ccl":
      return contrastiveRow(problem, row, r);
    case "margin":
    case "sampled-margin":
      return marginRow(problem, row, ofOthers);
  }
}

/** −Σ_c q_c log softmax(s)_c with q = (1−ε)·y + ε·M/n. A row without labels expects nothing. */
function fullSoftmaxRow({ s, add, labels, others }: Row, epsilon: number, zLoss: number): number {
  const lse = logSumExp(others.map(({ id }) => s[id]!));
  const M = labels.reduce((sum, { mass }) => sum + mass, 0);
  const z = M === 0 ? 0 : zLoss;
  let loss = z * lse ** 2;
  for (const { id } of others) {
    const q = (epsilon * M) / s.length;
    add(id, 2 * z * lse * Math.exp(s[id]! - lse));
    loss += q * (lse - s[id]!);
    add(id, M * Math.exp(s[id]! - lse) - q);
  }
  for (const { id, mass } of labels) {
    loss += (1 - epsilon) * mass * (lse - s[id]!);
    add(id, -(1 - epsilon) * mass);
  }
  return loss;
}

function sampledSoftmaxRow(
  { n, zLoss = 0, labelSmoothing = 0 }: CandidateProblem,
  { s, add, labels, others }: Row,
  ofLabels: number,
  ofOthers: number,
): number {
  const positive = labels.map(({ id, logQ }) => s[id]! - ofLabels * logQ);
  const negative = others.map(({ id, logQ }) => s[id]! - ofOthers * logQ);
  const lse = logSumExp([...positive, ...negative]);
  const M = labels.reduce((sum, { mass }) => sum + mass, 0);
  if (M === 0) return 0;
  const pull = M + 2 * zLoss * lse;
  for (const [j, { id }] of others.entries()) add(id, pull * Math.exp(negative[j]! - lse));
  let loss = zLoss * lse ** 2;
  for (const [l, { id, mass }] of labels.entries()) {
    loss += (1 - labelSmoothing) * mass * (lse - positive[l]!);
    add(id, pull * Math.exp(positive[l]! - lse) - (1 - labelSmoothing) * mass);
  }
  if (labelSmoothing === 0) return loss;
  loss += labelSmoothing * M * lse;
  for (const { id, logQ } of others) {
    const share = (labelSmoothing * M * Math.exp(-logQ)) / n;
    loss -= share * s[id]!;
    add(id, -share);
  }
  return loss;
}

/** How often each draw of a row counts. Draws that are left out are draws as well. */
function countOfDraw({ negativesPerLabel = 0, candidates }: CandidateProblem, { labels }: Row, r: number): number {
  const mass = labels.reduce((sum, label) => sum + label.mass, 0);
  return negativesPerLabel === 0 ? 1 : (negativesPerLabel * mass) / candidates![r]!.length;
}

/** Labels are told from noise: −Σ m log σ(Δ_label) − count·Σ log(1 − σ(Δ_draw)), Δ = s − corrected·log Q. */
function classifierRow({ s, add, labels, others }: Row, corrected: number, count: number): number {
  let loss = 0;
  for (const { id, mass, logQ } of labels) {
    const delta = s[id]! - corrected * logQ;
    loss += mass * minusLogSigmoid(delta);
    add(id, -mass * sigmoid(-delta));
  }
  for (const { id, logQ } of others) {
    const delta = s[id]! - corrected * logQ;
    loss += count * minusLogSigmoid(-delta);
    add(id, count * sigmoid(delta));
  }
  return loss;
}

/** Binary cross-entropy of every class, its mass being the wanted probability. */
function oneVsAllRow({ s, add, labels, others }: Row, massIsWeight: boolean): number {
  const wanted = new Map(labels.map(({ id, mass }) => [id, mass]));
  let loss = 0;
  for (const { id } of others) {
    const y = wanted.get(id) ?? 0;
    const no = massIsWeight ? (wanted.has(id) ? 0 : 1) : 1 - y;
    loss += y * minusLogSigmoid(s[id]!) + no * minusLogSigmoid(-s[id]!);
    add(id, no * sigmoid(s[id]!) - y * sigmoid(-s[id]!));
  }
  return loss;
}

/** The same with the classes that are no labels estimated from the draws, 1/Q each. */
function sampledOneVsAllRow({ s, add, labels, others }: Row, massIsWeight: boolean): number {
  let loss = 0;
  for (const { id, mass } of labels) {
    const no = massIsWeight ? 0 : 1 - mass;
    loss += mass * minusLogSigmoid(s[id]!) + no * minusLogSigmoid(-s[id]!);
    add(id, no * sigmoid(s[id]!) - mass * sigmoid(-s[id]!));
  }
  for (const { id, logQ } of others) {
    loss += Math.exp(-logQ) * minusLogSigmoid(-s[id]!);
    add(id, Math.exp(-logQ) * sigmoid(s[id]!));
  }
  return loss;
}

/** Of each label and all S draws, the mean over the 1 + S terms; the label's weighs β = α(t(1 − 1/α) + 1/α), α = S/(n − 1). */
function binaryRow({ loss, n, calibration = 0, candidates }: CandidateProblem, row: Row, r: number): number {
  const { s, add, labels, others } = row;
  const S = candidates![r]!.length;
  const t = loss === "gbce" ? calibration : 0;
  const alpha = n === 1 ? 1 : S / (n - 1);
  const beta = alpha * (t * (1 - 1 / alpha) + 1 / alpha);
  let sum = 0;
  for (const { id, mass } of labels) {
    const share = mass / (1 + S);
    sum += share * beta * minusLogSigmoid(s[id]!);
    add(id, -share * beta * sigmoid(-s[id]!));
    for (const other of others) {
      sum += share * minusLogSigmoid(-s[other.id]!);
      add(other.id, share * sigmoid(s[other.id]!));
    }
  }
  return sum;
}

/** −Σ m log σ(s_label − s_draw) over all pairs, divided by the number of draws. */
function rankingRow({ s, add, labels, others }: Row, S: number): number {
  let loss = 0;
  for (const { id, mass } of labels) {
    for (const other of others) {
      const difference = s[id]! - s[other.id]!;
      const slope = (mass / S) * sigmoid(-difference);
      loss += (mass / S) * minusLogSigmoid(difference);
      add(id, -slope);
      add(other.id, slope);
    }
  }
  return loss;
}

/** Each label against the draws until one is not below it by 1; the pair weighs 1 + 1/2 + … + 1/⌊(n − 1)/tries⌋. */
function warpRow({ n, candidates, sharedDraws = false }: CandidateProblem, row: Row, r: number): number {
  const { s, add, labels, others } = row;
  let loss = 0;
  for (const [l, { id, mass }] of labels.entries()) {
    const all = Array.from(candidates![r]!);
    const kept = new Set(others.map((other) => other.id));
    const tries = (sharedDraws ? walkOf(all, r + l) : all).filter((draw) => kept.has(draw));
    const found = tries.findIndex((draw) => s[draw]! > s[id]! - 1);
    if (found < 0) continue;
    const negative = tries[found]!;
    const rank = Math.floor((n - 1) / (found + 1));
    let weight = 0;
    for (let i = rank; i > 0; i--) weight += mass / i;
    loss += weight * (1 - s[id]! + s[negative]!);
    add(id, -weight);
    add(negative, weight);
  }
  return loss;
}

/** The distinct draws by id, in steps of the least integer from ⌊0.618·C⌋ on that is coprime to their number, each as often as it was drawn. */
function walkOf(draws: readonly number[], turn: number): number[] {
  const distinct = [...new Set(draws)].sort((a, b) => a - b);
  const C = distinct.length;
  const golden = (Math.sqrt(5) - 1) / 2;
  const turns = turn * golden * golden;
  const start = Math.floor((turns - Math.floor(turns)) * C);
  const isCoprime = (step: number) => Array.from({ length: C }, (_, i) => (i * step) % C).indexOf(0, 1) < 0;
  let step = Math.max(1, Math.floor(golden * C));
  while (!isCoprime(step)) step++;
  const walk = Array.from({ length: C }, (_, i) => distinct[(start + i * step) % C]!);
  return walk.flatMap((id) => draws.filter((draw) => draw === id));
}

/** Of cosines: 1 − s of each label and w times the mean over the draws of what is above the margin. */
function contrastiveRow(problem: CandidateProblem, { s, add, labels, others }: Row, r: number): number {
  const { negativeWeight = 1, negativeMargin = 0, candidates } = problem;
  let loss = 0;
  for (const { id, mass } of labels) {
    loss += mass * (1 - s[id]!);
    add(id, -mass);
    const share = (mass * negativeWeight) / candidates![r]!.length;
    for (const other of others) {
      if (s[other.id]! <= negativeMargin) continue;
      loss += share * (s[other.id]! - negativeMargin);
      add(other.id, share);
    }
  }
  return loss;
}

/** Softmax over labels and all that are none, with cos θ of a label replaced by cos θ − m or cos(θ + m). */
function marginRow(problem: CandidateProblem, { s, add, labels, others }: Row, corrected: number): number {
  const { temperature = 1, marginKind = "cosine", margin = 0, zLoss = 0 } = problem;
  const own = new Set(labels.map(({ id }) => id));
  const rest = others.filter(({ id }) => !own.has(id));
  const moved = labels.map(({ id, logQ }) => {
    const theta = Math.acos(Math.min(1, Math.max(-1, temperature * s[id]!)));
    const beyond = theta + margin > Math.PI;
    const [cosine, slope] =
      marginKind === "cosine"
        ? [Math.cos(theta) - margin, 1]
        : beyond
          ? [Math.cos(theta) - margin * Math.sin(margin), 1]
          : [Math.cos(theta + margin), Math.sin(theta + margin) / Math.sin(theta)];
    return { z: cosine / temperature - corrected * logQ, slope };
  });
  const negative = rest.map(({ id, logQ }) => s[id]! - corrected * logQ);
  const lse = logSumExp([...moved.map(({ z }) => z), ...negative]);
  const M = labels.reduce((sum, { mass }) => sum + mass, 0);
  if (M === 0) return 0;
  const pull = M + 2 * zLoss * lse;
  for (const [j, { id }] of rest.entries()) add(id, pull * Math.exp(negative[j]! - lse));
  let loss = zLoss * lse ** 2;
  for (const [l, { id, mass }] of labels.entries()) {
    const { z, slope } = moved[l]!;
    loss += mass * (lse - z);
    add(id, slope * (pull * Math.exp(z - lse) - mass));
  }
  return loss;
}

function minusLogSigmoid(x: number): number {
  return x > 0 ? Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x)) - x;
}

function sigmoid(x: number): number {
  return x > 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
}

function lengthOf(x: ArrayLike<number>, i: number, D: number): number {
  let sum = 0;
  for (let d = 0; d < D; d++) sum += x[i * D + d]! ** 2;
  return Math.sqrt(sum);
}

function unitRows(x: ArrayLike<number>, rows: number, D: number): Float64Array {
  const out = Float64Array.from(x);
  for (let i = 0; i < rows; i++) {
    const length = lengthOf(x, i, D);
    for (let d = 0; d < D; d++) out[i * D + d]! /= length;
  }
  return out;
}

/** The gradient at x of f(x/‖x‖) from the gradient g at the unit vector: (g − u⟨u, g⟩)/‖x‖. */
function throughLength(g: Float64Array, x: ArrayLike<number>, rows: number, D: number): Float64Array {
  const out = new Float64Array(rows * D);
  for (let i = 0; i < rows; i++) {
    const length = lengthOf(x, i, D);
    let along = 0;
    for (let d = 0; d < D; d++) along += (g[i * D + d]! * x[i * D + d]!) / length;
    for (let d = 0; d < D; d++) {
      out[i * D + d] = (g[i * D + d]! - (along * x[i * D + d]!) / length) / length;
    }
  }
  return out;
}
