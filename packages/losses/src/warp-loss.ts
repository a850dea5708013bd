import type { Kernels } from "@logq/kernels";
import { harmonic } from "./functions.js";
import type { LossPositives, LossRows, LossTile, PairwiseLoss } from "./tile-loss.js";

/** How far a label must stand above a candidate, in logits. */
const MARGIN = 1;

/** (√5 − 1)/2: multiples of it, modulo 1, are spread more evenly than those of any other number. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * The weighted approximate-rank pairwise loss (Weston, Bengio and Usunier 2011, WSABIE, algorithm 1): each label of a row meets the row's candidates in
 * order until, at the N-th try, one is not below it by 1. How soon that happens tells the label's rank among n classes, ⌊(n − 1)/N⌋, and
 * the pair costs the more the worse the rank is, with L(k) = 1 + 1/2 + … + 1/k:
 *
 *     y = scale·h·w + add
 *     ℓ = Σ_l m_l·L(⌊(n − 1)/N_l⌋)·(1 − y_l + y_j),  j the candidate of the N_l-th try; 0 if none of the candidates violates
 *     dℓ/d(h·w_j) = scale·m_l·L(…) = −dℓ/d(h·w_l)
 *
 * Candidates that take no part (logits of −∞) are skipped and are no tries. The estimate supposes that classes are drawn uniformly.
 *
 * Rows' own candidates are met in the order in which they were drawn. Of candidates that rows share, duplicates are merged and the order is lost, so rows
 * walk them each in an order of its own: from a start that depends on the row's place in the batch and the label's in the row, in steps of about
 * 0.618·C, coprime to C. Merged candidates stand in the order of their ids, so neighbours are alike; the steps spread each stretch of tries over all of them.
 * A class drawn c times stands for c tries: of equal draws the first decides, the others matter to those that come after.
 */
export function warpLoss({ memory }: Kernels, classes: number): PairwiseLoss {
  const { f32, f64, i32 } = memory;

  /** Writes what label l makes of the candidates: slope −Σ∂ℓ/∂y_l to its dot product, the violator's place in the tile to its pull. Answers its loss. */
  function search(
    tile: LossTile,
    positives: LossPositives,
    rows: LossRows,
    r: number,
    l: number,
    share: number,
  ): number {
    const { z, ld, C, scale, add, weight } = tile;
    const at = (positives.dot >>> 2) + l;
    const label = rows.scale * f32[at] + (positives.add === 0 ? 0 : f32[(positives.add >>> 2) + l]);
    const mass = positives.mass === 0 ? 1 : f32[(positives.mass >>> 2) + l];
    const ordered = weight === 0;
    const step = ordered ? 1 : strideOf(C);
    let c = ordered ? 0 : startOf(rows.first + r, l - i32[(positives.offsets >>> 2) + r], C);
    let tries = 0;
    f32[at] = 0;
    for (let seen = 0; seen < C; seen++) {
      const y = scale * f32[(z >>> 2) + c * ld + r] + (add === 0 ? 0 : f32[(add >>> 2) + c]);
      // Written so that a NaN is a violation and shows.
      if (y !== -Infinity && !(y <= label - MARGIN)) {
        const pairWeight = share * mass * harmonic(Math.floor((classes - 1) / (tries + 1)));
        f32[at] = -rows.scale * pairWeight;
        f64[(positives.pull >>> 3) + l] = c;
        return pairWeight * (MARGIN - label + y);
      }
      if (y !== -Infinity) tries += ordered ? 1 : f32[(weight >>> 2) + c];
      c += step;
      if (c >= C) c -= C;
    }
    return 0;
  }

  function pairsOfRow(tile: LossTile, positives: LossPositives, rows: LossRows, r: number): number {
    const { z, ld, C } = tile;
    const share = f32[(rows.weight >>> 2) + r];
    const first = i32[(positives.offsets >>> 2) + r];
    const end = i32[(positives.offsets >>> 2) + r + 1];
    const dot = positives.dot >>> 2;
    let loss = 0;
    for (let l = first; l < end && share !== 0; l++) loss += search(tile, positives, rows, r, l, share);
    if (share === 0) f32.fill(0, dot + first, dot + end);
    for (let c = 0; c < C; c++) f32[(z >>> 2) + c * ld + r] = 0;
    for (let l = first; l < end; l++) {
      if (f32[dot + l] !== 0) f32[(z >>> 2) + f64[(positives.pull >>> 3) + l] * ld + r] -= f32[dot + l];
    }
    return loss;
  }

  return {
    kind: "pairwise",
    labelsInTiles: false,
    pairs(tile, positives, rows) {
      for (let r = 0; r < rows.R; r++) f64[(rows.loss >>> 3) + r] = pairsOfRow(tile, positives, rows, r);
    },
  };
}

/** Where label number `label` of row `row` of the batch begins among C shared candidates. */
function startOf(row: number, label: number, C: number): number {
  const turns = (row + label) * GOLDEN * GOLDEN;
  return Math.floor((turns - Math.floor(turns)) * C);
}

/** The least step from ⌊0.618·C⌋ on, 1 at least, that is coprime to C: by it all C are met. */
function strideOf(C: number): number {
  let step = Math.max(1, Math.floor(GOLDEN * C));
  while (divisorOf(step, C) > 1) step++;
  return step;
}

function divisorOf(a: number, b: number): number {
  return b === 0 ? a : divisorOf(b, a % b);
}
