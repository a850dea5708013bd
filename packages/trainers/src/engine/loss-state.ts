import type { Address, KernelMemory } from "@logq/kernels";
import { type LossPositives, type LossRows, tileFactorOf } from "@logq/losses";
import type { TrainingSpec } from "./spec.js";

/** A description of rows that points nowhere yet. */
export function lossRows(scale: number): LossRows {
  return {
    R: 0,
    draws: 0,
    first: 0,
    scale,
    weight: 0,
    loss: 0,
    coefficient: 0,
    max: 0,
    sum: 0,
    decay: 0,
    blocks: 0,
    ldBlocks: 0,
    lse: 0,
    total: 0,
    uniform: 0,
    tileFactor: 0,
  };
}

/** The sum of `count` float64 numbers, first to last: of row losses, the loss of a batch. */
export function sumInOrder({ f64 }: KernelMemory, address: Address, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += f64[(address >>> 3) + i];
  return sum;
}

/** Writes how often the candidates of each row count, by its labels and its draws: the mass of a label is 1 in the losses that ask for it. */
export function countByLabels(
  { f32, i32 }: KernelMemory,
  { loss }: TrainingSpec,
  positives: LossPositives,
  rows: LossRows,
): void {
  const each = tileFactorOf(loss, rows.draws);
  const offsets = positives.offsets >>> 2;
  const factors = rows.tileFactor >>> 2;
  for (let r = 0; r < rows.R; r++) f32[factors + r] = each * (i32[offsets + r + 1] - i32[offsets + r]);
}
