/** Sums over a tile z[class][row] in either direction. */
import { loadLanes, storeLanes, sumLanes } from "./lanes";

export function sumOverClasses(out: usize, z: usize, ld: u32, C: u32, R: u32): void {
  const rowBytes = (<usize>ld) << 2;
  let r: u32 = 0;
  for (; r + 2 <= R; r += 2) {
    const to = out + ((<usize>r) << 3);
    let total = v128.load(to);
    let at = z + ((<usize>r) << 2);
    for (let c = C; c != 0; c--) {
      total = f64x2.add(total, f64x2.promote_low_f32x4(v128.load64_zero(at)));
      at += rowBytes;
    }
    v128.store(to, total);
  }
  if (r < R) {
    const to = out + ((<usize>r) << 3);
    let total = load<f64>(to);
    let at = z + ((<usize>r) << 2);
    for (let c = C; c != 0; c--) {
      total += <f64>load<f32>(at);
      at += rowBytes;
    }
    store<f64>(to, total);
  }
}

export function sumOverRows(out: usize, z: usize, ld: u32, C: u32, R: u32): void {
  const rowBytes = (<usize>ld) << 2;
  let row = z;
  let to = out;
  for (let c = C; c != 0; c--) {
    let first = f32x4.splat(0);
    let second = f32x4.splat(0);
    let at = row;
    for (let r = R >> 3; r != 0; r--) {
      first = f32x4.add(first, v128.load(at));
      second = f32x4.add(second, v128.load(at, 16));
      at += 32;
    }
    if (R & 4) {
      first = f32x4.add(first, v128.load(at));
      at += 16;
    }
    if (R & 3) second = f32x4.add(second, loadLanes(at, R & 3));
    store<f32>(to, sumLanes(f32x4.add(first, second)));
    row += rowBytes;
    to += 4;
  }
}

export function subtractPerRow(z: usize, ld: u32, C: u32, R: u32, value: usize): void {
  const rowBytes = (<usize>ld) << 2;
  let row = z;
  for (let c = C; c != 0; c--) {
    let at = row;
    let from = value;
    for (let r = R >> 2; r != 0; r--) {
      v128.store(at, f32x4.sub(v128.load(at), v128.load(from)));
      at += 16;
      from += 16;
    }
    if (R & 3) storeLanes(at, f32x4.sub(loadLanes(at, R & 3), loadLanes(from, R & 3)), R & 3);
    row += rowBytes;
  }
}
