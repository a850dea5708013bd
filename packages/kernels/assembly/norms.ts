/** Dot products and norms of rows. Norms are summed in float64, so that they neither overflow nor vanish before the row does. */
import { highDoubles, loadLanes, lowDoubles, storeLanes, sumDoubles, sumLanes } from "./lanes";
import { AHEAD, rowAddress, touchRows } from "./touch";

/** The dot product of two rows: eight running sums, then a tree. */
// @ts-ignore: decorator
@inline
function dot(a: usize, b: usize, D: u32): f32 {
  let first = f32x4.splat(0);
  let second = f32x4.splat(0);
  let x = a;
  let y = b;
  for (let d = D >> 3; d != 0; d--) {
    first = f32x4.add(first, f32x4.mul(v128.load(x), v128.load(y)));
    second = f32x4.add(second, f32x4.mul(v128.load(x, 16), v128.load(y, 16)));
    x += 32;
    y += 32;
  }
  if (D & 4) {
    first = f32x4.add(first, f32x4.mul(v128.load(x), v128.load(y)));
    x += 16;
    y += 16;
  }
  if (D & 3) second = f32x4.add(second, f32x4.mul(loadLanes(x, D & 3), loadLanes(y, D & 3)));
  return sumLanes(f32x4.add(first, second));
}

export function pairDots(
  out: usize, a: usize, ldA: u32, aIndices: usize, b: usize, ldB: u32, bIndices: usize, count: u32, D: u32,
): void {
  const aBytes = (<usize>ldA) << 2;
  const bBytes = (<usize>ldB) << 2;
  const width = (<usize>D) << 2;
  let to = out;
  for (let first: u32 = 0; first < count; first += AHEAD) {
    const last = min<u32>(first + AHEAD, count);
    if (aIndices != 0) touchRows(a, aBytes, width, aIndices, first, last);
    if (bIndices != 0) touchRows(b, bBytes, width, bIndices, first, last);
    for (let j = first; j < last; j++) {
      store<f32>(to, dot(rowAddress(a, aBytes, aIndices, j), rowAddress(b, bBytes, bIndices, j), D));
      to += 4;
    }
  }
}

/** Σ of squares of a row, in float64. */
// @ts-ignore: decorator
@inline
function rowSquares(row: usize, D: u32): f64 {
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  let at = row;
  for (let d = D >> 2; d != 0; d--) {
    const x = v128.load(at);
    const x01 = lowDoubles(x);
    const x23 = highDoubles(x);
    low = f64x2.add(low, f64x2.mul(x01, x01));
    high = f64x2.add(high, f64x2.mul(x23, x23));
    at += 16;
  }
  let total = sumDoubles(f64x2.add(low, high));
  for (let d = D & 3; d != 0; d--) {
    const x = <f64>load<f32>(at);
    total += x * x;
    at += 4;
  }
  return total;
}

export function sumOfSquares(source: usize, ld: u32, rows: u32, D: u32): f64 {
  const rowBytes = (<usize>ld) << 2;
  let total: f64 = 0;
  let row = source;
  for (let i = rows; i != 0; i--) {
    total += rowSquares(row, D);
    row += rowBytes;
  }
  return total;
}

export function normalizeRows(
  out: usize, ldOut: u32, source: usize, ldSource: u32, norms: usize, rows: u32, D: u32, epsilon: f32,
): void {
  const outBytes = (<usize>ldOut) << 2;
  const sourceBytes = (<usize>ldSource) << 2;
  let to = out;
  let from = source;
  let normAt = norms;
  for (let i = rows; i != 0; i--) {
    const norm = max<f32>(<f32>sqrt<f64>(rowSquares(from, D)), epsilon);
    store<f32>(normAt, norm);
    divideRow(to, from, norm, D);
    to += outBytes;
    from += sourceBytes;
    normAt += 4;
  }
}

// @ts-ignore: decorator
@inline
function divideRow(out: usize, source: usize, divisor: f32, D: u32): void {
  const by = f32x4.splat(divisor);
  let to = out;
  let from = source;
  for (let d = D >> 2; d != 0; d--) {
    v128.store(to, f32x4.div(v128.load(from), by));
    to += 16;
    from += 16;
  }
  if (D & 3) storeLanes(to, f32x4.div(loadLanes(from, D & 3), by), D & 3);
}

export function normalizeRowsBackward(
  gradient: usize, ld: u32, unit: usize, ldUnit: u32, norms: usize, rows: u32, D: u32,
): void {
  const gradientBytes = (<usize>ld) << 2;
  const unitBytes = (<usize>ldUnit) << 2;
  let g = gradient;
  let u = unit;
  let normAt = norms;
  for (let i = rows; i != 0; i--) {
    removeRadial(g, u, dot(u, g, D), load<f32>(normAt), D);
    g += gradientBytes;
    u += unitBytes;
    normAt += 4;
  }
}

/** g ← (g − unit·radial) / norm */
// @ts-ignore: decorator
@inline
function removeRadial(gradient: usize, unit: usize, radial: f32, norm: f32, D: u32): void {
  const along = f32x4.splat(radial);
  const by = f32x4.splat(norm);
  let g = gradient;
  let u = unit;
  for (let d = D >> 2; d != 0; d--) {
    v128.store(g, f32x4.div(f32x4.sub(v128.load(g), f32x4.mul(v128.load(u), along)), by));
    g += 16;
    u += 16;
  }
  const rest = D & 3;
  if (rest) {
    storeLanes(g, f32x4.div(f32x4.sub(loadLanes(g, rest), f32x4.mul(loadLanes(u, rest), along)), by), rest);
  }
}

/** 1 if no element of the block is NaN or infinite, else 0. */
export function allFinite(source: usize, ld: u32, rows: u32, D: u32): bool {
  const rowBytes = (<usize>ld) << 2;
  const infinity = f32x4.splat(Infinity);
  let row = source;
  for (let i = rows; i != 0; i--) {
    let finite = i32x4.splat(-1);
    let at = row;
    for (let d = D >> 2; d != 0; d--) {
      finite = v128.and(finite, f32x4.lt(f32x4.abs(v128.load(at)), infinity));
      at += 16;
    }
    if (D & 3) finite = v128.and(finite, f32x4.lt(f32x4.abs(loadLanes(at, D & 3)), infinity));
    if (!i32x4.all_true(finite)) return false;
    row += rowBytes;
  }
  return true;
}
