import type { Kernels } from "@logq/kernels";
import { sigmoid, softplus } from "./functions.js";
import type { LossPositives, LossRows, LossTile, PairwiseLoss } from "./tile-loss.js";

/**
 * Bayesian personalised ranking (Rendle et al. 2009, section 4.1) without its prior: of one row, with labels l of mass m_l and candidates j of
 * weight v_j among S draws, all pairs of a label and a candidate, as a mean over the draws:
 *
 *     y = scale·h·w + add
 *     ℓ = Σ_l m_l·(1/S)·Σ_j v_j·softplus(y_j − y_l)
 *     dℓ/d(h·w_j) = scale·(v_j/S)·Σ_l m_l·σ(y_j − y_l),  dℓ/d(h·w_l) = −scale·(m_l/S)·Σ_j v_j·σ(y_j − y_l)
 *
 * A row with a single label is one of the logistic losses after its label's logit is taken off, and goes through the same kernel. Rows of a block in which
 * some row has several are walked pair by pair.
 */
export function rankingLoss(kernels: Kernels): PairwiseLoss {
  const { tile: kernel, memory } = kernels;
  const { f32, f64, i32 } = memory;

  function massOf({ mass }: LossPositives, l: number): number {
    return mass === 0 ? 1 : f32[(mass >>> 2) + l];
  }

  function labelLogit({ dot, add }: LossPositives, l: number, scale: number): number {
    return scale * f32[(dot >>> 2) + l] + (add === 0 ? 0 : f32[(add >>> 2) + l]);
  }

  function haveOneLabel({ offsets }: LossPositives, R: number): boolean {
    for (let r = 0; r < R; r++) if (i32[(offsets >>> 2) + r + 1] - i32[(offsets >>> 2) + r] > 1) return false;
    return true;
  }

  /** Rows of at most one label: rows.max holds what is taken off the tile, rows.total the sums of its gradients. */
  function singles({ z, ld, C, scale, add, weight }: LossTile, positives: LossPositives, rows: LossRows): void {
    const { R, max, total, coefficient, loss } = rows;
    const offsets = positives.offsets >>> 2;
    for (let r = 0; r < R; r++) {
      const l = i32[offsets + r];
      const has = l < i32[offsets + r + 1];
      const share = has ? (f32[(rows.weight >>> 2) + r] * massOf(positives, l)) / rows.draws : 0;
      f32[(coefficient >>> 2) + r] = rows.scale * share;
      f32[(max >>> 2) + r] = share === 0 ? 0 : labelLogit(positives, l, rows.scale) / scale;
      f64[(loss >>> 3) + r] = 0;
      f64[(total >>> 3) + r] = 0;
    }
    kernel.subtractPerRow(z, ld, C, R, max);
    kernel.logisticTile(z, ld, C, R, scale, add, weight, coefficient, loss);
    kernel.sumOverClasses(total, z, ld, C, R);
    for (let r = 0; r < R; r++) {
      const l = i32[offsets + r];
      if (l < i32[offsets + r + 1]) f32[(positives.dot >>> 2) + l] = -f64[(total >>> 3) + r];
      f64[(loss >>> 3) + r] *= f32[(coefficient >>> 2) + r] / rows.scale;
    }
  }

  /** Row r, however many labels it has: the label's pulls are summed beside, for their logits are needed until the last candidate. */
  function pairsOfRow(tile: LossTile, positives: LossPositives, rows: LossRows, r: number): number {
    const { z, ld, C, scale, add, weight } = tile;
    const first = i32[(positives.offsets >>> 2) + r];
    const end = i32[(positives.offsets >>> 2) + r + 1];
    const share = f32[(rows.weight >>> 2) + r] / rows.draws;
    const [dot, pull] = [positives.dot >>> 2, positives.pull >>> 3];
    f64.fill(0, pull + first, pull + end);
    let loss = 0;
    for (let c = 0; c < C; c++) {
      const at = (z >>> 2) + c * ld + r;
      const y = scale * f32[at] + (add === 0 ? 0 : f32[(add >>> 2) + c]);
      const v = weight === 0 ? 1 : f32[(weight >>> 2) + c];
      let slope = 0;
      for (let l = first; l < end && share !== 0; l++) {
        const m = massOf(positives, l);
        const difference = y - labelLogit(positives, l, rows.scale);
        const pair = m * v * sigmoid(difference);
        loss += m * v * softplus(difference);
        slope += pair;
        f64[pull + l] += pair;
      }
      f32[at] = rows.scale * share * slope;
    }
    for (let l = first; l < end; l++) f32[dot + l] = -rows.scale * share * f64[pull + l];
    return share === 0 ? 0 : share * loss;
  }

  return {
    kind: "pairwise",
    labelsInTiles: false,
    pairs(tile, positives, rows) {
      if (haveOneLabel(positives, rows.R)) {
        singles(tile, positives, rows);
        return;
      }
      for (let r = 0; r < rows.R; r++) f64[(rows.loss >>> 3) + r] = pairsOfRow(tile, positives, rows, r);
    },
  };
}
