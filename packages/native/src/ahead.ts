/** Bytes that kernels ask for ahead of what they work on: enough to hide what memory takes, little enough to stay in the first-level cache. */
const AHEAD_BYTES = 8192;

/** How many rows ahead of its work a kernel should ask for lines, if it takes a row of D floats from each of `tables` tables at a time: 2 to 32. */
export function rowsAhead(tables: number, D: number): number {
  return Math.min(32, Math.max(2, Math.ceil(AHEAD_BYTES / (4 * D * tables))));
}
