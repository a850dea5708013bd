/**
 * Softmax over a tile of logits z[class][row]. Four rows of the batch make a vector. Work goes in blocks of classes that stay in the
 * first-level cache between the pass that finds the maximum and the pass that sums; within a block, strips of four rows.
 */
import { exp4, expDouble, logDouble } from "./exp";
import { highDoubles, loadLanes, lowDoubles, storeLanes } from "./lanes";

/** Classes of a block. Sums within a block are float32 (64 terms), across blocks float64. */
const BLOCK: u32 = 64;

export function clearPartials(max: usize, sum: usize, R: u32): void {
  for (let r: u32 = 0; r < R; r++) {
    store<f32>(max + ((<usize>r) << 2), -Infinity);
    store<f64>(sum + ((<usize>r) << 3), 0);
  }
}

export function softmaxPartials(
  z: usize, ld: u32, C: u32, R: u32, scale: f32, add: usize, max: usize, sum: usize,
): void {
  const rowBytes = (<usize>ld) << 2;
  for (let c: u32 = 0; c < C; c += BLOCK) {
    const classes = min<u32>(BLOCK, C - c);
    const block = z + <usize>c * rowBytes;
    const addBlock = add == 0 ? <usize>0 : add + ((<usize>c) << 2);
    let r: u32 = 0;
    for (; r + 4 <= R; r += 4) {
      const at = (<usize>r) << 2;
      partialsStrip(block + at, rowBytes, classes, scale, addBlock, max + at, sum + 2 * at, 4);
    }
    const at = (<usize>r) << 2;
    if (r < R) partialsStrip(block + at, rowBytes, classes, scale, addBlock, max + at, sum + 2 * at, R - r);
  }
}

/** `width` (1 to 4) rows, one block of classes. */
// @ts-ignore: decorator
@inline
function partialsStrip(
  z: usize, rowBytes: usize, C: u32, scale: f32, add: usize, max: usize, sum: usize, width: u32,
): void {
  const factor = f32x4.splat(scale);
  let best = f32x4.splat(-Infinity);
  let at = z;
  let addAt = add;
  for (let c = C; c != 0; c--) {
    let x = f32x4.mul(loadLanes(at, width), factor);
    if (add != 0) {
      x = f32x4.add(x, v128.load32_splat(addAt));
      addAt += 4;
    }
    storeLanes(at, x, width);
    best = f32x4.pmax(best, x);
    at += rowBytes;
  }
  const reference = finite(f32x4.max(loadLanes(max, width), best));
  let total = f32x4.splat(0);
  at = z;
  for (let c = C; c != 0; c--) {
    total = f32x4.add(total, exp4(f32x4.sub(loadLanes(at, width), reference)));
    at += rowBytes;
  }
  foldBlock(max, sum, best, reference, total, width);
}

/** x, but 0 where x is −∞: of the empty set every term is e^−∞ = 0, which −∞ − 0 gives and −∞ − −∞ would not. */
// @ts-ignore: decorator
@inline
function finite(x: v128): v128 {
  return v128.andnot(x, f32x4.eq(x, f32x4.splat(-Infinity)));
}

/**
 * Folds a block, its maximum and its Σ e^(z − new maximum), into max and sum. `best` passes over a NaN among the logits; `total` shows it.
 */
// @ts-ignore: decorator
@inline
function foldBlock(max: usize, sum: usize, best: v128, reference: v128, total: v128, width: u32): void {
  const oldMax = loadLanes(max, width);
  const newMax = f32x4.max(oldMax, best);
  const decay = exp4(f32x4.sub(oldMax, reference));
  storeLanes(max, newMax, width);
  foldSums(sum, lowDoubles(decay), lowDoubles(total), min<u32>(width, 2));
  if (width > 2) foldSums(sum + 16, highDoubles(decay), highDoubles(total), width - 2);
}

/** sum ← sum·decay + total for one or two doubles. */
// @ts-ignore: decorator
@inline
function foldSums(sum: usize, decay: v128, total: v128, count: u32): void {
  if (count == 2) {
    v128.store(sum, f64x2.add(f64x2.mul(v128.load(sum), decay), total));
  } else {
    store<f64>(sum, load<f64>(sum) * f64x2.extract_lane(decay, 0) + f64x2.extract_lane(total, 0));
  }
}

export function foldPartials(maxima: usize, sums: usize, otherMaxima: usize, otherSums: usize, R: u32): void {
  for (let r: u32 = 0; r < R; r++) {
    const at = (<usize>r) << 2;
    const m1 = load<f32>(maxima + at);
    const m2 = load<f32>(otherMaxima + at);
    const largest = max<f32>(m1, m2);
    let sum: f64 = 0;
    if (largest != -Infinity) {
      const s1 = load<f64>(sums + 2 * at);
      const s2 = load<f64>(otherSums + 2 * at);
      sum = s1 * expDouble(<f64>m1 - <f64>largest) + s2 * expDouble(<f64>m2 - <f64>largest);
    }
    store<f32>(maxima + at, largest);
    store<f64>(sums + 2 * at, sum);
  }
}

export function logSumExp(out: usize, max: usize, sum: usize, R: u32): void {
  for (let r: u32 = 0; r < R; r++) {
    const at = (<usize>r) << 2;
    store<f32>(out + at, <f32>(<f64>load<f32>(max + at) + logDouble(load<f64>(sum + 2 * at))));
  }
}

export function softmaxGradient(z: usize, ld: u32, C: u32, R: u32, lse: usize, coefficient: usize): void {
  const rowBytes = (<usize>ld) << 2;
  for (let c: u32 = 0; c < C; c += BLOCK) {
    const classes = min<u32>(BLOCK, C - c);
    const block = z + <usize>c * rowBytes;
    let r: u32 = 0;
    for (; r + 4 <= R; r += 4) {
      const at = (<usize>r) << 2;
      gradientStrip(block + at, rowBytes, classes, lse + at, coefficient + at, 4);
    }
    const at = (<usize>r) << 2;
    if (r < R) gradientStrip(block + at, rowBytes, classes, lse + at, coefficient + at, R - r);
  }
}

/** `width` (1 to 4) rows, one block of classes. */
// @ts-ignore: decorator
@inline
function gradientStrip(z: usize, rowBytes: usize, C: u32, lse: usize, coefficient: usize, width: u32): void {
  const reference = finite(loadLanes(lse, width));
  const factor = loadLanes(coefficient, width);
  const off = f32x4.eq(factor, f32x4.splat(0));
  let at = z;
  for (let c = C; c != 0; c--) {
    const g = f32x4.mul(factor, exp4(f32x4.sub(loadLanes(at, width), reference)));
    storeLanes(at, v128.andnot(g, off), width);
    at += rowBytes;
  }
}
