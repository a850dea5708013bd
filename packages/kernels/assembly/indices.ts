/** Sorting and deduplication of ids. */

/** Digits have at most 11 bits: their 2048 counters fit in a first-level cache beside the data. */
const DIGIT_BITS: u32 = 11;

/** Bits that a key of at most `maxKey` has; at least 1. */
// @ts-ignore: decorator
@inline
function bitLength(maxKey: u32): u32 {
  return maxKey == 0 ? 1 : 32 - clz<u32>(maxKey);
}

/** Counters of a pass, a whole number of vectors. */
const COUNTER_BYTES: usize = (<usize>1 << DIGIT_BITS) << 2;

/** Keys of 31 bits have three digits at most. */
const MOST_PASSES: usize = 3;

/**
 * Stable radix sort, least significant digit first, of (keys, values) by key. scratch holds 2^11 counters for each of three passes, then 2·`count`
 * pairs. The bits of maxKey are divided evenly over as few passes as digits of 11 bits allow. On the way a key and its value are one number of 64 bits,
 * the key in the lower half.
 */
export function sortPairs(keys: usize, values: usize, count: u32, maxKey: u32, scratch: usize): void {
  if (count < 2) return;
  const bits = bitLength(maxKey);
  const passes = (bits + DIGIT_BITS - 1) / DIGIT_BITS;
  const digitBits = (bits + passes - 1) / passes;
  let from = scratch + MOST_PASSES * COUNTER_BYTES;
  let to = from + ((<usize>count) << 3);
  joinAndCount(from, keys, values, count, passes, digitBits, scratch);
  for (let pass: u32 = 0; pass < passes; pass++) {
    const counters = scratch + pass * COUNTER_BYTES;
    startsOfRuns(counters, <u32>1 << digitBits);
    if (pass + 1 == passes) {
      sortApart(keys, values, from, count, pass * digitBits, digitBits, counters);
    } else {
      sortByDigit(to, from, count, pass * digitBits, digitBits, counters);
      const now = to;
      to = from;
      from = now;
    }
  }
}

/** Pairs from keys and values, and how often each digit of each pass occurs: that does not depend on the order. */
function joinAndCount(
  pairs: usize, keys: usize, values: usize, count: u32, passes: u32, digitBits: u32, counters: usize,
): void {
  const mask = ((<u32>1) << digitBits) - 1;
  for (let pass: u32 = 0; pass < passes; pass++) memory.fill(counters + pass * COUNTER_BYTES, 0, (<usize>mask + 1) << 2);
  const second = counters + COUNTER_BYTES;
  const third = second + COUNTER_BYTES;
  for (let j: u32 = 0; j < count; j++) {
    const at = (<usize>j) << 2;
    const key = load<u32>(keys + at);
    store<u64>(pairs + (at << 1), ((<u64>load<u32>(values + at)) << 32) | key);
    countDigit(counters, key & mask);
    if (passes > 1) countDigit(second, (key >> digitBits) & mask);
    if (passes > 2) countDigit(third, (key >> (2 * digitBits)) & mask);
  }
}

// @ts-ignore: decorator
@inline
function countDigit(counters: usize, digit: u32): void {
  const counter = counters + ((<usize>digit) << 2);
  store<u32>(counter, load<u32>(counter) + 1);
}

/** Turns counts into where each digit's run starts: sums of what stands before, four at a time. */
function startsOfRuns(counters: usize, digits: u32): void {
  let start = i32x4.splat(0);
  const zero = i32x4.splat(0);
  for (let digit: u32 = 0; digit < digits; digit += 4) {
    const at = counters + ((<usize>digit) << 2);
    const counts = v128.load(at);
    const ofTwo = i32x4.add(counts, v128.shuffle<i32>(zero, counts, 0, 4, 5, 6));
    const sums = i32x4.add(ofTwo, v128.shuffle<i32>(zero, ofTwo, 0, 0, 4, 5));
    v128.store(at, i32x4.add(start, i32x4.sub(sums, counts)));
    start = i32x4.add(start, v128.shuffle<i32>(sums, sums, 3, 3, 3, 3));
  }
}

/** The next place of the key's digit. */
// @ts-ignore: decorator
@inline
function takePlace(key: u32, shift: u32, mask: u32, counters: usize): usize {
  const counter = counters + ((<usize>((key >> shift) & mask)) << 2);
  const place = load<u32>(counter);
  store<u32>(counter, place + 1);
  return <usize>place;
}

function sortByDigit(to: usize, from: usize, count: u32, shift: u32, digitBits: u32, counters: usize): void {
  const mask = ((<u32>1) << digitBits) - 1;
  for (let j: u32 = 0; j < count; j++) {
    const pair = load<u64>(from + ((<usize>j) << 3));
    store<u64>(to + (takePlace(<u32>pair, shift, mask, counters) << 3), pair);
  }
}

/** The last pass: keys and values where they belong. */
function sortApart(keys: usize, values: usize, from: usize, count: u32, shift: u32, digitBits: u32, counters: usize): void {
  const mask = ((<u32>1) << digitBits) - 1;
  for (let j: u32 = 0; j < count; j++) {
    const pair = load<u64>(from + ((<usize>j) << 3));
    const place = takePlace(<u32>pair, shift, mask, counters) << 2;
    store<u32>(keys + place, <u32>pair);
    store<u32>(values + place, <u32>(pair >> 32));
  }
}

/** No branch depends on the keys: of a run that goes on, what is written comes where the next run will. */
export function uniqueRuns(unique: usize, offsets: usize, keys: usize, count: u32): u32 {
  let found: u32 = 0;
  let previous: i32 = -1;
  for (let j: u32 = 0; j < count; j++) {
    const key = load<i32>(keys + ((<usize>j) << 2));
    const at = (<usize>found) << 2;
    store<i32>(unique + at, key);
    store<u32>(offsets + at, j);
    found += u32(key != previous);
    previous = key;
  }
  store<u32>(offsets + ((<usize>found) << 2), count);
  return found;
}

/** One walk through both: entries of ids that the list lacks are kept where entries stand, which are read by then, and follow at the end. */
export function mergeKeys(
  list: usize, C: u32, keys: usize, entries: usize, count: u32, place: usize, sorted: usize, offsets: usize,
): u32 {
  let written: u32 = 0;
  let kept: u32 = 0;
  let U = C;
  let c: u32 = 0;
  for (let j: u32 = 0; j < count; ) {
    const id = load<i32>(keys + ((<usize>j) << 2));
    for (; c < C && load<i32>(list + ((<usize>c) << 2)) < id; c++) store<u32>(offsets + ((<usize>c) << 2), written);
    const known: bool = c < C && load<i32>(list + ((<usize>c) << 2)) == id;
    const at = known ? c : U;
    const to = known ? sorted : entries;
    let next = known ? written : kept;
    store<i32>(list + ((<usize>at) << 2), id);
    store<u32>(offsets + ((<usize>at) << 2), next);
    do {
      const entry = load<u32>(entries + ((<usize>j) << 2));
      store<u32>(to + ((<usize>next) << 2), entry);
      store<u32>(place + ((<usize>entry) << 2), at);
      next++;
      j++;
    } while (j < count && load<i32>(keys + ((<usize>j) << 2)) == id);
    written = known ? next : written;
    kept = known ? kept : next;
    c += u32(known);
    U += u32(!known);
  }
  for (; c < C; c++) store<u32>(offsets + ((<usize>c) << 2), written);
  for (let u = C; u < U; u++) {
    const offset = offsets + ((<usize>u) << 2);
    store<u32>(offset, load<u32>(offset) + written);
  }
  memory.copy(sorted + ((<usize>written) << 2), entries, (<usize>kept) << 2);
  store<u32>(offsets + ((<usize>U) << 2), written + kept);
  return U;
}
