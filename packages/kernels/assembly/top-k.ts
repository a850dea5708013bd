/** Each row's list of its k best classes: values and ids, best first; the higher value wins, and of equal values the lower id. */
import { loadLanes, storeLanes } from "./lanes";

/** Classes of a block, so that the lines a strip reads are still cached for the next strip. */
const BLOCK: u32 = 64;

export function clearTopK(values: usize, ids: usize, k: u32, R: u32): void {
  for (let j = <usize>k * <usize>R; j != 0; j--) {
    const at = (j - 1) << 2;
    store<f32>(values + at, -Infinity);
    store<i32>(ids + at, -1);
  }
}

/** Puts (value, id) where it belongs, if it belongs. An empty place holds −∞, and −∞ itself is never taken, nor is NaN. */
function offer(values: usize, ids: usize, k: u32, value: f32, id: i32): void {
  if (k == 0 || !(value > -Infinity)) return;
  let place = (<usize>k - 1) << 2;
  const worst = load<f32>(values + place);
  if (value < worst || (value == worst && id > load<i32>(ids + place))) return;
  while (place > 0) {
    const above = place - 4;
    const better = load<f32>(values + above);
    const betterId = load<i32>(ids + above);
    if (better > value || (better == value && betterId < id)) break;
    store<f32>(values + place, better);
    store<i32>(ids + place, betterId);
    place = above;
  }
  store<f32>(values + place, value);
  store<i32>(ids + place, id);
}

export function topK(
  values: usize, ids: usize, k: u32, z: usize, ld: u32, C: u32, R: u32, scale: f32, add: usize, floor: usize,
  firstId: i32, idStep: i32,
): void {
  if (k == 0) return;
  const rowBytes = (<usize>ld) << 2;
  const listBytes = (<usize>k) << 2;
  for (let c: u32 = 0; c < C; c += BLOCK) {
    const classes = min<u32>(BLOCK, C - c);
    const block = z + <usize>c * rowBytes;
    const addBlock = add == 0 ? <usize>0 : add + ((<usize>c) << 2);
    const blockId = firstId + <i32>c * idStep;
    for (let r: u32 = 0; r < R; r += 4) {
      const lists = <usize>r * listBytes;
      const at = (<usize>r) << 2;
      const width = min<u32>(4, R - r);
      const floors = floor == 0 ? <usize>0 : floor + at;
      topKStrip(values + lists, ids + lists, listBytes, block + at, rowBytes, classes, width, scale, addBlock, floors, blockId, idStep);
    }
  }
}

/** The last, worst, entries of `width` lists. Unused lanes refuse everything. */
// @ts-ignore: decorator
@inline
function worstEntries(values: usize, listBytes: usize, width: u32): v128 {
  let at = values + listBytes - 4;
  let worst = v128.load32_lane(at, f32x4.splat(Infinity), 0);
  if (width > 1) worst = v128.load32_lane((at += listBytes), worst, 1);
  if (width > 2) worst = v128.load32_lane((at += listBytes), worst, 2);
  if (width > 3) worst = v128.load32_lane((at += listBytes), worst, 3);
  return worst;
}

/** scale·z + add of four rows and one class. */
// @ts-ignore: decorator
@inline
function logits(z: usize, width: u32, scale: v128, add: usize): v128 {
  const x = f32x4.mul(loadLanes(z, width), scale);
  return add == 0 ? x : f32x4.add(x, v128.load32_splat(add));
}

/** Most logits are below every list's worst entry: those of four rows and four classes are refused by one test. */
function topKStrip(
  values: usize, ids: usize, listBytes: usize, z: usize, rowBytes: usize, C: u32, width: u32,
  scale: f32, add: usize, floor: usize, firstId: i32, idStep: i32,
): void {
  const factor = f32x4.splat(scale);
  const step: usize = add == 0 ? 0 : 4;
  const least = floor == 0 ? f32x4.splat(-Infinity) : loadLanes(floor, width);
  let bound = f32x4.pmax(worstEntries(values, listBytes, width), least);
  let at = z;
  let addAt = add;
  let id = firstId;
  let c = C;
  for (; c >= 4; c -= 4) {
    const x0 = logits(at, width, factor, addAt);
    const x1 = logits(at + rowBytes, width, factor, addAt + step);
    const x2 = logits(at + 2 * rowBytes, width, factor, addAt + 2 * step);
    const x3 = logits(at + 3 * rowBytes, width, factor, addAt + 3 * step);
    const some = v128.or(
      v128.or(f32x4.ge(x0, bound), f32x4.ge(x1, bound)),
      v128.or(f32x4.ge(x2, bound), f32x4.ge(x3, bound)),
    );
    if (v128.any_true(some)) {
      bound = offerFour(values, ids, listBytes, x0, bound, least, width, id);
      bound = offerFour(values, ids, listBytes, x1, bound, least, width, id + idStep);
      bound = offerFour(values, ids, listBytes, x2, bound, least, width, id + 2 * idStep);
      bound = offerFour(values, ids, listBytes, x3, bound, least, width, id + 3 * idStep);
    }
    at += 4 * rowBytes;
    addAt += 4 * step;
    id += 4 * idStep;
  }
  for (; c != 0; c--) {
    bound = offerFour(values, ids, listBytes, logits(at, width, factor, addAt), bound, least, width, id);
    at += rowBytes;
    addAt += step;
    id += idStep;
  }
  if (floor != 0) storeLanes(floor, f32x4.pmax(least, worstEntries(values, listBytes, width)), width);
}

/** Offers a class's logits to the lists of `width` rows; answers the bounds that hold then. */
function offerFour(
  values: usize, ids: usize, listBytes: usize, x: v128, bound: v128, least: v128, width: u32, id: i32,
): v128 {
  const good = i32x4.bitmask(f32x4.ge(x, bound));
  if (good == 0) return bound;
  const k = <u32>(listBytes >> 2);
  if (good & 1) offer(values, ids, k, f32x4.extract_lane(x, 0), id);
  if (good & 2) offer(values + listBytes, ids + listBytes, k, f32x4.extract_lane(x, 1), id);
  if (good & 4) offer(values + 2 * listBytes, ids + 2 * listBytes, k, f32x4.extract_lane(x, 2), id);
  if (good & 8) offer(values + 3 * listBytes, ids + 3 * listBytes, k, f32x4.extract_lane(x, 3), id);
  return f32x4.pmax(worstEntries(values, listBytes, width), least);
}

export function mergeTopK(values: usize, ids: usize, otherValues: usize, otherIds: usize, k: u32, R: u32): void {
  const listBytes = (<usize>k) << 2;
  for (let r: u32 = 0; r < R; r++) {
    const list = <usize>r * listBytes;
    for (let j: u32 = 0; j < k; j++) {
      const at = list + ((<usize>j) << 2);
      const value = load<f32>(otherValues + at);
      if (value == -Infinity) break;
      offer(values + list, ids + list, k, value, load<i32>(otherIds + at));
    }
  }
}
