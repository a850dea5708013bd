/** Each row's list of its k best classes: values and ids, best first; the higher value wins, and of equal values the lower id. */
import { loadLanes } from "./lanes";

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
  values: usize, ids: usize, k: u32, z: usize, ld: u32, C: u32, R: u32, firstId: i32, idStep: i32,
): void {
  if (k == 0) return;
  const rowBytes = (<usize>ld) << 2;
  const listBytes = (<usize>k) << 2;
  for (let c: u32 = 0; c < C; c += BLOCK) {
    const classes = min<u32>(BLOCK, C - c);
    const block = z + <usize>c * rowBytes;
    const blockId = firstId + <i32>c * idStep;
    for (let r: u32 = 0; r < R; r += 4) {
      const lists = <usize>r * listBytes;
      const width = min<u32>(4, R - r);
      topKStrip(values + lists, ids + lists, listBytes, block + ((<usize>r) << 2), rowBytes, classes, width, blockId, idStep);
    }
  }
}

/** The last, worst, entries of `width` lists. */
// @ts-ignore: decorator
@inline
function worstEntries(values: usize, listBytes: usize, width: u32): v128 {
  let at = values + listBytes - 4;
  let worst = v128.load32_splat(at);
  if (width > 1) worst = v128.load32_lane((at += listBytes), worst, 1);
  if (width > 2) worst = v128.load32_lane((at += listBytes), worst, 2);
  if (width > 3) worst = v128.load32_lane((at += listBytes), worst, 3);
  return worst;
}

/** Most logits are below every list's worst entry: four are refused by one comparison. */
function topKStrip(
  values: usize, ids: usize, listBytes: usize, z: usize, rowBytes: usize, C: u32, width: u32, firstId: i32, idStep: i32,
): void {
  let worst = worstEntries(values, listBytes, width);
  let at = z;
  let id = firstId;
  for (let c = C; c != 0; c--) {
    if (v128.any_true(f32x4.ge(loadLanes(at, width), worst))) {
      for (let lane: u32 = 0; lane < width; lane++) {
        const list = <usize>lane * listBytes;
        offer(values + list, ids + list, <u32>(listBytes >> 2), load<f32>(at + ((<usize>lane) << 2)), id);
      }
      worst = worstEntries(values, listBytes, width);
    }
    at += rowBytes;
    id += idStep;
  }
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
