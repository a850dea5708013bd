import { NotFiniteError, requireInteger, requireLength, requireNumber, SamplerError, ShapeError } from "@logq/core";

/** What is known after `resample`. */
export interface Resampled {
  /** The Q that is stated is not the expected count of a class among the S over both passes: reports say `biased`. */
  readonly biased: true;
  /** log Ẑ, Ẑ = Σ e^z/Q₀ over the pool: unbiased for Σ e^z over all classes (natural log). */
  readonly logNormaliser: number;
  /** 1/Σ w², in [1, S₀]: how many equal entries the pool is worth. Near 1, one entry decides and the estimate is poor. */
  readonly effectiveSize: number;
}

/**
 * Systematic draws, in place: S points, `share` apart from each other and the first `uniform` shares from 0, fall on weights that stand one behind the
 * other; each weight becomes the number of points on it times `worth`. A weight w is met ⌊w/share⌋ or ⌈w/share⌉ times, on average w/share times (Kitagawa
 * 1996), with less variance than independent draws. The one law of the second of two passes: of rows of a tile in training and of `resample`. O(count + S),
 * and allocates nothing.
 * @param weights (count) from element `first` on, `stride` apart; finite, not below 0
 * @param share above 0: the sum of the weights over S
 * @param uniform in [0, 1)
 * @returns the points that fell on weights: S, or one less where sums in different orders differ in the last bit
 */
export function drawSystematically(
  weights: Float32Array | Float64Array,
  first: number,
  stride: number,
  count: number,
  S: number,
  share: number,
  uniform: number,
  worth: number,
): number {
  let running = 0;
  let point = 0;
  for (let at = first, end = first + count * stride; at < end; at += stride) {
    running += weights[at];
    const before = point;
    while (point < S && share * (uniform + point) < running) point++;
    weights[at] = (point - before) * worth;
  }
  return point;
}

/**
 * The second of two passes: S of S₀ pool entries, systematically, by self-normalised weights w_k = (e^{z_k}/Q₀_k)/Ẑ (sampling-importance resampling:
 * Rubin 1987; for softmax layers as in two-stage samplers such as Bai, Goldman, Zhang, "TAPAS", 2017). The first pass drew the pool from a static law, with
 * log Q₀ its log expected counts; the second brings the candidates near the model's own softmax.
 *
 * Stated: Q_k = S·e^{z_k}/Ẑ, S times the estimated softmax probability.
 * - Given the pool, entry k is expected S·w_k = Q_k/Q₀_k times, so Σ v/Q over the S candidates has the conditional mean Σ v/Q₀ over the pool, whose mean is
 *   Σ v over all classes: sums are unbiased for any S₀ ≥ 1, gradients of sums included. Σ e^z/Q over the S is Ẑ itself: the normaliser of the S is that of
 *   the pool.
 * - Q_k depends on the pool, and the mean count of a class, E[Σ_k S·w_k], has no closed form (a ratio). It differs from the mean of Q, and from
 *   S·softmax, by O(1/S₀): hence `biased`. As S₀ → ∞ it tends to S·softmax.
 * - An average of v under the softmax is estimated by Σ w·v over the pool, or by the plain mean of v over the S; both consistent, biased by O(1/S₀).
 *
 * Corrected logits z − log Q are all log Ẑ − log S: only the correction `partition` tells them from the target's.
 * Cost O(S₀ + S).
 * @param logits (S₀) z of the pool, after the temperature, finite or −∞ (never taken)
 * @param poolLogQ (S₀) natural log, finite
 * @param S at least 1
 * @param uniform in [0, 1), of an address of its own; it decides everything
 * @param positions receives S positions in the pool, ascending
 * @param logQ receives their log Q
 * @throws ShapeError, OptionError, NotFiniteError, SamplerError (no entry with a finite logit)
 */
export function resample(
  logits: ArrayLike<number>,
  poolLogQ: ArrayLike<number>,
  S: number,
  uniform: number,
  positions: Int32Array,
  logQ: Float64Array,
): Resampled {
  const pool = logits.length;
  requireInteger("S₀", pool, 1);
  requireInteger("S", S, 1);
  requireNumber("uniform", uniform, 0, 1 - 2 ** -53);
  requireLength("poolLogQ", poolLogQ.length, pool, "(S₀)");
  if (positions.length < S || logQ.length < S) {
    throw new ShapeError(`${S} candidates do not fit: positions has ${positions.length}, logQ ${logQ.length}`, {
      S,
      positions: positions.length,
      logQ: logQ.length,
    });
  }
  const greatest = greatestLogWeight(logits, poolLogQ);
  const weights = Float64Array.from(logits, (logit, k) => Math.exp(logit - poolLogQ[k] - greatest));
  let sum = 0;
  let squares = 0;
  for (const weight of weights) {
    sum += weight;
    squares += weight * weight;
  }
  const logNormaliser = greatest + Math.log(sum);
  drawSystematically(weights, 0, 1, pool, S, sum / S, uniform, 1);
  writePositions(weights, positions, S);
  for (let i = 0; i < S; i++) logQ[i] = Math.log(S) + logits[positions[i]] - logNormaliser;
  return { biased: true, logNormaliser, effectiveSize: (sum * sum) / squares };
}

/** Each position as often as it was drawn; if a point fell beside all weights by rounding, the last that was drawn once more. */
function writePositions(counts: Float64Array, positions: Int32Array, S: number): void {
  let taken = 0;
  for (let k = 0; k < counts.length; k++) {
    for (let i = 0; i < counts[k]; i++) positions[taken++] = k;
  }
  positions.fill(taken > 0 ? positions[taken - 1] : counts.length - 1, taken, S);
}

function greatestLogWeight(logits: ArrayLike<number>, poolLogQ: ArrayLike<number>): number {
  let greatest = -Infinity;
  for (let k = 0; k < logits.length; k++) {
    if (!(logits[k] < Infinity && Number.isFinite(poolLogQ[k]))) {
      throw new NotFiniteError(`entry ${k} of the pool has logit ${logits[k]} and log Q ${poolLogQ[k]}`, {
        index: k,
        logit: logits[k],
        logQ: poolLogQ[k],
      });
    }
    greatest = Math.max(greatest, logits[k] - poolLogQ[k]);
  }
  if (greatest > -Infinity) return greatest;
  throw new SamplerError(`all ${logits.length} logits of the pool are −∞: nothing can be taken`, {
    pool: logits.length,
  });
}
