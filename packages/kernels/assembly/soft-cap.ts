/** Logits of a tile z[class][row] within ±cap, and the way back. */
import { log4, tanh4 } from "./exp";
import { loadLanes, storeLanes } from "./lanes";

export function softCap(z: usize, ld: u32, C: u32, R: u32, scale: f32, add: usize, cap: f32): void {
  const rowBytes = (<usize>ld) << 2;
  const infinite = f32x4.splat(Infinity);
  const inverse = f32x4.splat(1 / cap);
  for (let c: u32 = 0; c < C; c++) {
    const row = z + <usize>c * rowBytes;
    const b = add == 0 ? f32x4.splat(0) : v128.load32_splat(add + ((<usize>c) << 2));
    for (let r: u32 = 0; r < R; r += 4) {
      const at = row + ((<usize>r) << 2);
      const width = min<u32>(4, R - r);
      const y = f32x4.add(f32x4.mul(loadLanes(at, width), f32x4.splat(scale)), b);
      const capped = f32x4.mul(f32x4.splat(cap), tanh4(f32x4.mul(y, inverse)));
      storeLanes(at, v128.bitselect(y, capped, f32x4.eq(f32x4.abs(y), infinite)), width);
    }
  }
}

export function softCapSlopes(
  z: usize, ld: u32, C: u32, R: u32, reference: usize, factor: usize, add: usize, cap: f32,
): void {
  const rowBytes = (<usize>ld) << 2;
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  const inverse = f32x4.splat(1 / cap);
  for (let c: u32 = 0; c < C; c++) {
    const row = z + <usize>c * rowBytes;
    const b = add == 0 ? zero : v128.load32_splat(add + ((<usize>c) << 2));
    for (let r: u32 = 0; r < R; r += 4) {
      const offset = (<usize>r) << 2;
      const width = min<u32>(4, R - r);
      const value = loadLanes(row + offset, width);
      const e = factor == 0 ? value : f32x4.div(value, loadLanes(factor + offset, width));
      const x = f32x4.sub(f32x4.add(log4(e), loadLanes(reference + offset, width)), b);
      const t = f32x4.mul(x, inverse);
      const slope = f32x4.pmax(zero, f32x4.sub(one, f32x4.mul(t, t)));
      storeLanes(row + offset, v128.andnot(f32x4.mul(value, slope), f32x4.eq(value, zero)), width);
    }
  }
}
