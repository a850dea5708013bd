/**
 * Draws into memory: the words of Philox, four blocks at a time, and what is made of them.
 */
import { logDouble, portableExp } from "./exp";
import { storeLanes } from "./lanes";
import { drawLanes, lanes0, lanes1, lanes2, lanes3 } from "./philox";
import { touch } from "./touch";

/** 2^26 and 2^−53: a uniform is (a >> 5)·2^26 + (b >> 6), divided by 2^53. */
const TWO_26: f64 = 67108864;
const ULP: f64 = 1.1102230246251565e-16;

/** Draws whose lines of the table are touched before one of them is used. A multiple of 4. */
const GROUP: u32 = 32;

const RECORD_BYTES: usize = 24;

/** Uniforms of lanes 0 and 1 from their words. */
// @ts-ignore: decorator
@inline
function lowUniforms(a: v128, b: v128): v128 {
  const high = f64x2.mul(f64x2.convert_low_i32x4_u(i32x4.shr_u(a, 5)), f64x2.splat(TWO_26));
  return f64x2.mul(f64x2.add(high, f64x2.convert_low_i32x4_u(i32x4.shr_u(b, 6))), f64x2.splat(ULP));
}

/** The upper two lanes, where the lower two were. */
// @ts-ignore: decorator
@inline
function upper(x: v128): v128 {
  return v128.shuffle<i64>(x, x, 1, 1);
}

/** What to make of four pairs: ⌊u₁·range⌋, that and u₂, or as the log-uniform law has it. */
const INTEGERS: u32 = 0;
const COLUMNS: u32 = 1;
const EXPONENTIALS: u32 = 2;

/** (⌊e^(u·logRange)⌋ − 1) mod n of one uniform. */
// @ts-ignore: decorator
@inline
function logUniformId(u: f64, n: u32, logRange: f64): u32 {
  return (<u32>portableExp(u * logRange) - 1) % n;
}

/**
 * Four pairs, of blocks `block` … `block` + 3: `count` (1 to 4) ids and, of COLUMNS, u₂ as four doubles to `seconds`. `n` is for EXPONENTIALS
 * alone, whose `range` is log(n + 1).
 */
// @ts-ignore: decorator
@inline
function fourPairs(
  what: u32, ids: usize, count: u32, range: f64, n: u32, seconds: usize,
  block: u32, c1: u32, c2: u32, c3: u32, keyLow: u32, keyHigh: u32,
): void {
  drawLanes(block, c1, c2, c3, keyLow, keyHigh);
  const x0 = lanes0;
  const x1 = lanes1;
  const x2 = lanes2;
  const x3 = lanes3;
  const low = lowUniforms(x0, x1);
  const high = lowUniforms(upper(x0), upper(x1));
  if (what == EXPONENTIALS) {
    store<u32>(ids, logUniformId(f64x2.extract_lane(low, 0), n, range));
    if (count > 1) store<u32>(ids, logUniformId(f64x2.extract_lane(low, 1), n, range), 4);
    if (count > 2) store<u32>(ids, logUniformId(f64x2.extract_lane(high, 0), n, range), 8);
    if (count > 3) store<u32>(ids, logUniformId(f64x2.extract_lane(high, 1), n, range), 12);
    return;
  }
  // What is converted is not negative, so that truncating is ⌊ ⌋.
  const scale = f64x2.splat(range);
  const drawn = v128.shuffle<i64>(
    i32x4.trunc_sat_f64x2_u_zero(f64x2.mul(low, scale)),
    i32x4.trunc_sat_f64x2_u_zero(f64x2.mul(high, scale)),
    0, 2,
  );
  storeLanes(ids, drawn, count);
  if (what == INTEGERS) return;
  v128.store(seconds, lowUniforms(x2, x3));
  v128.store(seconds, lowUniforms(upper(x2), upper(x3)), 16);
}

export function logUniformIds(
  ids: usize, count: u32, n: u32, logRange: f64, first: u32, item: u32, stepLow: u32, stream: u32, keyLow: u32, keyHigh: u32,
): void {
  for (let i: u32 = 0; i < count; i += 4) {
    const at = ids + ((<usize>i) << 2);
    const left = min<u32>(4, count - i);
    fourPairs(EXPONENTIALS, at, left, logRange, n, 0, first + i, item, stepLow, stream, keyLow, keyHigh);
  }
}

/** From here on the series is as exact as a logarithm of a number near 1, and shorter. */
const FAR: u32 = 32;

/** log(1 + 1/(id + 1)): 2·atanh(s), s = 1/(2·id + 3), relative error below 1e-14. */
// @ts-ignore: decorator
@inline
function logOfStep(id: u32): f64 {
  if (id < FAR) return logDouble((<f64>id + 2) / (<f64>id + 1));
  const s = 1 / (2 * <f64>id + 3);
  const t = s * s;
  return 2 * s * (1 + t * (1.0 / 3.0 + t * (1.0 / 5.0 + t * (1.0 / 7.0 + t * (1.0 / 9.0)))));
}

export function logUniformLogs(out: usize, ids: usize, count: u32, offset: f64): void {
  for (let i: u32 = 0; i < count; i++) {
    const at = (<usize>i) << 2;
    store<f32>(out + at, <f32>(offset + logDouble(logOfStep(load<u32>(ids + at)))));
  }
}

/** Pairs of uniforms of blocks `first` … `first` + `count` − 1. */
export function uniformPairs(
  out: usize, count: u32, first: u32, item: u32, stepLow: u32, stream: u32, keyLow: u32, keyHigh: u32,
): void {
  for (let i: u32 = 0; i < count; i += 4) {
    const at = out + ((<usize>i) << 4);
    drawLanes(first + i, item, stepLow, stream, keyLow, keyHigh);
    const x0 = lanes0;
    const x1 = lanes1;
    const x2 = lanes2;
    const x3 = lanes3;
    storePairs(at, min<u32>(2, count - i), lowUniforms(x0, x1), lowUniforms(x2, x3));
    if (count - i <= 2) return;
    storePairs(at + 32, min<u32>(2, count - i - 2), lowUniforms(upper(x0), upper(x1)), lowUniforms(upper(x2), upper(x3)));
  }
}

/** Two pairs, or the first of them, from their first uniforms and their second ones. */
// @ts-ignore: decorator
@inline
function storePairs(out: usize, count: u32, first: v128, second: v128): void {
  v128.store(out, v128.shuffle<i64>(first, second, 0, 2));
  if (count > 1) v128.store(out, v128.shuffle<i64>(first, second, 1, 3), 16);
}

export function uniformIds(
  ids: usize, count: u32, range: f64, first: u32, item: u32, stepLow: u32, stream: u32, keyLow: u32, keyHigh: u32,
): void {
  for (let i: u32 = 0; i < count; i += 4) {
    const at = ids + ((<usize>i) << 2);
    fourPairs(INTEGERS, at, min<u32>(4, count - i), range, 0, 0, first + i, item, stepLow, stream, keyLow, keyHigh);
  }
}

/** `scratch` holds GROUP doubles. */
export function aliasIds(
  ids: usize, count: u32, table: usize, n: f64, first: u32, item: u32, stepLow: u32, stream: u32, keyLow: u32, keyHigh: u32,
  scratch: usize,
): void {
  for (let i: u32 = 0; i < count; i += GROUP) {
    const draws = min<u32>(GROUP, count - i);
    const columns = ids + ((<usize>i) << 2);
    for (let j: u32 = 0; j < draws; j += 4) {
      const at = columns + ((<usize>j) << 2);
      const seconds = scratch + ((<usize>j) << 3);
      fourPairs(COLUMNS, at, min<u32>(4, draws - j), n, 0, seconds, first + i + j, item, stepLow, stream, keyLow, keyHigh);
    }
    touchRecords(table, columns, draws);
    for (let j: u32 = 0; j < draws; j++) {
      const at = columns + ((<usize>j) << 2);
      const column = load<u32>(at);
      const record = table + <usize>column * RECORD_BYTES;
      const stays = load<f64>(scratch + ((<usize>j) << 3)) < load<f64>(record);
      store<u32>(at, select<u32>(column, load<u32>(record, 16), stays));
    }
  }
}

/** Reads both ends of each record: it may lie across two lines. */
// @ts-ignore: decorator
@inline
function touchRecords(table: usize, ids: usize, count: u32): void {
  let sink: i32 = 0;
  for (let j: u32 = 0; j < count; j++) {
    const record = table + <usize>load<u32>(ids + ((<usize>j) << 2)) * RECORD_BYTES;
    sink ^= load<i32>(record) ^ load<i32>(record, 16);
  }
  touch(sink);
}

export function aliasLogs(out: usize, ids: usize, count: u32, table: usize, offset: f64): void {
  for (let i: u32 = 0; i < count; i++) {
    const at = (<usize>i) << 2;
    const record = table + <usize>load<u32>(ids + at) * RECORD_BYTES;
    store<f32>(out + at, <f32>(offset + load<f64>(record, 8)));
  }
}

/** The finaliser of MurmurHash3, as in @logq/core. */
// @ts-ignore: decorator
@inline
function mix(x: u32): u32 {
  let h = x;
  h ^= h >> 16;
  h *= 0x85ebca6b;
  h ^= h >> 13;
  h *= 0xc2b2ae35;
  return h ^ (h >> 16);
}

/**
 * Walks each cycle until it is back in range. Whether a walk ends is a coin's toss, so there is no branch on it: a turn takes a step of all walks that are
 * under way, side by side, and `scratch` says which those are.
 */
export function permuted(
  out: usize, count: u32, size: u32, halfBits: u32, first: u32, scratch: usize,
  k0: u32, k1: u32, k2: u32, k3: u32, k4: u32, k5: u32, k6: u32, k7: u32,
): void {
  const mask: u32 = (1 << halfBits) - 1;
  for (let i: u32 = 0; i < count; i++) {
    store<u32>(out + ((<usize>i) << 2), first + i);
    store<u32>(scratch + ((<usize>i) << 2), i);
  }
  for (let walks = count; walks > 0; ) {
    let left: u32 = 0;
    for (let w: u32 = 0; w < walks; w++) {
      const i = load<u32>(scratch + ((<usize>w) << 2));
      const value = load<u32>(out + ((<usize>i) << 2));
      let high = value >> halfBits;
      let low = value & mask;
      high ^= mix(low ^ k0) & mask;
      low ^= mix(high ^ k1) & mask;
      high ^= mix(low ^ k2) & mask;
      low ^= mix(high ^ k3) & mask;
      high ^= mix(low ^ k4) & mask;
      low ^= mix(high ^ k5) & mask;
      high ^= mix(low ^ k6) & mask;
      low ^= mix(high ^ k7) & mask;
      const next = (high << halfBits) | low;
      store<u32>(out + ((<usize>i) << 2), next);
      store<u32>(scratch + ((<usize>left) << 2), i);
      left += <u32>(next >= size);
    }
    walks = left;
  }
}
