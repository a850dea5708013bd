/** Vectors of which only the first lanes belong to us, and sums across lanes. */

/** The first `count` (1 to 4) floats at `at`; the other lanes are 0. Reads nothing beyond them. */
// @ts-ignore: decorator
@inline
export function loadLanes(at: usize, count: u32): v128 {
  if (count >= 4) return v128.load(at);
  if (count == 1) return v128.load32_zero(at);
  let x = v128.load64_zero(at);
  if (count == 3) x = v128.load32_lane(at, x, 2, 8);
  return x;
}

/** Stores the first `count` (1 to 4) lanes of x at `at`, and nothing else. */
// @ts-ignore: decorator
@inline
export function storeLanes(at: usize, x: v128, count: u32): void {
  if (count >= 4) {
    v128.store(at, x);
  } else if (count == 1) {
    v128.store32_lane(at, x, 0);
  } else {
    v128.store64_lane(at, x, 0);
    if (count == 3) v128.store32_lane(at, x, 2, 8);
  }
}

/**
 * Stores (or adds) the first `width` (1 to 7) of the eight floats (low, high) at `at`. Always inline: a call would make its caller spill
 * every live vector.
 */
// @ts-ignore: decorator
@inline
export function storeColumns(at: usize, low: v128, high: v128, width: u32, accumulate: bool): void {
  let x = low;
  let to = at;
  if (width & 4) {
    v128.store(to, accumulate ? f32x4.add(v128.load(to), x) : x);
    to += 16;
    x = high;
  }
  if (width & 2) {
    v128.store64_lane(to, accumulate ? f32x4.add(v128.load64_zero(to), x) : x, 0);
    to += 8;
    x = v128.shuffle<i64>(x, x, 1, 1);
  }
  if (width & 1) v128.store32_lane(to, accumulate ? f32x4.add(v128.load32_zero(to), x) : x, 0);
}

/** (x0 + x2) + (x1 + x3) */
// @ts-ignore: decorator
@inline
export function sumLanes(x: v128): f32 {
  const pairs = f32x4.add(x, v128.shuffle<i32>(x, x, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

/** The largest lane; NaN if one is NaN. */
// @ts-ignore: decorator
@inline
export function maxLanes(x: v128): f32 {
  const pairs = f32x4.max(x, v128.shuffle<i32>(x, x, 2, 3, 0, 1));
  return max<f32>(f32x4.extract_lane(pairs, 0), f32x4.extract_lane(pairs, 1));
}

/** Lanes 0 and 1 in double precision. */
// @ts-ignore: decorator
@inline
export function lowDoubles(x: v128): v128 {
  return f64x2.promote_low_f32x4(x);
}

/** Lanes 2 and 3 in double precision. */
// @ts-ignore: decorator
@inline
export function highDoubles(x: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i32>(x, x, 2, 3, 2, 3));
}

/** x0 + x1 */
// @ts-ignore: decorator
@inline
export function sumDoubles(x: v128): f64 {
  return f64x2.extract_lane(x, 0) + f64x2.extract_lane(x, 1);
}

/** Adds the first `width` (1 to 4) lanes of x to as many doubles at `at`. */
// @ts-ignore: decorator
@inline
export function addToDoubles(at: usize, x: v128, width: u32): void {
  addDoubles(at, lowDoubles(x), min<u32>(width, 2));
  if (width > 2) addDoubles(at + 16, highDoubles(x), width - 2);
}

/** Adds one or two doubles to those at `at`. */
// @ts-ignore: decorator
@inline
function addDoubles(at: usize, x: v128, count: u32): void {
  if (count == 2) v128.store(at, f64x2.add(v128.load(at), x));
  else store<f64>(at, load<f64>(at) + f64x2.extract_lane(x, 0));
}
