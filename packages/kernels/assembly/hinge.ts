/** The hinge of a tile z[class][row], value and gradient in one pass. */
import { addToDoubles, loadLanes, storeLanes } from "./lanes";

/** Classes of a block: within it the loss is summed in float32, across blocks in float64. */
const BLOCK: u32 = 64;

export function hingeTile(
  z: usize, ld: u32, C: u32, R: u32, scale: f32, add: usize, weight: usize, margin: f32, coefficient: usize, loss: usize,
): void {
  const rowBytes = (<usize>ld) << 2;
  for (let c: u32 = 0; c < C; c += BLOCK) {
    const classes = min<u32>(BLOCK, C - c);
    const block = z + <usize>c * rowBytes;
    const addAt = add == 0 ? <usize>0 : add + ((<usize>c) << 2);
    const weightAt = weight == 0 ? <usize>0 : weight + ((<usize>c) << 2);
    for (let r: u32 = 0; r < R; r += 4) {
      const at = (<usize>r) << 2;
      const width = min<u32>(4, R - r);
      hingeStrip(block + at, rowBytes, classes, scale, addAt, weightAt, margin, coefficient + at, loss + 2 * at, width);
    }
  }
}

/** One strip of `width` rows, one block of classes. */
// @ts-ignore: decorator
@inline
function hingeStrip(
  z: usize, rowBytes: usize, C: u32, scale: f32, add: usize, weight: usize, margin: f32, coefficient: usize, loss: usize,
  width: u32,
): void {
  const factor = loadLanes(coefficient, width);
  const off = f32x4.eq(factor, f32x4.splat(0));
  const slope = f32x4.splat(scale);
  const zero = f32x4.splat(0);
  let total = zero;
  let at = z;
  let addAt = add;
  let weightAt = weight;
  for (let c = C; c != 0; c--) {
    let y = f32x4.mul(loadLanes(at, width), slope);
    if (add != 0) {
      y = f32x4.add(y, v128.load32_splat(addAt));
      addAt += 4;
    }
    const excess = f32x4.sub(y, f32x4.splat(margin));
    // The maximum of 0 and NaN is NaN.
    let value = f32x4.max(zero, excess);
    let gradient = factor;
    if (weight != 0) {
      const w = v128.load32_splat(weightAt);
      value = f32x4.mul(value, w);
      gradient = f32x4.mul(gradient, w);
      weightAt += 4;
    }
    total = f32x4.add(total, value);
    storeLanes(at, v128.and(v128.andnot(gradient, off), f32x4.gt(excess, zero)), width);
    at += rowBytes;
  }
  addToDoubles(loss, v128.andnot(total, off), width);
}
