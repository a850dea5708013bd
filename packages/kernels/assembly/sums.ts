/** Sums over a tile z[class][row] in either direction. */
import { highDoubles, loadLanes, lowDoubles, storeLanes, sumLanes } from "./lanes";

/** Classes of a block, so that the lines a strip reads are still cached for the next strip. */
const BLOCK: u32 = 64;

export function sumOverClasses(out: usize, z: usize, ld: u32, C: u32, R: u32): void {
  const rowBytes = (<usize>ld) << 2;
  for (let c: u32 = 0; c < C; c += BLOCK) {
    const classes = min<u32>(BLOCK, C - c);
    const block = z + <usize>c * rowBytes;
    let r: u32 = 0;
    for (; r + 4 <= R; r += 4) {
      const at = (<usize>r) << 2;
      addStrip(out + 2 * at, block + at, rowBytes, classes);
    }
    for (; r < R; r++) {
      const at = (<usize>r) << 2;
      addColumn(out + 2 * at, block + at, rowBytes, classes);
    }
  }
}

/** Four rows of the batch, one block of classes. */
// @ts-ignore: decorator
@inline
function addStrip(out: usize, z: usize, rowBytes: usize, C: u32): void {
  let low = v128.load(out);
  let high = v128.load(out, 16);
  let at = z;
  for (let c = C; c != 0; c--) {
    const x = v128.load(at);
    low = f64x2.add(low, lowDoubles(x));
    high = f64x2.add(high, highDoubles(x));
    at += rowBytes;
  }
  v128.store(out, low);
  v128.store(out, high, 16);
}

function addColumn(out: usize, z: usize, rowBytes: usize, C: u32): void {
  let total = load<f64>(out);
  let at = z;
  for (let c = C; c != 0; c--) {
    total += <f64>load<f32>(at);
    at += rowBytes;
  }
  store<f64>(out, total);
}

export function sumOverRows(out: usize, z: usize, ld: u32, C: u32, R: u32, weight: usize): void {
  sumOverTiles(out, z, ld, 0, C, R, R, weight);
}

export function sumOverTiles(
  out: usize, z: usize, ld: u32, step: u32, C: u32, R: u32, rows: u32, weight: usize,
): void {
  const rowBytes = (<usize>ld) << 2;
  const tileBytes = (<usize>step) << 2;
  let row = z;
  let to = out;
  for (let c = C; c != 0; c--) {
    store<f32>(to, weight == 0 ? sumClass(row, tileBytes, R, rows, 0, false) : sumClass(row, tileBytes, R, rows, weight, true));
    row += rowBytes;
    to += 4;
  }
}

/** One class over all its tiles: eight running sums, then a tree. */
// @ts-ignore: decorator
@inline
function sumClass(z: usize, tileBytes: usize, R: u32, rows: u32, weight: usize, weighted: bool): f32 {
  let first = f32x4.splat(0);
  let second = f32x4.splat(0);
  let tile = z;
  let by = weight;
  let count = R;
  for (let left = rows; left != 0; left -= count) {
    count = min<u32>(R, left);
    let at = tile;
    for (let r = count >> 3; r != 0; r--) {
      first = f32x4.add(first, term(v128.load(at), by, weighted));
      second = f32x4.add(second, term(v128.load(at, 16), by + 16, weighted));
      at += 32;
      by += 32;
    }
    if (count & 4) {
      first = f32x4.add(first, term(v128.load(at), by, weighted));
      at += 16;
      by += 16;
    }
    const rest = count & 3;
    if (rest) {
      const x = loadLanes(at, rest);
      second = f32x4.add(second, weighted ? f32x4.mul(x, loadLanes(by, rest)) : x);
      by += (<usize>rest) << 2;
    }
    tile += tileBytes;
  }
  return sumLanes(f32x4.add(first, second));
}

/** x, times the four weights at `by` if there are any. */
// @ts-ignore: decorator
@inline
function term(x: v128, by: usize, weighted: bool): v128 {
  return weighted ? f32x4.mul(x, v128.load(by)) : x;
}

export function subtractPerRow(z: usize, ld: u32, C: u32, R: u32, value: usize): void {
  const rowBytes = (<usize>ld) << 2;
  let row = z;
  for (let c = C; c != 0; c--) {
    let at = row;
    let from = value;
    for (let r = R >> 2; r != 0; r--) {
      v128.store(at, f32x4.sub(v128.load(at), v128.load(from)));
      at += 16;
      from += 16;
    }
    if (R & 3) storeLanes(at, f32x4.sub(loadLanes(at, R & 3), loadLanes(from, R & 3)), R & 3);
    row += rowBytes;
  }
}
