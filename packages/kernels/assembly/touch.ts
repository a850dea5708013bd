/** Touching the cache lines of coming rows: their misses overlap instead of being waited for one by one. */

/** Rows touched at once. 32 rows of 128 floats are 16 KiB: inside a first-level cache, and deep enough for the walks of page tables to overlap. */
export const AHEAD: u32 = 32;

const LINE_BYTES: usize = 64;

/** Exported, so that no optimizer can prove the touching loads useless. Each instance has its own. */
export let touched: i32 = 0;

/** Keeps loads alive that were made for what they do to the caches. */
// @ts-ignore: decorator
@inline
export function touch(sink: i32): void {
  touched = sink;
}

/** The address of row indices[j] of a table, or of row j where indices is 0. */
// @ts-ignore: decorator
@inline
export function rowAddress(table: usize, rowBytes: usize, indices: usize, j: u32): usize {
  const row = indices == 0 ? j : load<u32>(indices + ((<usize>j) << 2));
  return table + <usize>row * rowBytes;
}

/**
 * Reads each line of the first `bytes` bytes of rows indices[j], first <= j < last: of all rows the first line, so that their address
 * translations overlap, then all lines.
 */
export function touchRows(table: usize, rowBytes: usize, bytes: usize, indices: usize, first: u32, last: u32): void {
  let sink: i32 = 0;
  for (let j = first; j < last; j++) sink ^= load<u8>(rowAddress(table, rowBytes, indices, j));
  for (let j = first; j < last; j++) {
    const row = rowAddress(table, rowBytes, indices, j);
    for (let offset: usize = LINE_BYTES; offset < bytes; offset += LINE_BYTES) sink ^= load<u8>(row + offset);
  }
  touch(sink);
}
