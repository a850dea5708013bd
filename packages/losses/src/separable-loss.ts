import type { Kernels } from "@logq/kernels";
import { sigmoid, softplus } from "./functions.js";
import type { LossPositives, LossRows, SeparableLoss } from "./tile-loss.js";

/**
 * What a label with logit y and mass m adds to the loss of its row and to dℓ/dy, beyond what the tiles hold.
 *
 * - classifier: −m·log σ(y), slope −m·σ(−y). The labels of NCE and its relatives are outside the tiles
 * - correction: −m·y, slope −m. The tiles hold softplus(y) of the labels already, and softplus(y) − y = softplus(−y)
 * - indicator: softplus(y) − m·y, slope σ(y) − m. The binary cross-entropy of a label that is outside the tiles
 */
export type LabelTerm = "classifier" | "correction" | "indicator";

/**
 * The logistic losses: of one row, with candidates (or classes) j of weight v_j and labels l of mass m_l,
 *
 *     y = scale·h·w + add
 *     ℓ = f·Σ_j v_j·softplus(y_j) + Σ_l term(y_l, m_l)
 *     dℓ/d(h·w_j) = scale·f·v_j·σ(y_j)
 *
 * f is the row's `tileFactor`, 1 unless candidates are counted by labels (`LossSpec.negativesPerLabel`).
 *
 * Written with −log σ(x) = softplus(−x) throughout: nothing overflows, and no logit is clipped or dropped however great it is.
 */
export function logisticLoss(kernels: Kernels, term: LabelTerm): SeparableLoss {
  const { tile: kernel, memory } = kernels;
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
      loss += labelLoss(term, y, m);
      f32[at] = slope * labelSlope(term, y, m);
    }
    return loss;
  }

  return {
    kind: "separable",
    labelsInTiles: term === "correction",

    begin(rows) {
      for (let r = 0; r < rows.R; r++) {
        f64[(rows.loss >>> 3) + r] = 0;
        f32[(rows.coefficient >>> 2) + r] = rows.scale * f32[(rows.weight >>> 2) + r] * factorOf(rows, r);
      }
    },

    fold(into, from) {
      for (let r = 0; r < into.R; r++) f64[(into.loss >>> 3) + r] += f64[(from.loss >>> 3) + r];
    },

    tile({ z, ld, C, scale, add, weight }, rows: LossRows) {
      kernel.logisticTile(z, ld, C, rows.R, scale, add, weight, rows.coefficient, rows.loss);
    },

    settle(positives, rows) {
      for (let r = 0; r < rows.R; r++) {
        const weight = f32[(rows.weight >>> 2) + r];
        if (weight === 0) {
          const dot = positives.dot >>> 2;
          f32.fill(0, dot + i32[(positives.offsets >>> 2) + r], dot + i32[(positives.offsets >>> 2) + r + 1]);
          f64[(rows.loss >>> 3) + r] = 0;
          continue;
        }
        const labels = settleLabels(positives, r, rows.scale, rows.scale * weight);
        f64[(rows.loss >>> 3) + r] = weight * (factorOf(rows, r) * f64[(rows.loss >>> 3) + r] + labels);
      }
    },
  };
}

function labelLoss(term: LabelTerm, y: number, m: number): number {
  if (term === "correction") return -m * y;
  if (term === "classifier" || m === 1) return m * softplus(-y);
  return m * softplus(-y) + (1 - m) * softplus(y);
}

function labelSlope(term: LabelTerm, y: number, m: number): number {
  if (term === "correction") return -m;
  if (term === "classifier" || m === 1) return -m * sigmoid(-y);
  return (1 - m) * sigmoid(y) - m * sigmoid(-y);
}
