import type { Address, KernelMemory } from "@logq/kernels";
import type { LossTile } from "@logq/losses";
import { type BatchLayout, HEAD } from "./batch-layout.js";

/**
 * Sets the logits of excluded (class, row) pairs of a tile that begins at physical row `firstRow` to −∞: they take no part. The pairs stand
 * in the batch by physical row (`maskPositions`, with their batch rows in `maskRows`); a batch without any has no room for them.
 */
export function maskTile(memory: KernelMemory, batch: BatchLayout, tile: LossTile, firstRow: number): void {
  if (batch.maskRows === 0) return;
  const count = memory.i32[(batch.head >>> 2) + HEAD.masks];
  maskPairs(memory, tile, firstRow, batch.maskPositions, batch.maskRows, count);
}

/** The same of the labels of the batch's rows, which stand there sorted by physical row (`sortedPlaces`). */
export function maskLabels(memory: KernelMemory, batch: BatchLayout, tile: LossTile, firstRow: number): void {
  const count = memory.i32[(batch.head >>> 2) + HEAD.positives];
  maskPairs(memory, tile, firstRow, batch.sortedPlaces, batch.sortedRows, count);
}

/** @param places of `count` pairs, ascending physical rows @param rows their batch rows */
function maskPairs(
  { i32, f32 }: KernelMemory,
  { z, ld, C }: LossTile,
  firstRow: number,
  places: Address,
  rows: Address,
  count: number,
): void {
  const at = places >>> 2;
  for (let k = firstNotBelow(i32, at, count, firstRow); k < count && i32[at + k] < firstRow + C; k++) {
    f32[(z >>> 2) + (i32[at + k] - firstRow) * ld + i32[(rows >>> 2) + k]] = -Infinity;
  }
}

/** The first of `count` ascending values that is not below `value`. */
export function firstNotBelow(i32: Int32Array, at: number, count: number, value: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (i32[at + middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
