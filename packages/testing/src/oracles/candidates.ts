import { logSumExp, type RaggedTargets } from "./softmax.js";

export type CandidateLossName =
  | "full-softmax"
  | "sampled-softmax"
  | "nce"
  | "negative-sampling"
  | "sampled-logistic"
  | "one-vs-all"
  | "sampled-one-vs-all";

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
  /** Full softmax only. ε, spread over all n classes. Default 0. */
  readonly labelSmoothing?: number;
  /** Negative sampling only. k > 0: draws count k·(mass of the row's labels)/(draws of the row) times each. Default 0: once. */
  readonly negativesPerLabel?: number;
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
  const { B, D, n, bias, temperature = 1, rowWeights, cosine = false } = problem;
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
    }
    const add = (c: number, slope: number): void => {
      dLogits[r * n + c]! += (weight * slope) / temperature;
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
      return fullSoftmaxRow(row, problem.labelSmoothing ?? 0);
    case "sampled-softmax":
      return sampledSoftmaxRow(row, ofLabels, ofOthers);
    case "nce":
    case "sampled-logistic":
      return classifierRow(row, 1, 1);
    case "negative-sampling":
      return classifierRow(row, 0, countOfDraw(problem, row, r));
    case "one-vs-all":
      return oneVsAllRow(row);
    case "sampled-one-vs-all":
      return sampledOneVsAllRow(row);
  }
}

/** −Σ_c q_c log softmax(s)_c with q = (1−ε)·y + ε·M/n. A row without labels expects nothing. */
function fullSoftmaxRow({ s, add, labels, others }: Row, epsilon: number): number {
  const lse = logSumExp(others.map(({ id }) => s[id]!));
  const M = labels.reduce((sum, { mass }) => sum + mass, 0);
  let loss = 0;
  for (const { id } of others) {
    const q = (epsilon * M) / s.length;
    loss += q * (lse - s[id]!);
    add(id, M * Math.exp(s[id]! - lse) - q);
  }
  for (const { id, mass } of labels) {
    loss += (1 - epsilon) * mass * (lse - s[id]!);
    add(id, -(1 - epsilon) * mass);
  }
  return loss;
}

function sampledSoftmaxRow({ s, add, labels, others }: Row, ofLabels: number, ofOthers: number): number {
  const positive = labels.map(({ id, logQ }) => s[id]! - ofLabels * logQ);
  const negative = others.map(({ id, logQ }) => s[id]! - ofOthers * logQ);
  const lse = logSumExp([...positive, ...negative]);
  const M = labels.reduce((sum, { mass }) => sum + mass, 0);
  if (M === 0) return 0;
  for (const [j, { id }] of others.entries()) add(id, M * Math.exp(negative[j]! - lse));
  let loss = 0;
  for (const [l, { id, mass }] of labels.entries()) {
    loss += mass * (lse - positive[l]!);
    add(id, M * Math.exp(positive[l]! - lse) - mass);
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
function oneVsAllRow({ s, add, labels, others }: Row): number {
  const wanted = new Map(labels.map(({ id, mass }) => [id, mass]));
  let loss = 0;
  for (const { id } of others) {
    const y = wanted.get(id) ?? 0;
    loss += y * minusLogSigmoid(s[id]!) + (1 - y) * minusLogSigmoid(-s[id]!);
    add(id, sigmoid(s[id]!) - y);
  }
  return loss;
}

/** The same with the classes that are no labels estimated from the draws, 1/Q each. */
function sampledOneVsAllRow({ s, add, labels, others }: Row): number {
  let loss = 0;
  for (const { id, mass } of labels) {
    loss += mass * minusLogSigmoid(s[id]!) + (1 - mass) * minusLogSigmoid(-s[id]!);
    add(id, sigmoid(s[id]!) - mass);
  }
  for (const { id, logQ } of others) {
    loss += Math.exp(-logQ) * minusLogSigmoid(-s[id]!);
    add(id, Math.exp(-logQ) * sigmoid(s[id]!));
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
