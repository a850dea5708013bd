import type { Kernels } from "@logq/kernels";
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
 * some row has several are walked row by row, each with all its pairs in one kernel.
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

  /**
   * Row r, however many labels it has. Until the last candidate has met them, `dot` holds the labels' logits, and `pull` sums what candidates do to each.
   * A row that counts nothing is emptied without a look at its logits, which may be anything.
   */
  function pairsOfRow(
    { z, ld, C, scale, add, weight }: LossTile,
    of: LossPositives,
    rows: LossRows,
    r: number,
  ): number {
    const first = i32[(of.offsets >>> 2) + r];
    const T = i32[(of.offsets >>> 2) + r + 1] - first;
    const share = f32[(rows.weight >>> 2) + r] / rows.draws;
    const column = z + 4 * r;
    const [dot, pull] = [of.dot >>> 2, of.pull >>> 3];
    if (share === 0) {
      for (let c = 0; c < C; c++) f32[(column >>> 2) + c * ld] = 0;
      f32.fill(0, dot + first, dot + first + T);
      return 0;
    }
    for (let l = first; l < first + T; l++) {
      f32[dot + l] = labelLogit(of, l, rows.scale);
      f64[pull + l] = 0;
    }
    const labels = of.dot + 4 * first;
    const mass = of.mass === 0 ? 0 : of.mass + 4 * first;
    const pullAt = of.pull + 8 * first;
    const coefficient = rows.scale * share;
    const loss = kernel.logisticPairs(column, ld, C, scale, add, weight, labels, mass, T, coefficient, pullAt);
    for (let l = first; l < first + T; l++) f32[dot + l] = -coefficient * f64[pull + l];
    return share * loss;
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
