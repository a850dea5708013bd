import type { KernelMemory } from "@logq/kernels";
import type { LossRows, LossTile } from "./tile-loss.js";

/**
 * Label smoothing gives every class ε/n, so it needs the mean of all n logits z, before corrections. With weights v_j/Q_j of the candidates, v_j being
 * how often class j was drawn and Q_j how often it was to be expected,
 *
 *     Σ_c z_c/n ≈ Σ_j v_j·z_j/(Q_j·n)
 *
 * without bias, for E v_j = Q_j, as long as all draws count, hits among them. 1/S in place of 1/(Q_j·n) would be a mean over whom the sampler prefers.
 *
 * To rows.total: the sum without 1/n, of a tile that still holds dot products. Since add is b/τ − log Q + log v, the logit before corrections is what the
 * loss sees less the log of the weight.
 */
export function addToTotals(
  { f32, f64 }: KernelMemory,
  { z, ld, C, scale, add, weight }: LossTile,
  { R, total }: LossRows,
): void {
  for (let c = 0; c < C; c++) {
    const w = f32[(weight >>> 2) + c];
    const shift = (add === 0 ? 0 : f32[(add >>> 2) + c]) - Math.log(w);
    for (let r = 0; r < R; r++) f64[(total >>> 3) + r] += w * (scale * f32[(z >>> 2) + c * ld + r] + shift);
  }
}

/** z ← z − uniform[r]·weight[c]: what smoothing takes off the gradients. */
export function subtractUniform({ f32 }: KernelMemory, { z, ld, C, weight }: LossTile, { R, uniform }: LossRows): void {
  for (let c = 0; c < C; c++) {
    const w = f32[(weight >>> 2) + c];
    for (let r = 0; r < R; r++) f32[(z >>> 2) + c * ld + r] -= f32[(uniform >>> 2) + r] * w;
  }
}
