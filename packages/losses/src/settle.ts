import type { Address, Kernels } from "@logq/kernels";
import { type LabelMargin, NO_MARGIN } from "./margin.js";
import { capped, capSlope } from "./soft-cap.js";
import type { LossPositives, LossRows, NormalisedLoss } from "./tile-loss.js";

type Settle = NormalisedLoss["settle"];

/** Of a softmax over all classes, whose labels are in the tiles, or over labels and candidates, whose labels are `apart` from them. */
export interface SettleOptions {
  readonly apart: boolean;
  readonly zLoss: number;
}

export interface BentOptions extends SettleOptions {
  /** c; 0: none */
  readonly cap: number;
  readonly margin?: LabelMargin | undefined;
}

/** Rows with labels as they are, all of a block at once. `classes` is n. */
export function settleSoftmax(
  { tile }: Kernels,
  classes: number,
  { apart, zLoss, smoothing }: SettleOptions & { readonly smoothing: number },
): Settle {
  return ({ offsets, dot, add, mass }, rows) => {
    const { R, scale, weight, max, sum, total, lse, coefficient, uniform, loss } = rows;
    tile.settleSoftmax(
      offsets,
      dot,
      add,
      mass,
      apart,
      R,
      scale,
      weight,
      max,
      sum,
      zLoss,
      smoothing,
      classes,
      total,
      lse,
      coefficient,
      uniform,
      loss,
    );
  };
}

/** The same, one by one, for labels that a soft cap or a margin bends: z = cap·tanh((scale·g(h·w) + inner)/cap) + add. Without smoothing. */
export function settleBent(kernels: Kernels, { apart, zLoss, cap, margin = NO_MARGIN }: BentOptions): Settle {
  const { f32, f64, i32 } = kernels.memory;

  function at(vector: Address, l: number): number {
    return vector === 0 ? 0 : f32[(vector >>> 2) + l];
  }

  /** The logit of a label before what corrections add: biases of labels that are in the tiles are capped with it. */
  function scoreOf({ dot, add, inner }: LossPositives, l: number, scale: number): number {
    return capped(scale * margin.cosine(at(dot, l)) + at(apart ? inner : add, l), cap);
  }

  function correctionOf({ add }: LossPositives, l: number): number {
    return apart ? at(add, l) : 0;
  }

  /** log(e^{max}·sum + Σ_l e^{z_l}), the labels of row r folded in if they are apart. */
  function logPartition(positives: LossPositives, rows: LossRows, r: number): number {
    let max = f32[(rows.max >>> 2) + r];
    let sum = f64[(rows.sum >>> 3) + r];
    const end = i32[(positives.offsets >>> 2) + r + 1];
    for (let l = i32[(positives.offsets >>> 2) + r]; l < end && apart; l++) {
      const z = scoreOf(positives, l, rows.scale) + correctionOf(positives, l);
      const greater = Math.max(max, z);
      sum = sum * Math.exp(max - greater) + Math.exp(z - greater);
      max = greater;
    }
    return max + Math.log(sum);
  }

  return (positives, rows) => {
    for (let r = 0; r < rows.R; r++) {
      const weight = f32[(rows.weight >>> 2) + r];
      const M = weight === 0 ? 0 : massOf(f32, i32, positives, r);
      if (M === 0) {
        ignoreRow(kernels, positives, rows, r);
        continue;
      }
      const lse = logPartition(positives, rows, r);
      const slope = rows.scale * weight;
      const pull = M + 2 * zLoss * lse;
      let loss = zLoss * lse * lse;
      const end = i32[(positives.offsets >>> 2) + r + 1];
      for (let l = i32[(positives.offsets >>> 2) + r]; l < end; l++) {
        const score = scoreOf(positives, l, rows.scale);
        const z = score + correctionOf(positives, l);
        const mass = positives.mass === 0 ? 1 : at(positives.mass, l);
        loss += mass * (lse - z);
        const bend = capSlope(score, cap) * margin.slope(at(positives.dot, l));
        f32[(positives.dot >>> 2) + l] = slope * bend * ((apart ? pull * Math.exp(z - lse) : 0) - mass);
      }
      f32[(rows.lse >>> 2) + r] = lse;
      f32[(rows.coefficient >>> 2) + r] = slope * pull;
      f64[(rows.loss >>> 3) + r] = weight * loss;
    }
  };
}

/** Σ of the masses of row r's labels; 0 without labels. */
function massOf(f32: Float32Array, i32: Int32Array, { offsets, mass }: LossPositives, r: number): number {
  const first = i32[(offsets >>> 2) + r];
  const end = i32[(offsets >>> 2) + r + 1];
  if (mass === 0) return end - first;
  let sum = 0;
  for (let l = first; l < end; l++) sum += f32[(mass >>> 2) + l];
  return sum;
}

/** Writes loss and gradients of a row that does not count. A coefficient of 0 makes the tile's gradients 0 whatever the logits are. */
function ignoreRow({ memory }: Kernels, positives: LossPositives, rows: LossRows, r: number): void {
  const { f32, f64, i32 } = memory;
  f32[(rows.lse >>> 2) + r] = 0;
  f32[(rows.coefficient >>> 2) + r] = 0;
  f64[(rows.loss >>> 3) + r] = 0;
  const dot = positives.dot >>> 2;
  f32.fill(0, dot + i32[(positives.offsets >>> 2) + r], dot + i32[(positives.offsets >>> 2) + r + 1]);
}
