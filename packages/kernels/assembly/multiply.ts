/**
 * out (M, N) (+)= left (M, K) · packed (K, N), in tiles of 5 rows and one panel of 8 columns whose sums stay in registers.
 *
 * Blocking (Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", 2008): a block of K of one panel stays in the
 * first-level cache while the rows of the left operand pass by. Each sum runs over k in ascending order within a block of K, and the
 * blocks are added in ascending order: an element depends on its row, its column and K, not on where it stands or on M and N.
 */
import { columnsTile, rowsTile, stridedTile } from "../build/microkernels";
import { PANEL, PANEL_ROW_BYTES } from "./pack";

/** Rows of the largest tile. */
const TILE: u32 = 5;

/** Steps of k in a block: a panel's block takes 12 KiB, a quarter to a third of a first-level cache. */
const BLOCK_K: u32 = 384;

/** Rows of the left operand in a block: with BLOCK_K, at most 188 KiB of a second-level cache. */
const BLOCK_M: u32 = 125;

// @ts-ignore: decorator
@inline
function tile(
  rows: u32, out: usize, outBytes: usize, left: usize, rowBytes: usize, columnBytes: usize,
  panel: usize, K: u32, width: u32, accumulate: bool,
): void {
  if (columnBytes == 4) rowsTile(rows, out, outBytes, left, rowBytes, columnBytes, panel, K, width, accumulate);
  else if (rowBytes == 4) columnsTile(rows, out, outBytes, left, rowBytes, columnBytes, panel, K, width, accumulate);
  else stridedTile(rows, out, outBytes, left, rowBytes, columnBytes, panel, K, width, accumulate);
}

/** How many of the `left` rows the next tile takes: 5, but 6 and 7 go as 3 + 3 and 4 + 3, since narrow tiles are slow. */
// @ts-ignore: decorator
@inline
function nextRows(left: u32): u32 {
  if (left == 6) return 3;
  if (left == 7) return 4;
  return min<u32>(left, TILE);
}

function multiplyBlock(
  out: usize, outBytes: usize, left: usize, rowBytes: usize, columnBytes: usize,
  panels: usize, panelBytes: usize, M: u32, K: u32, N: u32, accumulate: bool,
): void {
  let panel = panels;
  for (let column: u32 = 0; column < N; column += PANEL) {
    const width = min<u32>(PANEL, N - column);
    let o = out + ((<usize>column) << 2);
    let a = left;
    for (let m = M; m != 0; ) {
      const rows = nextRows(m);
      tile(rows, o, outBytes, a, rowBytes, columnBytes, panel, K, width, accumulate);
      o += <usize>rows * outBytes;
      a += <usize>rows * rowBytes;
      m -= rows;
    }
    panel += panelBytes;
  }
}

export function multiply(
  out: usize, ldOut: u32, left: usize, rowStride: u32, columnStride: u32,
  packed: usize, M: u32, K: u32, N: u32, accumulate: bool,
): void {
  const outBytes = (<usize>ldOut) << 2;
  const rowBytes = (<usize>rowStride) << 2;
  const columnBytes = (<usize>columnStride) << 2;
  const panelBytes = <usize>K * PANEL_ROW_BYTES;
  let k: u32 = 0;
  // At least once: of no products the sum is 0.
  do {
    const depth = min<u32>(BLOCK_K, K - k);
    const add: bool = accumulate || k != 0;
    for (let m: u32 = 0; m < M; m += BLOCK_M) {
      multiplyBlock(
        out + <usize>m * outBytes, outBytes,
        left + <usize>m * rowBytes + <usize>k * columnBytes, rowBytes, columnBytes,
        packed + <usize>k * PANEL_ROW_BYTES, panelBytes, min<u32>(BLOCK_M, M - m), depth, N, add,
      );
    }
    k += depth;
  } while (k < K);
}
