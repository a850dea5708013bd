/**
 * The softmax of a tile z[class][row] in one walk: logits become exponentials relative to a reference that a row keeps from tile to tile, so
 * that nothing has to be exponentiated again once the sum over all classes is known. Strips of four rows, all classes of the tile: the
 * lines that the search for the maximum has read are still in the first-level cache when they are written.
 */
import { exp2Below4, exp4 } from "./exp";
import { highDoubles, loadLanes, lowDoubles, storeLanes, sumLanes } from "./lanes";

/** Classes whose exponentials are summed in float32 before they enter the float64 sum. */
const BLOCK: u32 = 64;

/** How far above its reference a logit may be: e^32 and sums of it are far from overflow, and a reference that fits moves seldom. */
const HEADROOM: f32 = 32;

export function softmaxExponentials(
  z: usize, ld: u32, C: u32, R: u32, scale: f32, add: usize,
  reference: usize, sum: usize, decay: usize, total: usize, blocks: usize, ldBlocks: u32,
): u32 {
  const blockBytes = (<usize>ldBlocks) << 2;
  const rowBytes = (<usize>ld) << 2;
  let moved: u32 = 0;
  let r: u32 = 0;
  for (; r + 4 <= R; r += 4) {
    const at = (<usize>r) << 2;
    const totalAt = total == 0 ? <usize>0 : total + 2 * at;
    const blocksAt = blocks == 0 ? <usize>0 : blocks + at;
    moved += strip(z + at, rowBytes, C, scale, add, reference + at, sum + 2 * at, decay + at, totalAt, blocksAt, blockBytes, 4);
  }
  const at = (<usize>r) << 2;
  const totalAt = total == 0 ? <usize>0 : total + 2 * at;
  const blocksAt = blocks == 0 ? <usize>0 : blocks + at;
  if (r < R) {
    moved += strip(z + at, rowBytes, C, scale, add, reference + at, sum + 2 * at, decay + at, totalAt, blocksAt, blockBytes, R - r);
  }
  return moved;
}

/** `width` (1 to 4) rows; answers how many references moved. */
// @ts-ignore: decorator
@inline
function strip(
  z: usize, rowBytes: usize, C: u32, scale: f32, add: usize,
  reference: usize, sum: usize, decay: usize, total: usize, blocks: usize, blockBytes: usize, width: u32,
): u32 {
  const factor = f32x4.splat(scale);
  const step: usize = add == 0 ? 0 : 4;
  let best = f32x4.splat(-Infinity);
  let at = z;
  let addAt = add;
  for (let c = C; c != 0; c--) {
    best = f32x4.pmax(best, affine(at, factor, addAt, width));
    at += rowBytes;
    addAt += step;
  }
  const old = loadLanes(reference, width);
  const raised = f32x4.gt(best, f32x4.add(old, f32x4.splat(HEADROOM)));
  const next = v128.bitselect(best, old, raised);
  const lost = v128.bitselect(exp4(f32x4.sub(old, next)), f32x4.splat(1), raised);
  storeLanes(reference, next, width);
  storeLanes(decay, lost, width);
  // Of the empty set every term is e^−∞ = 0, which −∞ − 0 gives and −∞ − −∞ would not.
  const shift = v128.andnot(next, f32x4.eq(next, f32x4.splat(-Infinity)));
  scaleDoubles(sum, lost, width);
  at = z;
  addAt = add;
  let blockAt = blocks;
  for (let left = C; left != 0; ) {
    const count = min<u32>(left, BLOCK);
    if (total != 0) addDoubles(total, sumOfLogits(at, rowBytes, count, factor, addAt, width), width);
    const ofBlock = exponentials(at, rowBytes, count, factor, addAt, shift, width);
    addDoubles(sum, ofBlock, width);
    if (blocks != 0) {
      storeLanes(blockAt, ofBlock, width);
      blockAt += blockBytes;
    }
    at += <usize>count * rowBytes;
    if (add != 0) addAt += (<usize>count) << 2;
    left -= count;
  }
  const lanes: i32 = width == 4 ? 15 : (1 << width) - 1;
  return popcnt<i32>(i32x4.bitmask(raised) & lanes);
}

/** x = scale·z + add of one class */
// @ts-ignore: decorator
@inline
function affine(z: usize, scale: v128, add: usize, width: u32): v128 {
  const x = f32x4.mul(loadLanes(z, width), scale);
  return add == 0 ? x : f32x4.add(x, v128.load32_splat(add));
}

/** z ← e^(x − shift) of C classes; answers their sum. */
// @ts-ignore: decorator
@inline
function exponentials(z: usize, rowBytes: usize, C: u32, scale: v128, add: usize, shift: v128, width: u32): v128 {
  const step: usize = add == 0 ? 0 : 4;
  let sum = f32x4.splat(0);
  let at = z;
  let addAt = add;
  for (let c = C; c != 0; c--) {
    const x = f32x4.sub(affine(at, scale, addAt, width), shift);
    const e = exp2Below4(f32x4.mul(x, f32x4.splat(1.44269504)));
    storeLanes(at, e, width);
    sum = f32x4.add(sum, e);
    at += rowBytes;
    addAt += step;
  }
  return sum;
}

/** Σ x of C classes. A pass of its own, for the few losses that want it. */
// @ts-ignore: decorator
@inline
function sumOfLogits(z: usize, rowBytes: usize, C: u32, scale: v128, add: usize, width: u32): v128 {
  const step: usize = add == 0 ? 0 : 4;
  let sum = f32x4.splat(0);
  let at = z;
  let addAt = add;
  for (let c = C; c != 0; c--) {
    sum = f32x4.add(sum, affine(at, scale, addAt, width));
    at += rowBytes;
    addAt += step;
  }
  return sum;
}

/** sum[r] ← sum[r]·factor[r] of `width` rows. */
// @ts-ignore: decorator
@inline
function scaleDoubles(sum: usize, factor: v128, width: u32): void {
  storeDoubles(sum, f64x2.mul(loadDoubles(sum, min<u32>(width, 2)), lowDoubles(factor)), min<u32>(width, 2));
  if (width > 2) {
    storeDoubles(sum + 16, f64x2.mul(loadDoubles(sum + 16, width - 2), highDoubles(factor)), width - 2);
  }
}

/** sum[r] ← sum[r] + x[r] of `width` rows. */
// @ts-ignore: decorator
@inline
function addDoubles(sum: usize, x: v128, width: u32): void {
  storeDoubles(sum, f64x2.add(loadDoubles(sum, min<u32>(width, 2)), lowDoubles(x)), min<u32>(width, 2));
  if (width > 2) storeDoubles(sum + 16, f64x2.add(loadDoubles(sum + 16, width - 2), highDoubles(x)), width - 2);
}

// @ts-ignore: decorator
@inline
function loadDoubles(at: usize, count: u32): v128 {
  return count == 2 ? v128.load(at) : v128.load64_zero(at);
}

// @ts-ignore: decorator
@inline
function storeDoubles(at: usize, x: v128, count: u32): void {
  if (count == 2) v128.store(at, x);
  else v128.store64_lane(at, x, 0);
}

export function scaleColumns(z: usize, ld: u32, C: u32, R: u32, factor: usize): void {
  const rowBytes = (<usize>ld) << 2;
  let row = z;
  for (let c = C; c != 0; c--) {
    let at = row;
    let by = factor;
    for (let r = R >> 2; r != 0; r--) {
      v128.store(at, f32x4.mul(v128.load(at), v128.load(by)));
      at += 16;
      by += 16;
    }
    if (R & 3) storeLanes(at, f32x4.mul(loadLanes(at, R & 3), loadLanes(by, R & 3)), R & 3);
    row += rowBytes;
  }
}

export function softmaxFactors(out: usize, reference: usize, lse: usize, coefficient: usize, R: u32): void {
  for (let r: u32 = 0; r < R; r += 4) {
    const at = (<usize>r) << 2;
    const width = min<u32>(4, R - r);
    const c = loadLanes(coefficient + at, width);
    const f = f32x4.mul(c, exp4(f32x4.sub(loadLanes(reference + at, width), loadLanes(lse + at, width))));
    storeLanes(out + at, v128.andnot(f, f32x4.eq(c, f32x4.splat(0))), width);
  }
}

export function scaleRows(
  out: usize, ldOut: u32, source: usize, ldSource: u32, factor: usize, rows: u32, D: u32,
): void {
  for (let i: u32 = 0; i < rows; i++) {
    const by = v128.load32_splat(factor + ((<usize>i) << 2));
    let from = source + ((<usize>i * <usize>ldSource) << 2);
    let to = out + ((<usize>i * <usize>ldOut) << 2);
    for (let d = D >> 2; d != 0; d--) {
      v128.store(to, f32x4.mul(v128.load(from), by));
      from += 16;
      to += 16;
    }
    if (D & 3) storeLanes(to, f32x4.mul(loadLanes(from, D & 3), by), D & 3);
  }
}
