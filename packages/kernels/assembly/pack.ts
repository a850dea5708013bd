/**
 * The packed right operand: panels of 8 columns one after another, each (K, 8) row-major, the last padded with zeros.
 * A microkernel reads a panel from front to back.
 */
import { loadLanes } from "./lanes";

/** Columns of a panel. */
export const PANEL: u32 = 8;

/** Bytes of one row of a panel. */
export const PANEL_ROW_BYTES: usize = 32;

/** Packs source (K, N), rows `ld` elements apart. */
export function packRight(packed: usize, source: usize, ld: u32, K: u32, N: u32): void {
  const rowBytes = (<usize>ld) << 2;
  for (let column: u32 = 0; column < N; column += PANEL) {
    const width = min<u32>(PANEL, N - column);
    const from = source + ((<usize>column) << 2);
    const panel = packed + <usize>column * <usize>K * 4;
    if (width == PANEL) copyPanel(panel, from, rowBytes, K);
    else copyNarrowPanel(panel, from, rowBytes, K, width);
  }
}

function copyPanel(panel: usize, source: usize, rowBytes: usize, K: u32): void {
  let from = source;
  let to = panel;
  for (let k = K >> 2; k != 0; k--) {
    const second = from + rowBytes;
    const third = second + rowBytes;
    const fourth = third + rowBytes;
    v128.store(to, v128.load(from));
    v128.store(to, v128.load(from, 16), 16);
    v128.store(to, v128.load(second), 32);
    v128.store(to, v128.load(second, 16), 48);
    v128.store(to, v128.load(third), 64);
    v128.store(to, v128.load(third, 16), 80);
    v128.store(to, v128.load(fourth), 96);
    v128.store(to, v128.load(fourth, 16), 112);
    from = fourth + rowBytes;
    to += 4 * PANEL_ROW_BYTES;
  }
  for (let k = K & 3; k != 0; k--) {
    v128.store(to, v128.load(from));
    v128.store(to, v128.load(from, 16), 16);
    from += rowBytes;
    to += PANEL_ROW_BYTES;
  }
}

function copyNarrowPanel(panel: usize, source: usize, rowBytes: usize, K: u32, width: u32): void {
  const first = min<u32>(width, 4);
  let from = source;
  let to = panel;
  for (let k = K; k != 0; k--) {
    v128.store(to, loadLanes(from, first));
    v128.store(to, width > 4 ? loadLanes(from + 16, width - 4) : f32x4.splat(0), 16);
    from += rowBytes;
    to += PANEL_ROW_BYTES;
  }
}

/** Packs the transpose of source (N, K), rows `ld` elements apart. */
export function packRightTransposed(packed: usize, source: usize, ld: u32, K: u32, N: u32): void {
  const rowBytes = (<usize>ld) << 2;
  for (let column: u32 = 0; column < N; column += PANEL) {
    const from = source + <usize>column * rowBytes;
    const panel = packed + <usize>column * <usize>K * 4;
    const width = min<u32>(PANEL, N - column);
    if (width == PANEL) {
      transposeFour(panel, from, rowBytes, K);
      transposeFour(panel + 16, from + 4 * rowBytes, rowBytes, K);
    } else {
      transposeNarrow(panel, from, rowBytes, K, width);
    }
  }
}

/** Four rows of K elements become half a panel: (K, 4), 8 elements apart. */
function transposeFour(panel: usize, source: usize, rowBytes: usize, K: u32): void {
  let r0 = source;
  let r1 = r0 + rowBytes;
  let r2 = r1 + rowBytes;
  let r3 = r2 + rowBytes;
  let to = panel;
  for (let k = K >> 2; k != 0; k--) {
    const x0 = v128.load(r0);
    const x1 = v128.load(r1);
    const x2 = v128.load(r2);
    const x3 = v128.load(r3);
    const low01 = v128.shuffle<i32>(x0, x1, 0, 4, 1, 5);
    const low23 = v128.shuffle<i32>(x2, x3, 0, 4, 1, 5);
    const high01 = v128.shuffle<i32>(x0, x1, 2, 6, 3, 7);
    const high23 = v128.shuffle<i32>(x2, x3, 2, 6, 3, 7);
    v128.store(to, v128.shuffle<i64>(low01, low23, 0, 2));
    v128.store(to, v128.shuffle<i64>(low01, low23, 1, 3), 32);
    v128.store(to, v128.shuffle<i64>(high01, high23, 0, 2), 64);
    v128.store(to, v128.shuffle<i64>(high01, high23, 1, 3), 96);
    r0 += 16;
    r1 += 16;
    r2 += 16;
    r3 += 16;
    to += 4 * PANEL_ROW_BYTES;
  }
  for (let k = K & 3; k != 0; k--) {
    store<f32>(to, load<f32>(r0));
    store<f32>(to, load<f32>(r1), 4);
    store<f32>(to, load<f32>(r2), 8);
    store<f32>(to, load<f32>(r3), 12);
    r0 += 4;
    r1 += 4;
    r2 += 4;
    r3 += 4;
    to += PANEL_ROW_BYTES;
  }
}

function transposeNarrow(panel: usize, source: usize, rowBytes: usize, K: u32, width: u32): void {
  for (let column: u32 = 0; column < PANEL; column++) {
    let from = source + <usize>column * rowBytes;
    let to = panel + ((<usize>column) << 2);
    for (let k = K; k != 0; k--) {
      store<f32>(to, column < width ? load<f32>(from) : 0);
      from += 4;
      to += PANEL_ROW_BYTES;
    }
  }
}
