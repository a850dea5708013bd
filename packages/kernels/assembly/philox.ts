/**
 * Philox 4x32-10, as in @logq/core, four blocks at a time: word by word, lane l of each vector belonging to block l, or transposed, so that each of
 * the four results holds the words of one block in their order.
 */
const MULTIPLIER_0: i32 = 0xd2511f53;
const MULTIPLIER_1: i32 = 0xcd9e8d57;
const WEYL_0: i32 = 0x9e3779b9;
const WEYL_1: i32 = 0xbb67ae85;
const ROUNDS: i32 = 10;

/** Words 0, 1, 2 and 3 of four blocks after `drawLanes`. Each instance has its own. */
export let lanes0: v128 = i32x4.splat(0);
export let lanes1: v128 = i32x4.splat(0);
export let lanes2: v128 = i32x4.splat(0);
export let lanes3: v128 = i32x4.splat(0);

/** The words of blocks block, block + 1, block + 2 and block + 3 after `drawFour`. Each instance has its own. */
export let words0: v128 = i32x4.splat(0);
export let words1: v128 = i32x4.splat(0);
export let words2: v128 = i32x4.splat(0);
export let words3: v128 = i32x4.splat(0);

/** Draws the blocks with counters (block + l, c1, c2, c3), l < 4, and key (keyLow, keyHigh): word by word. */
// @ts-ignore: decorator
@inline
export function drawLanes(block: u32, c1: u32, c2: u32, c3: u32, keyLow: u32, keyHigh: u32): void {
  let x0 = i32x4.add(i32x4.splat(block), i32x4(0, 1, 2, 3));
  let x1 = i32x4.splat(c1);
  let x2 = i32x4.splat(c2);
  let x3 = i32x4.splat(c3);
  let k0 = i32x4.splat(keyLow);
  let k1 = i32x4.splat(keyHigh);
  for (let round = 0; round < ROUNDS; round++) {
    const low0 = i64x2.extmul_low_i32x4_u(x0, i32x4.splat(MULTIPLIER_0));
    const high0 = i64x2.extmul_high_i32x4_u(x0, i32x4.splat(MULTIPLIER_0));
    const low1 = i64x2.extmul_low_i32x4_u(x2, i32x4.splat(MULTIPLIER_1));
    const high1 = i64x2.extmul_high_i32x4_u(x2, i32x4.splat(MULTIPLIER_1));
    x0 = v128.xor(v128.xor(v128.shuffle<i32>(low1, high1, 1, 3, 5, 7), x1), k0);
    x1 = v128.shuffle<i32>(low1, high1, 0, 2, 4, 6);
    x2 = v128.xor(v128.xor(v128.shuffle<i32>(low0, high0, 1, 3, 5, 7), x3), k1);
    x3 = v128.shuffle<i32>(low0, high0, 0, 2, 4, 6);
    k0 = i32x4.add(k0, i32x4.splat(WEYL_0));
    k1 = i32x4.add(k1, i32x4.splat(WEYL_1));
  }
  lanes0 = x0;
  lanes1 = x1;
  lanes2 = x2;
  lanes3 = x3;
}

/** The same, block by block. */
// @ts-ignore: decorator
@inline
export function drawFour(block: u32, c1: u32, c2: u32, c3: u32, keyLow: u32, keyHigh: u32): void {
  drawLanes(block, c1, c2, c3, keyLow, keyHigh);
  const x0 = lanes0;
  const x1 = lanes1;
  const x2 = lanes2;
  const x3 = lanes3;
  const a01 = v128.shuffle<i32>(x0, x1, 0, 4, 1, 5);
  const a23 = v128.shuffle<i32>(x2, x3, 0, 4, 1, 5);
  const b01 = v128.shuffle<i32>(x0, x1, 2, 6, 3, 7);
  const b23 = v128.shuffle<i32>(x2, x3, 2, 6, 3, 7);
  words0 = v128.shuffle<i64>(a01, a23, 0, 2);
  words1 = v128.shuffle<i64>(a01, a23, 1, 3);
  words2 = v128.shuffle<i64>(b01, b23, 0, 2);
  words3 = v128.shuffle<i64>(b01, b23, 1, 3);
}
