import type { KernelMemory } from "@logq/kernels";
import type { LossTile } from "@logq/losses";
import { type BatchLayout, HEAD } from "./batch-layout.js";

/**
 * Sets the logits of excluded (class, row) pairs of a tile that begins at physical row `firstRow` to −∞: they take no part. The pairs stand
 * in the batch by physical row (`maskPositions`, with their batch rows in `maskRows`); a batch without any has no room for them.
 */
export function maskTile({ i32, f32 }: KernelMemory, batch: BatchLayout, tile: LossTile, firstRow: number): void {
  if (batch.maskRows === 0) return;
  const places = batch.maskPositions >>> 2;
  const rows = batch.maskRows >>> 2;
  const count = i32[(batch.head >>> 2) + HEAD.masks];
  for (let k = firstNotBelow(i32, places, count, firstRow); k < count && i32[places + k] < firstRow + tile.C; k++) {
    f32[(tile.z >>> 2) + (i32[places + k] - firstRow) * tile.ld + i32[rows + k]] = -Infinity;
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
