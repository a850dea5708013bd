/**
 * Inverted dropout whose mask is a function of (key, layer, step, row, column): Philox 4x32-10, as in @logq/core, four blocks at a time.
 * Lane l of a vector belongs to block l, until the words are transposed into the order of the columns.
 */
import { loadLanes, storeLanes } from "./lanes";

const MULTIPLIER_0: i32 = 0xd2511f53;
const MULTIPLIER_1: i32 = 0xcd9e8d57;
const WEYL_0: i32 = 0x9e3779b9;
const WEYL_1: i32 = 0xbb67ae85;
const ROUNDS: i32 = 10;

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
  let x0 = i32x4.add(i32x4.splat(block), i32x4(0, 1, 2, 3));
  let x1 = i32x4.splat(c1);
  let x2 = i32x4.splat(c2);
  let x3 = i32x4.splat(c3);
  let k0 = i32x4.splat(keyLow);
  let k1 = i32x4.splat(keyHigh);
  for (let round = 0; round < ROUNDS; round++) {
    const low0 = i64x2.extmul_low_i32x4_u(x0, i32x4.splat(MULTIPLIER_0));
    const high0 = i64x2.extmul_high_i32x4_u(x0, i32x4.splat(MULTIPLIER_0));
    const low1 = i64x2.extmul_low_i32x4_u(x2, i32x4.splat(MULTIPLIER_1));
    const high1 = i64x2.extmul_high_i32x4_u(x2, i32x4.splat(MULTIPLIER_1));
    x0 = v128.xor(v128.xor(v128.shuffle<i32>(low1, high1, 1, 3, 5, 7), x1), k0);
    x1 = v128.shuffle<i32>(low1, high1, 0, 2, 4, 6);
    x2 = v128.xor(v128.xor(v128.shuffle<i32>(low0, high0, 1, 3, 5, 7), x3), k1);
    x3 = v128.shuffle<i32>(low0, high0, 0, 2, 4, 6);
    k0 = i32x4.add(k0, i32x4.splat(WEYL_0));
    k1 = i32x4.add(k1, i32x4.splat(WEYL_1));
  }
  const a01 = v128.shuffle<i32>(x0, x1, 0, 4, 1, 5);
  const a23 = v128.shuffle<i32>(x2, x3, 0, 4, 1, 5);
  maskFour(at, width, v128.shuffle<i64>(a01, a23, 0, 2), limit, factor);
  if (width > 4) maskFour(at + 16, width - 4, v128.shuffle<i64>(a01, a23, 1, 3), limit, factor);
  const b01 = v128.shuffle<i32>(x0, x1, 2, 6, 3, 7);
  const b23 = v128.shuffle<i32>(x2, x3, 2, 6, 3, 7);
  if (width > 8) maskFour(at + 32, width - 8, v128.shuffle<i64>(b01, b23, 0, 2), limit, factor);
  if (width > 12) maskFour(at + 48, width - 12, v128.shuffle<i64>(b01, b23, 1, 3), limit, factor);
}

/** Masks the first `width` of up to four columns by their words. */
// @ts-ignore: decorator
@inline
function maskFour(at: usize, width: u32, words: v128, limit: v128, factor: v128): void {
  const kept = f32x4.mul(loadLanes(at, width), factor);
  storeLanes(at, v128.and(kept, i32x4.ge_u(words, limit)), width);
}
