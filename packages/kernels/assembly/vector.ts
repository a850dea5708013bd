/** Elementwise functions and reductions over contiguous vectors. */
import { exp4, expMinusAbs4, logDouble, sigmoid4, softplus4 } from "./exp";
import { highDoubles, loadLanes, lowDoubles, maxLanes, storeLanes, sumDoubles } from "./lanes";

export function exp(out: usize, x: usize, count: u32): void {
  let to = out;
  let from = x;
  for (let i = count >> 2; i != 0; i--) {
    v128.store(to, exp4(v128.load(from)));
    to += 16;
    from += 16;
  }
  if (count & 3) storeLanes(to, exp4(loadLanes(from, count & 3)), count & 3);
}

export function sigmoid(out: usize, x: usize, count: u32): void {
  let to = out;
  let from = x;
  for (let i = count; i != 0; ) {
    const width = min<u32>(i, 4);
    const value = loadLanes(from, width);
    storeLanes(to, sigmoid4(value, expMinusAbs4(value)), width);
    to += 16;
    from += 16;
    i -= width;
  }
}

export function softplus(out: usize, x: usize, count: u32): void {
  let to = out;
  let from = x;
  for (let i = count; i != 0; ) {
    const width = min<u32>(i, 4);
    const value = loadLanes(from, width);
    storeLanes(to, softplus4(value, expMinusAbs4(value)), width);
    to += 16;
    from += 16;
    i -= width;
  }
}

/** The largest element; −∞ for none, NaN if one is NaN. */
function largest(x: usize, count: u32): f32 {
  let best = f32x4.splat(-Infinity);
  let at = x;
  for (let i = count >> 2; i != 0; i--) {
    best = f32x4.max(best, v128.load(at));
    at += 16;
  }
  let result = maxLanes(best);
  for (let i = count & 3; i != 0; i--) {
    result = max<f32>(result, load<f32>(at));
    at += 4;
  }
  return result;
}

/** out ← e^(x − shift); answers the sum, in float64. Stores nothing where out is 0. */
function exponentials(out: usize, x: usize, shift: f32, count: u32): f64 {
  const by = f32x4.splat(shift);
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  let to = out;
  let from = x;
  for (let i = count >> 2; i != 0; i--) {
    const e = exp4(f32x4.sub(v128.load(from), by));
    if (out != 0) v128.store(to, e);
    low = f64x2.add(low, lowDoubles(e));
    high = f64x2.add(high, highDoubles(e));
    to += 16;
    from += 16;
  }
  let total = sumDoubles(f64x2.add(low, high));
  const rest = count & 3;
  if (rest) {
    const e = exp4(f32x4.sub(loadLanes(from, rest), by));
    if (out != 0) storeLanes(to, e, rest);
    total += <f64>f32x4.extract_lane(e, 0);
    if (rest > 1) total += <f64>f32x4.extract_lane(e, 1);
    if (rest > 2) total += <f64>f32x4.extract_lane(e, 2);
  }
  return total;
}

export function logSumExpOf(x: usize, count: u32): f64 {
  const shift = largest(x, count);
  if (shift == -Infinity) return -Infinity;
  return <f64>shift + logDouble(exponentials(0, x, shift, count));
}

export function softmax(out: usize, x: usize, count: u32): void {
  const total = exponentials(out, x, largest(x, count), count);
  const factor = <f32>(1 / total);
  const by = f32x4.splat(factor);
  let to = out;
  for (let i = count >> 2; i != 0; i--) {
    v128.store(to, f32x4.mul(v128.load(to), by));
    to += 16;
  }
  if (count & 3) storeLanes(to, f32x4.mul(loadLanes(to, count & 3), by), count & 3);
}
