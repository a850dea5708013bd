/** Inverted dropout whose mask is a function of (key, layer, step, row, column): Philox 4x32-10, as in @logq/core. */

const MULTIPLIER_0: u64 = 0xd2511f53;
const MULTIPLIER_1: u64 = 0xcd9e8d57;
const WEYL_0: u32 = 0x9e3779b9;
const WEYL_1: u32 = 0xbb67ae85;
const ROUNDS: i32 = 10;

/**
 * y ← mask · y · scale. Columns 4b … 4b+3 of row i use the block with counter (firstBlock + b, firstRow + i, stepLow, stream) and key
 * (keyLow, keyHigh). A word below `threshold`, in [0, 2^32], drops its element.
 */
export function dropout(
  y: usize, ld: u32, rows: u32, columns: u32, threshold: f64, scale: f32,
  firstBlock: u32, firstRow: u32, stepLow: u32, stream: u32, keyLow: u32, keyHigh: u32,
): void {
  const rowBytes = (<usize>ld) << 2;
  const limit = <u64>threshold;
  let row = y;
  for (let i: u32 = 0; i < rows; i++) {
    let at = row;
    let block = firstBlock;
    for (let d = columns; d != 0; ) {
      const width = min<u32>(d, 4);
      maskBlock(at, width, limit, scale, block, firstRow + i, stepLow, stream, keyLow, keyHigh);
      at += 16;
      block++;
      d -= width;
    }
    row += rowBytes;
  }
}

// @ts-ignore: decorator
@inline
function maskBlock(
  at: usize, width: u32, limit: u64, scale: f32, c0: u32, c1: u32, c2: u32, c3: u32, keyLow: u32, keyHigh: u32,
): void {
  let x0 = c0;
  let x1 = c1;
  let x2 = c2;
  let x3 = c3;
  let k0 = keyLow;
  let k1 = keyHigh;
  for (let round = 0; round < ROUNDS; round++) {
    const product0 = MULTIPLIER_0 * <u64>x0;
    const product1 = MULTIPLIER_1 * <u64>x2;
    x0 = <u32>(product1 >> 32) ^ x1 ^ k0;
    x1 = <u32>product1;
    x2 = <u32>(product0 >> 32) ^ x3 ^ k1;
    x3 = <u32>product0;
    k0 += WEYL_0;
    k1 += WEYL_1;
  }
  maskElement(at, x0, limit, scale);
  if (width > 1) maskElement(at + 4, x1, limit, scale);
  if (width > 2) maskElement(at + 8, x2, limit, scale);
  if (width > 3) maskElement(at + 12, x3, limit, scale);
}

// @ts-ignore: decorator
@inline
function maskElement(at: usize, word: u32, limit: u64, scale: f32): void {
  store<f32>(at, <u64>word < limit ? 0 : load<f32>(at) * scale);
}
