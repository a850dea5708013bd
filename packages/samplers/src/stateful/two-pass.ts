import { NotFiniteError, requireInteger, requireLength, SamplerError, ShapeError } from "@logq/core";

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
 * The second of two passes: S of S₀ pool entries, with replacement, by self-normalised weights w_k = (e^{z_k}/Q₀_k)/Ẑ (sampling-importance resampling:
 * Rubin 1987; for softmax layers as in two-stage samplers such as Bai, Goldman, Zhang, "TAPAS", 2017). The first pass drew the pool from a static law, with
 * log Q₀ its log expected counts; the second brings the candidates near the model's own softmax.
 *
 * Stated: Q_k = S·e^{z_k}/Ẑ, S times the estimated softmax probability.
 * - Given the pool, entry k is expected S·w_k = Q_k/Q₀_k times, so Σ v/Q over the S candidates has the conditional mean Σ v/Q₀ over the pool, whose mean is
 *   Σ v over all classes: sums are unbiased for any S₀ ≥ 1, normaliser and gradients of sums included.
 * - Q_k depends on the pool, and the mean count of a class, E[Σ_k S·w_k], has no closed form (a ratio). It differs from the mean of Q, and from
 *   S·softmax, by O(1/S₀): hence `biased`. As S₀ → ∞ it tends to S·softmax.
 * - An average of v under the softmax is estimated by Σ w·v over the pool, or by the plain mean of v over the S; both consistent, biased by O(1/S₀).
 *
 * Corrected logits z − log Q are all log Ẑ − log S: only the correction `partition` tells them from the target's.
 * Cost O(S₀ + S·log S₀).
 * @param logits (S₀) z of the pool, after the temperature, finite or −∞ (never taken)
 * @param poolLogQ (S₀) natural log, finite
 * @param uniforms (S) in [0, 1), of an address of their own; they decide everything
 * @param positions receives S positions in the pool
 * @param logQ receives their log Q
 * @throws ShapeError, OptionError, NotFiniteError, SamplerError (no entry with a finite logit)
 */
export function resample(
  logits: ArrayLike<number>,
  poolLogQ: ArrayLike<number>,
  uniforms: ArrayLike<number>,
  positions: Int32Array,
  logQ: Float64Array,
): Resampled {
  const pool = logits.length;
  const S = uniforms.length;
  requireInteger("S₀", pool, 1);
  requireInteger("S", S, 1);
  requireLength("poolLogQ", poolLogQ.length, pool, "(S₀)");
  if (positions.length < S || logQ.length < S) {
    throw new ShapeError(`${S} candidates do not fit: positions has ${positions.length}, logQ ${logQ.length}`, {
      S,
      positions: positions.length,
      logQ: logQ.length,
    });
  }
  const greatest = greatestLogWeight(logits, poolLogQ);
  const running = new Float64Array(pool);
  let sum = 0;
  let squares = 0;
  for (let k = 0; k < pool; k++) {
    const weight = Math.exp(logits[k] - poolLogQ[k] - greatest);
    sum += weight;
    squares += weight * weight;
    running[k] = sum;
  }
  const logNormaliser = greatest + Math.log(sum);
  for (let i = 0; i < S; i++) {
    // u ≤ 1 − 2^−53, so the product lies below the sum after rounding as well.
    const k = firstAbove(running, uniforms[i] * sum);
    positions[i] = k;
    logQ[i] = Math.log(S) + logits[k] - logNormaliser;
  }
  return { biased: true, logNormaliser, effectiveSize: (sum * sum) / squares };
}

/** The first index whose running sum lies above x: an entry of weight 0 is never it. */
function firstAbove(running: Float64Array, x: number): number {
  let low = 0;
  let high = running.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (running[middle] > x) high = middle;
    else low = middle + 1;
  }
  return low;
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
