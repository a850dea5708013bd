/** Sorting and deduplication of ids. */

/** Digits have at most 11 bits: their 2048 counters fit in a first-level cache beside the data. */
const DIGIT_BITS: u32 = 11;

/** Bits that a key of at most `maxKey` has; at least 1. */
// @ts-ignore: decorator
@inline
function bitLength(maxKey: u32): u32 {
  return maxKey == 0 ? 1 : 32 - clz<u32>(maxKey);
}

/**
 * Stable radix sort, least significant digit first, of (keys, values) by key. scratch holds 2^11 counters, then `count` keys and `count`
 * values. The bits of maxKey are divided evenly over as few passes as digits of 11 bits allow.
 */
export function sortPairs(keys: usize, values: usize, count: u32, maxKey: u32, scratch: usize): void {
  if (count < 2) return;
  const bytes = (<usize>count) << 2;
  const bits = bitLength(maxKey);
  const passes = (bits + DIGIT_BITS - 1) / DIGIT_BITS;
  const digitBits = (bits + passes - 1) / passes;
  let fromKeys = keys;
  let fromValues = values;
  let toKeys = scratch + ((<usize>1 << DIGIT_BITS) << 2);
  let toValues = toKeys + bytes;
  for (let pass: u32 = 0; pass < passes; pass++) {
    sortByDigit(toKeys, toValues, fromKeys, fromValues, count, pass * digitBits, digitBits, scratch);
    const keysNow = toKeys;
    const valuesNow = toValues;
    toKeys = fromKeys;
    toValues = fromValues;
    fromKeys = keysNow;
    fromValues = valuesNow;
  }
  if (fromKeys != keys) {
    memory.copy(keys, fromKeys, bytes);
    memory.copy(values, fromValues, bytes);
  }
}

function sortByDigit(
  toKeys: usize, toValues: usize, fromKeys: usize, fromValues: usize, count: u32, shift: u32, digitBits: u32, counters: usize,
): void {
  const digits: u32 = 1 << digitBits;
  const mask = digits - 1;
  memory.fill(counters, 0, (<usize>digits) << 2);
  for (let j: u32 = 0; j < count; j++) {
    const counter = counters + ((<usize>((load<u32>(fromKeys + ((<usize>j) << 2)) >> shift) & mask)) << 2);
    store<u32>(counter, load<u32>(counter) + 1);
  }
  let start: u32 = 0;
  for (let digit: u32 = 0; digit < digits; digit++) {
    const counter = counters + ((<usize>digit) << 2);
    const length = load<u32>(counter);
    store<u32>(counter, start);
    start += length;
  }
  for (let j: u32 = 0; j < count; j++) {
    const at = (<usize>j) << 2;
    const key = load<u32>(fromKeys + at);
    const counter = counters + ((<usize>((key >> shift) & mask)) << 2);
    const place = load<u32>(counter);
    store<u32>(counter, place + 1);
    store<u32>(toKeys + ((<usize>place) << 2), key);
    store<u32>(toValues + ((<usize>place) << 2), load<u32>(fromValues + at));
  }
}

export function uniqueRuns(unique: usize, offsets: usize, keys: usize, count: u32): u32 {
  let found: u32 = 0;
  let previous: i32 = -1;
  for (let j: u32 = 0; j < count; j++) {
    const key = load<i32>(keys + ((<usize>j) << 2));
    if (key != previous) {
      const at = (<usize>found) << 2;
      store<i32>(unique + at, key);
      store<u32>(offsets + at, j);
      previous = key;
      found++;
    }
  }
  store<u32>(offsets + ((<usize>found) << 2), count);
  return found;
}

export function mergeKeys(
  list: usize, C: u32, keys: usize, entries: usize, count: u32, place: usize, sorted: usize, offsets: usize,
): u32 {
  let written: u32 = 0;
  let j: u32 = 0;
  for (let c: u32 = 0; c < C; c++) {
    const at = (<usize>c) << 2;
    store<u32>(offsets + at, written);
    const id = load<i32>(list + at);
    while (j < count && load<i32>(keys + ((<usize>j) << 2)) < id) j++;
    for (; j < count && load<i32>(keys + ((<usize>j) << 2)) == id; j++) {
      written = putEntry(load<u32>(entries + ((<usize>j) << 2)), c, written, place, sorted);
    }
  }
  let U = C;
  let c: u32 = 0;
  for (j = 0; j < count; ) {
    const id = load<i32>(keys + ((<usize>j) << 2));
    while (c < C && load<i32>(list + ((<usize>c) << 2)) < id) c++;
    const known: bool = c < C && load<i32>(list + ((<usize>c) << 2)) == id;
    if (!known) {
      store<u32>(offsets + ((<usize>U) << 2), written);
      store<i32>(list + ((<usize>U) << 2), id);
    }
    for (; j < count && load<i32>(keys + ((<usize>j) << 2)) == id; j++) {
      if (!known) written = putEntry(load<u32>(entries + ((<usize>j) << 2)), U, written, place, sorted);
    }
    if (!known) U++;
  }
  store<u32>(offsets + ((<usize>U) << 2), written);
  return U;
}

// @ts-ignore: decorator
@inline
function putEntry(entry: u32, at: u32, written: u32, place: usize, sorted: usize): u32 {
  store<u32>(sorted + ((<usize>written) << 2), entry);
  store<u32>(place + ((<usize>entry) << 2), at);
  return written + 1;
}
