import { requireLength } from "@logq/core";

/** How far a proposal q is from p = softmax(logits). */
export interface Divergence {
  /** KL(p ‖ q) in nats: 0 if they are equal, +∞ if q misses a class of p. */
  readonly kl: number;
  /** log2 Σ p²/q, in bits: 2 to its power is how many more candidates importance sampling needs than if it drew from p. */
  readonly chiSquared: number;
}

/**
 * By enumeration, in float64, in O(n): for reports and tests.
 * @param logits (n) of a row, temperature divided
 * @param logQ (n), natural log of S·q of every class for that row, as `ContextualSampler.logQ` tells
 * @throws ShapeError if they differ in length
 */
export function divergenceFromSoftmax(logits: ArrayLike<number>, logQ: ArrayLike<number>, S: number): Divergence {
  const n = logits.length;
  requireLength("logQ", logQ.length, n, "(n)");
  let greatest = -Infinity;
  for (let id = 0; id < n; id++) greatest = Math.max(greatest, logits[id]);
  let sum = 0;
  for (let id = 0; id < n; id++) sum += Math.exp(logits[id] - greatest);
  const logSum = greatest + Math.log(sum);
  const logS = Math.log(S);
  let kl = 0;
  let ratio = 0;
  for (let id = 0; id < n; id++) {
    const logP = logits[id] - logSum;
    const p = Math.exp(logP);
    if (p === 0) continue;
    const difference = logP - (logQ[id] - logS);
    kl += p * difference;
    ratio += p * Math.exp(difference);
  }
  return { kl, chiSquared: Math.log2(ratio) };
}
