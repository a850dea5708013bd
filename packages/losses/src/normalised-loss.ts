import type { Kernels } from "@logq/kernels";
import type { LabelMargin } from "./margin.js";
import { addToTotals, subtractUniform } from "./sampled-smoothing.js";
import { settleBent, settleSoftmax } from "./settle.js";
import type { LossRows, NormalisedLoss } from "./tile-loss.js";

/** What a full softmax may have beside its labels. */
export interface FullSoftmaxOptions {
  /** ε. Not together with a cap. */
  readonly smoothing?: number;
  readonly zLoss?: number;
  /** c; 0: none */
  readonly cap?: number;
}

/**
 * The cross-entropy of the softmax over all classes, for one row with labels l of mass y_l (M = Σ y_l, normally 1):
 *
 *     z_c = scale·h·w_c + add_c
 *     ℓ = Σ_l (1−ε)·y_l·(lse − z_l) + ε·M·(lse − Σ_c z_c / n)          lse = log Σ_c e^{z_c}
 *     dℓ/d(h·w_c) = scale·(M·e^{z_c − lse} − (1−ε)·y_c − ε·M/n)
 *
 * The labels are classes of the tiles, so `settle` answers their part −scale·weight·(1−ε)·y_l alone and the engine adds it to the tile's
 * gradient. ε = smoothing is label smoothing (Szegedy et al. 2016, section 7): Σ z and ε/n run over all n classes wherever they live, so the value does
 * not depend on how classes are cut into tiles and lanes.
 *
 * A row's zLoss·lse² is added to ℓ, which makes M in front of the exponential M + 2·zLoss·lse (`LossSpec.zLoss`). With a soft cap c the z_c are capped
 * (`capped`), and every derivative has the cap's as a factor: in tiles it is multiplied into the exponentials.
 */
export function fullSoftmaxLoss(
  kernels: Kernels,
  classes: number,
  { smoothing = 0, zLoss = 0, cap = 0 }: FullSoftmaxOptions = {},
): NormalisedLoss {
  const { tile: kernel, memory } = kernels;
  const { f64 } = memory;

  function begin(rows: LossRows): void {
    kernel.clearPartials(rows.max, rows.sum, rows.R);
    if (smoothing > 0) f64.fill(0, rows.total >>> 3, (rows.total >>> 3) + rows.R);
  }

  function fold(into: LossRows, from: LossRows): void {
    kernel.foldPartials(into.max, into.sum, from.max, from.sum, into.R);
    if (smoothing === 0) return;
    for (let r = 0; r < into.R; r++) f64[(into.total >>> 3) + r] += f64[(from.total >>> 3) + r];
  }

  return {
    kind: "normalised",
    labelsInTiles: true,
    begin,
    fold,
    settle:
      cap > 0
        ? settleBent(kernels, { apart: false, zLoss, cap })
        : settleSoftmax(kernels, classes, { apart: false, zLoss, smoothing }),
    partials({ z, ld, C, scale, add }, rows) {
      if (cap > 0) kernel.softCap(z, ld, C, rows.R, scale, add, cap);
      kernel.softmaxPartials(z, ld, C, rows.R, cap > 0 ? 1 : scale, cap > 0 ? 0 : add, rows.max, rows.sum);
      if (smoothing > 0) kernel.sumOverClasses(rows.total, z, ld, C, rows.R);
    },
    exponentials({ z, ld, C, scale, add }, { R, max, sum, decay, total, blocks, ldBlocks }) {
      const sums = smoothing > 0 ? total : 0;
      if (cap === 0)
        return kernel.softmaxExponentials(z, ld, C, R, scale, add, max, sum, decay, sums, blocks, ldBlocks);
      kernel.softCap(z, ld, C, R, scale, add, cap);
      const moved = kernel.softmaxExponentials(z, ld, C, R, 1, 0, max, sum, decay, 0, blocks, ldBlocks);
      kernel.softCapSlopes(z, ld, C, R, max, 0, 0, cap);
      return moved;
    },
    gradient({ z, ld, C }, rows) {
      kernel.softmaxGradient(z, ld, C, rows.R, rows.lse, rows.coefficient);
      if (cap > 0) kernel.softCapSlopes(z, ld, C, rows.R, rows.lse, rows.coefficient, 0, cap);
      if (smoothing > 0) kernel.subtractPerRow(z, ld, C, rows.R, rows.uniform);
    },
  };
}

/** What a sampled softmax may have beside its labels and candidates. */
export interface SampledSoftmaxOptions {
  readonly zLoss?: number;
  /** ε. Not together with a cap. */
  readonly smoothing?: number;
  /** c; 0: none. Not together with a margin. */
  readonly cap?: number;
  /** Of tiles; 0 where the caller caps them element by element. Default: cap. */
  readonly tileCap?: number;
  /** Not together with smoothing. */
  readonly margin?: LabelMargin;
}

/**
 * The softmax over a row's labels and the candidates drawn for it (Jean et al. 2015; Jozefowicz et al. 2016, section 3.1):
 *
 *     z_j = scale·h·w_j + add_j, of candidates and labels          (add holds bias/τ − log Q + log multiplicity: see `candidateTerms`)
 *     lse = log(Σ_l e^{z_l} + Σ_j e^{z_j}), ℓ = Σ_l y_l·(lse − z_l), M = Σ y_l
 *     dℓ/d(h·w_j) = scale·M·e^{z_j − lse} of a candidate, scale·(M·e^{z_l − lse} − y_l) of a label
 *
 * Each label enters the partition once, beside those of its own draws that were kept. zLoss·lse² is added to ℓ as it is over all classes, but lse is
 * that of the labels and candidates: an estimate only where the correction makes it one.
 *
 * With label smoothing ε, ℓ = (1−ε)·Σ_l y_l·(lse − z_l) + ε·M·(lse − z̄), z̄ being an estimate of the mean of all n logits before corrections
 * (`addToTotals`). The estimate is without bias; lse is that of labels and candidates, so that value and optimum are those of all classes for S → ∞ only.
 *
 * With a soft cap c, z = c·tanh((scale·h·w + inner)/c) + add: biases are capped with the dot product and stand in `inner`, corrections come after.
 *
 * With a margin g, on cosines, z_l = scale·g(h·w_l) + add_l, of the labels alone, and their derivatives have its slope as a factor. Over all classes
 * it is CosFace and ArcFace, their labels' logits being left out of the tiles; over sampled ones PartialFC (An et al. 2022).
 */
export function sampledSoftmaxLoss(
  kernels: Kernels,
  classes: number,
  { zLoss = 0, smoothing = 0, cap = 0, tileCap = cap, margin }: SampledSoftmaxOptions = {},
): NormalisedLoss {
  const { tile: kernel, memory } = kernels;
  const { f64 } = memory;

  return {
    kind: "normalised",
    labelsInTiles: false,
    settle:
      cap > 0 || margin !== undefined
        ? settleBent(kernels, { apart: true, zLoss, cap, margin })
        : settleSoftmax(kernels, classes, { apart: true, zLoss, smoothing }),
    begin(rows) {
      kernel.clearPartials(rows.max, rows.sum, rows.R);
      if (smoothing > 0) f64.fill(0, rows.total >>> 3, (rows.total >>> 3) + rows.R);
    },
    fold(into, from) {
      kernel.foldPartials(into.max, into.sum, from.max, from.sum, into.R);
      if (smoothing === 0) return;
      for (let r = 0; r < into.R; r++) f64[(into.total >>> 3) + r] += f64[(from.total >>> 3) + r];
    },
    partials(tile, rows) {
      if (smoothing > 0) addToTotals(memory, tile, rows);
      const { z, ld, C, scale, inner, add } = tile;
      if (tileCap > 0) kernel.softCap(z, ld, C, rows.R, scale, inner, tileCap);
      kernel.softmaxPartials(z, ld, C, rows.R, tileCap > 0 ? 1 : scale, add, rows.max, rows.sum);
    },
    exponentials(tile, rows) {
      if (smoothing > 0) addToTotals(memory, tile, rows);
      const { z, ld, C, scale, inner, add } = tile;
      const { R, max, sum, decay, blocks, ldBlocks } = rows;
      if (tileCap > 0) kernel.softCap(z, ld, C, R, scale, inner, tileCap);
      const left = tileCap > 0 ? 1 : scale;
      const moved = kernel.softmaxExponentials(z, ld, C, R, left, add, max, sum, decay, 0, blocks, ldBlocks);
      if (tileCap > 0) kernel.softCapSlopes(z, ld, C, R, max, 0, add, tileCap);
      return moved;
    },
    gradient(tile, rows) {
      const { z, ld, C, add } = tile;
      kernel.softmaxGradient(z, ld, C, rows.R, rows.lse, rows.coefficient);
      if (tileCap > 0) kernel.softCapSlopes(z, ld, C, rows.R, rows.lse, rows.coefficient, add, tileCap);
      if (smoothing > 0) subtractUniform(memory, tile, rows);
    },
  };
}
