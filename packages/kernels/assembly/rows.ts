/** Copying rows between tables by index, and weighted sums of rows. */
import { loadLanes, storeLanes } from "./lanes";
import { AHEAD, rowAddress, touchRows } from "./touch";

// @ts-ignore: decorator
@inline
function copyRow(out: usize, source: usize, D: u32): void {
  let to = out;
  let from = source;
  for (let d = D >> 3; d != 0; d--) {
    v128.store(to, v128.load(from));
    v128.store(to, v128.load(from, 16), 16);
    to += 32;
    from += 32;
  }
  if (D & 4) {
    v128.store(to, v128.load(from));
    to += 16;
    from += 16;
  }
  if (D & 3) storeLanes(to, loadLanes(from, D & 3), D & 3);
}

export function gatherRows(
  out: usize, ldOut: u32, table: usize, ldTable: u32, indices: usize, count: u32, D: u32,
): void {
  const outBytes = (<usize>ldOut) << 2;
  const tableBytes = (<usize>ldTable) << 2;
  let to = out;
  for (let first: u32 = 0; first < count; first += AHEAD) {
    const last = min<u32>(first + AHEAD, count);
    touchRows(table, tableBytes, (<usize>D) << 2, indices, first, last);
    for (let j = first; j < last; j++) {
      copyRow(to, rowAddress(table, tableBytes, indices, j), D);
      to += outBytes;
    }
  }
}

export function scatterRows(
  table: usize, ldTable: u32, indices: usize, source: usize, ldSource: u32, count: u32, D: u32,
): void {
  const sourceBytes = (<usize>ldSource) << 2;
  const tableBytes = (<usize>ldTable) << 2;
  let from = source;
  for (let first: u32 = 0; first < count; first += AHEAD) {
    const last = min<u32>(first + AHEAD, count);
    touchRows(table, tableBytes, (<usize>D) << 2, indices, first, last);
    for (let j = first; j < last; j++) {
      copyRow(rowAddress(table, tableBytes, indices, j), from, D);
      from += sourceBytes;
    }
  }
}

/** y ← y + a·x */
export function addScaled(y: usize, x: usize, a: f32, count: u32): void {
  const factor = f32x4.splat(a);
  let to = y;
  let from = x;
  for (let d = count >> 2; d != 0; d--) {
    v128.store(to, f32x4.add(v128.load(to), f32x4.mul(factor, v128.load(from))));
    to += 16;
    from += 16;
  }
  const rest = count & 3;
  if (rest) storeLanes(to, f32x4.add(loadLanes(to, rest), f32x4.mul(factor, loadLanes(from, rest))), rest);
}

export function fill(out: usize, value: f32, count: u32): void {
  const x = f32x4.splat(value);
  let to = out;
  for (let d = count >> 2; d != 0; d--) {
    v128.store(to, x);
    to += 16;
  }
  if (count & 3) storeLanes(to, x, count & 3);
}

export function weightedRowSums(
  out: usize, ldOut: u32, source: usize, ldSource: u32,
  offsets: usize, indices: usize, weights: usize, count: u32, D: u32, accumulate: bool,
): void {
  const outBytes = (<usize>ldOut) << 2;
  const sourceBytes = (<usize>ldSource) << 2;
  const width = (<usize>D) << 2;
  let next = load<u32>(offsets);
  let touchedTo = next;
  const end = load<u32>(offsets + ((<usize>count) << 2));
  let to = out;
  for (let u: u32 = 0; u < count; u++) {
    const last = load<u32>(offsets + ((<usize>u) << 2), 4);
    if (!accumulate) fill(to, 0, D);
    for (let j = next; j < last; j++) {
      if (j == touchedTo) {
        touchedTo = min<u32>(j + AHEAD, end);
        touchRows(source, sourceBytes, width, indices, j, touchedTo);
      }
      const weight = weights == 0 ? <f32>1 : load<f32>(weights + ((<usize>j) << 2));
      addScaled(to, rowAddress(source, sourceBytes, indices, j), weight, D);
    }
    next = last;
    to += outBytes;
  }
}
