/** Inverted dropout whose mask is a function of (key, layer, step, row, column). */
import { loadLanes, storeLanes } from "./lanes";
import { drawFour, words0, words1, words2, words3 } from "./philox";

/** Columns of four blocks. */
const GROUP: u32 = 16;

/**
 * y ← mask · y · scale. Columns 4b … 4b+3 of row i use the block with counter (firstBlock + b, firstRow + i, stepLow, stream) and key
 * (keyLow, keyHigh). A word below `threshold`, in [0, 2^32], drops its element.
 */
export function dropout(
  y: usize, ld: u32, rows: u32, columns: u32, threshold: f64, scale: f32,
  firstBlock: u32, firstRow: u32, stepLow: u32, stream: u32, keyLow: u32, keyHigh: u32,
): void {
  const rowBytes = (<usize>ld) << 2;
  // A threshold of 2^32 exceeds every word: nothing is kept.
  const factor = f32x4.splat(threshold < 4294967296 ? scale : 0);
  const limit = i32x4.splat(threshold < 4294967296 ? <i32><u32>threshold : -1);
  let row = y;
  for (let i: u32 = 0; i < rows; i++) {
    for (let d: u32 = 0; d < columns; d += GROUP) {
      const width = min<u32>(GROUP, columns - d);
      maskGroup(
        row + ((<usize>d) << 2), width, limit, factor, firstBlock + (d >> 2), firstRow + i, stepLow, stream, keyLow, keyHigh,
      );
    }
    row += rowBytes;
  }
}

/** Masks `width` (1 to 16) columns from `at` on; `block` is the counter's first word for the first four. */
// @ts-ignore: decorator
@inline
function maskGroup(
  at: usize, width: u32, limit: v128, factor: v128, block: u32, c1: u32, c2: u32, c3: u32, keyLow: u32, keyHigh: u32,
): void {
  drawFour(block, c1, c2, c3, keyLow, keyHigh);
  maskFour(at, width, words0, limit, factor);
  if (width > 4) maskFour(at + 16, width - 4, words1, limit, factor);
  if (width > 8) maskFour(at + 32, width - 8, words2, limit, factor);
  if (width > 12) maskFour(at + 48, width - 12, words3, limit, factor);
}

/** Masks the first `width` of up to four columns by their words. */
// @ts-ignore: decorator
@inline
function maskFour(at: usize, width: u32, words: v128, limit: v128, factor: v128): void {
  const kept = f32x4.mul(loadLanes(at, width), factor);
  storeLanes(at, v128.and(kept, i32x4.ge_u(words, limit)), width);
}
