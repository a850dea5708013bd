import type { Kernels } from "@logq/kernels";
import { type LabelTerm, SHORTFALL_TERM } from "./label-terms.js";
import type { LossPositives, LossRows, LossTile, SeparableLoss } from "./tile-loss.js";

/**
 * The logistic losses: of one row, with candidates (or classes) j of weight v_j and labels l of mass m_l,
 *
 *     y = scale·h·w + add
 *     ℓ = f·Σ_j v_j·softplus(y_j) + g·Σ_l term(y_l, m_l)
 *     dℓ/d(h·w_j) = scale·f·v_j·σ(y_j)
 *
 * f is the row's `tileFactor`, 1 unless candidates are counted by labels (`tileFactorOf`); g follows from the number of draws, 1 by default.
 *
 * Written with −log σ(x) = softplus(−x) throughout: nothing overflows, and no logit is clipped or dropped however great it is.
 */
export function logisticLoss(kernels: Kernels, term: LabelTerm, labelFactor: LabelFactor = once): SeparableLoss {
  const { tile } = kernels;
  return separableLoss(kernels, term, labelFactor, ({ z, ld, C, scale, add, weight }, { R, coefficient, loss }) => {
    tile.logisticTile(z, ld, C, R, scale, add, weight, coefficient, loss);
  });
}

/**
 * The cosine contrastive loss (Mao et al. 2021, SimpleX, equation 4), y being cosines and m its margin:
 *
 *     ℓ = Σ_l m_l·(1 − y_l) + f·Σ_j v_j·max(0, y_j − m)          f = w·M/S, M = Σ m_l
 *     dℓ/d(h·w_j) = scale·f·v_j where y_j > m, else 0
 */
export function contrastiveLoss(kernels: Kernels, margin: number): SeparableLoss {
  const { tile } = kernels;
  return separableLoss(kernels, SHORTFALL_TERM, once, ({ z, ld, C, scale, add, weight }, { R, coefficient, loss }) => {
    tile.hingeTile(z, ld, C, R, scale, add, weight, margin, coefficient, loss);
  });
}

/** How often labels count, by the number of draws. */
type LabelFactor = (draws: number) => number;

const once: LabelFactor = () => 1;

/** Adds a tile's values to rows.loss and turns its logits into gradients, by rows.coefficient. */
type TileValues = (tile: LossTile, rows: LossRows) => void;

function separableLoss(
  { memory }: Kernels,
  term: LabelTerm,
  labelFactor: LabelFactor,
  tile: TileValues,
): SeparableLoss {
  const { f32, f64, i32 } = memory;

  function factorOf({ tileFactor }: LossRows, r: number): number {
    return tileFactor === 0 ? 1 : f32[(tileFactor >>> 2) + r];
  }

  /** The loss of row r's labels; their dot products become slope·dterm/dy. */
  function settleLabels(positives: LossPositives, r: number, scale: number, slope: number): number {
    let loss = 0;
    const end = i32[(positives.offsets >>> 2) + r + 1];
    for (let l = i32[(positives.offsets >>> 2) + r]; l < end; l++) {
      const at = (positives.dot >>> 2) + l;
      const m = positives.mass === 0 ? 1 : f32[(positives.mass >>> 2) + l];
      const y = scale * f32[at] + (positives.add === 0 ? 0 : f32[(positives.add >>> 2) + l]);
      loss += term.loss(y, m);
      f32[at] = slope * term.slope(y, m);
    }
    return loss;
  }

  return {
    kind: "separable",
    labelsInTiles: term.inTiles,
    tile,

    begin(rows) {
      for (let r = 0; r < rows.R; r++) {
        f64[(rows.loss >>> 3) + r] = 0;
        f32[(rows.coefficient >>> 2) + r] = rows.scale * f32[(rows.weight >>> 2) + r] * factorOf(rows, r);
      }
    },

    fold(into, from) {
      for (let r = 0; r < into.R; r++) f64[(into.loss >>> 3) + r] += f64[(from.loss >>> 3) + r];
    },

    settle(positives, rows) {
      const factor = labelFactor(rows.draws);
      for (let r = 0; r < rows.R; r++) {
        const weight = f32[(rows.weight >>> 2) + r];
        if (weight === 0) {
          const dot = positives.dot >>> 2;
          f32.fill(0, dot + i32[(positives.offsets >>> 2) + r], dot + i32[(positives.offsets >>> 2) + r + 1]);
          f64[(rows.loss >>> 3) + r] = 0;
          continue;
        }
        const labels = factor * settleLabels(positives, r, rows.scale, rows.scale * weight * factor);
        f64[(rows.loss >>> 3) + r] = weight * (factorOf(rows, r) * f64[(rows.loss >>> 3) + r] + labels);
      }
    },
  };
}
