import { matmul, transpose } from "./matrix.js";

/** log Σ e^x; −∞ for no numbers or only −∞. */
export function logSumExp(x: ArrayLike<number>): number {
  let max = -Infinity;
  for (let i = 0; i < x.length; i++) max = Math.max(max, x[i]!);
  if (max === -Infinity) return -Infinity;
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += Math.exp(x[i]! - max);
  return max + Math.log(sum);
}

/** e^x / Σ e^x */
export function softmax(x: ArrayLike<number>): Float64Array {
  const lse = logSumExp(x);
  return Float64Array.from(x, (value) => Math.exp(value - lse));
}

/** Ragged targets of B rows: row i has ids[offsets[i] … offsets[i+1]−1] with their mass. */
export interface RaggedTargets {
  /** (B + 1) */
  readonly offsets: ArrayLike<number>;
  readonly ids: ArrayLike<number>;
  /** The mass of each target, linear. Absent: 1 each. A row need not sum to 1. */
  readonly weights?: ArrayLike<number>;
}

export interface FullSoftmaxProblem {
  /** (B, D) */
  readonly H: ArrayLike<number>;
  /** (n, D) */
  readonly W: ArrayLike<number>;
  /** (n). Absent: 0. */
  readonly bias?: ArrayLike<number>;
  readonly B: number;
  readonly D: number;
  readonly n: number;
  /** One target a row (B ids), or ragged ones. */
  readonly targets: ArrayLike<number> | RaggedTargets;
  /** τ. Default 1. */
  readonly temperature?: number;
  /** (B), multiplies the loss of a row. Absent: 1 each. For a mean, put 1/B here. */
  readonly rowWeights?: ArrayLike<number>;
  /** ε in [0, 1]. Default 0. */
  readonly labelSmoothing?: number;
}

export interface FullSoftmaxAnswer {
  /** Σ of rowLoss. */
  readonly loss: number;
  /** (B), with the row's weight. */
  readonly rowLoss: Float64Array;
  /** (B): log Σ_c exp(y_c). */
  readonly logSumExp: Float64Array;
  /** (B, n): y = z/τ. */
  readonly logits: Float64Array;
  /** (B, n): ∂loss/∂z, z before the temperature. */
  readonly dLogits: Float64Array;
  /** (B, D) */
  readonly dH: Float64Array;
  /** (n, D) */
  readonly dW: Float64Array;
  /** (n) */
  readonly dBias: Float64Array;
}

/**
 * Full softmax cross-entropy in the plainest float64. With z = H·Wᵀ + b, y = z/τ, p = softmax(y), targets of mass m_t, M = Σ m_t and
 * q_c = (1−ε)·m_c + ε·M/n:
 *
 *     loss = Σ_i w_i Σ_c q_ic (lse_i − y_ic),   ∂loss/∂z_ic = w_i (M_i p_ic − q_ic) / τ
 */
export function fullSoftmax(problem: FullSoftmaxProblem): FullSoftmaxAnswer {
  const { H, W, bias, B, D, n, temperature = 1, rowWeights, labelSmoothing = 0 } = problem;
  const logits = matmul(H, transpose(W, n, D), B, D, n).map((z, at) => (z + (bias?.[at % n] ?? 0)) / temperature);
  const q = targetMass(problem.targets, B, n, labelSmoothing);
  const rowLoss = new Float64Array(B);
  const lse = new Float64Array(B);
  const dLogits = new Float64Array(B * n);
  for (let i = 0; i < B; i++) {
    const y = logits.subarray(i * n, (i + 1) * n);
    const row = q.subarray(i * n, (i + 1) * n);
    const mass = row.reduce((sum, value) => sum + value, 0);
    const weight = rowWeights?.[i] ?? 1;
    const p = softmax(y);
    lse[i] = logSumExp(y);
    for (let c = 0; c < n; c++) {
      // A class that expects nothing costs nothing, even where its logit is −∞.
      if (row[c] !== 0) rowLoss[i]! += weight * row[c]! * (lse[i]! - y[c]!);
      dLogits[i * n + c] = (weight * (mass * p[c]! - row[c]!)) / temperature;
    }
  }
  return {
    loss: rowLoss.reduce((sum, value) => sum + value, 0),
    rowLoss,
    logSumExp: lse,
    logits,
    dLogits,
    dH: matmul(dLogits, W, B, n, D),
    dW: matmul(transpose(dLogits, B, n), H, n, B, D),
    dBias: matmul(new Float64Array(B).fill(1), dLogits, 1, B, n),
  };
}

/** q (B, n): the smoothed mass of every class; a target that a row names twice counts twice. */
function targetMass(targets: FullSoftmaxProblem["targets"], B: number, n: number, epsilon: number): Float64Array {
  const { offsets, ids, weights } = ragged(targets, B);
  const q = new Float64Array(B * n);
  for (let i = 0; i < B; i++) {
    for (let t = offsets[i]!; t < offsets[i + 1]!; t++) {
      const mass = weights?.[t] ?? 1;
      q[i * n + ids[t]!]! += (1 - epsilon) * mass;
      for (let c = 0; c < n; c++) q[i * n + c]! += (epsilon * mass) / n;
    }
  }
  return q;
}

/** Both forms of targets as ragged ones. */
export function ragged(targets: ArrayLike<number> | RaggedTargets, B: number): RaggedTargets {
  if ("offsets" in targets) return targets;
  return { offsets: Array.from({ length: B + 1 }, (_, i) => i), ids: targets };
}
