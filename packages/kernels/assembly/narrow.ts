/**
 * Rows of bfloat16, which is the upper half of a float32: exact widening, and narrowing by stochastic rounding. Eight elements take one vector, and
 * their random bits one Philox block, 16 for each.
 */
import { drawFour, words0, words1, words2, words3 } from "./philox";
import { AHEAD, rowAddress, touchRows } from "./touch";

/** Elements of four Philox blocks. */
const GROUP: u32 = 32;

export function widenRows(
  out: usize, ldOut: u32, table: usize, ldTable: u32, indices: usize, count: u32, D: u32,
): void {
  const outBytes = (<usize>ldOut) << 2;
  const tableBytes = (<usize>ldTable) << 1;
  let to = out;
  for (let first: u32 = 0; first < count; first += AHEAD) {
    const last = min<u32>(first + AHEAD, count);
    if (indices != 0) touchRows(table, tableBytes, (<usize>D) << 1, indices, first, last);
    for (let j = first; j < last; j++) {
      widenRow(to, rowAddress(table, tableBytes, indices, j), D);
      to += outBytes;
    }
  }
}

// @ts-ignore: decorator
@inline
function widenRow(out: usize, source: usize, D: u32): void {
  let to = out;
  let from = source;
  for (let d = D >> 3; d != 0; d--) {
    const halves = v128.load(from);
    v128.store(to, i32x4.shl(i32x4.extend_low_i16x8_u(halves), 16));
    v128.store(to, i32x4.shl(i32x4.extend_high_i16x8_u(halves), 16), 16);
    to += 32;
    from += 16;
  }
  for (let d = D & 7; d != 0; d--) {
    store<u32>(to, <u32>load<u16>(from) << 16);
    to += 4;
    from += 2;
  }
}

/** Element d of row j uses half d mod 8 of the block with counter (firstBlock + d / 8, ids[j], stepLow, stream). */
export function roundRows(
  table: usize, ldTable: u32, indices: usize, source: usize, ldSource: u32, count: u32, D: u32, ids: usize,
  firstBlock: u32, stepLow: u32, stream: u32, keyLow: u32, keyHigh: u32,
): void {
  const sourceBytes = (<usize>ldSource) << 2;
  const tableBytes = (<usize>ldTable) << 1;
  let from = source;
  for (let j: u32 = 0; j < count; j++) {
    const row = rowAddress(table, tableBytes, indices, j);
    const id = load<u32>(ids + ((<usize>j) << 2));
    for (let d: u32 = 0; d < D; d += GROUP) {
      drawFour(firstBlock + (d >> 3), id, stepLow, stream, keyLow, keyHigh);
      const to = row + ((<usize>d) << 1);
      const at = from + ((<usize>d) << 2);
      const width = min<u32>(GROUP, D - d);
      roundEight(to, at, width, words0);
      if (width > 8) roundEight(to + 16, at + 32, width - 8, words1);
      if (width > 16) roundEight(to + 32, at + 64, width - 16, words2);
      if (width > 24) roundEight(to + 48, at + 96, width - 24, words3);
    }
    from += sourceBytes;
  }
}

/** Rounds the first `width` of up to eight elements by their 16 bits each. */
// @ts-ignore: decorator
@inline
function roundEight(to: usize, from: usize, width: u32, bits: v128): void {
  if (width >= 8) {
    const low = rounded(v128.load(from), i32x4.extend_low_i16x8_u(bits));
    const high = rounded(v128.load(from, 16), i32x4.extend_high_i16x8_u(bits));
    v128.store(to, i16x8.narrow_i32x4_u(low, high));
    return;
  }
  // Through vectors of one element's copies: rounding stands in one place.
  let random = bits;
  for (let d: u32 = 0; d < width; d++) {
    const value = rounded(i32x4.splat(load<u32>(from + ((<usize>d) << 2))), i32x4.splat(i16x8.extract_lane_u(random, 0)));
    store<u16>(to + ((<usize>d) << 1), <u16>i32x4.extract_lane(value, 0));
    random = v128.shuffle<u16>(random, random, 1, 2, 3, 4, 5, 6, 7, 0);
  }
}

/**
 * The upper halves of x + r, as integers: r below 2^16 carries into the upper half with probability (lower half) / 2^16, which is what rounding up must
 * have to be unbiased. What is no finite number is cut, not rounded: a carry would change its kind.
 */
// @ts-ignore: decorator
@inline
function rounded(x: v128, random: v128): v128 {
  const exponent = i32x4.splat(0x7f800000);
  const finite = i32x4.ne(v128.and(x, exponent), exponent);
  return i32x4.shr_u(i32x4.add(x, v128.and(random, finite)), 16);
}
