/** The logistic losses of a tile z[class][row], value and gradient in one pass. */
import { expMinusAbs4, sigmoid4, softplus4 } from "./exp";
import { addToDoubles, loadLanes, storeLanes } from "./lanes";

/** Classes of a block: within it the loss is summed in float32, across blocks in float64. */
const BLOCK: u32 = 64;

export function logisticTile(
  z: usize, ld: u32, C: u32, R: u32, scale: f32, add: usize, weight: usize, coefficient: usize, loss: usize,
): void {
  const rowBytes = (<usize>ld) << 2;
  for (let c: u32 = 0; c < C; c += BLOCK) {
    const classes = min<u32>(BLOCK, C - c);
    const block = z + <usize>c * rowBytes;
    const addAt = add == 0 ? <usize>0 : add + ((<usize>c) << 2);
    const weightAt = weight == 0 ? <usize>0 : weight + ((<usize>c) << 2);
    let r: u32 = 0;
    for (; r + 4 <= R; r += 4) {
      const at = (<usize>r) << 2;
      logisticStrip(block + at, rowBytes, classes, scale, addAt, weightAt, coefficient + at, loss + 2 * at, 4);
    }
    const at = (<usize>r) << 2;
    if (r < R) {
      logisticStrip(block + at, rowBytes, classes, scale, addAt, weightAt, coefficient + at, loss + 2 * at, R - r);
    }
  }
}

/** One strip of `width` rows, one block of classes. */
// @ts-ignore: decorator
@inline
function logisticStrip(
  z: usize, rowBytes: usize, C: u32, scale: f32, add: usize, weight: usize, coefficient: usize, loss: usize, width: u32,
): void {
  const factor = loadLanes(coefficient, width);
  const off = f32x4.eq(factor, f32x4.splat(0));
  const slope = f32x4.splat(scale);
  let total = f32x4.splat(0);
  let at = z;
  let addAt = add;
  let weightAt = weight;
  for (let c = C; c != 0; c--) {
    let y = f32x4.mul(loadLanes(at, width), slope);
    if (add != 0) {
      y = f32x4.add(y, v128.load32_splat(addAt));
      addAt += 4;
    }
    const e = expMinusAbs4(y);
    let value = softplus4(y, e);
    let gradient = f32x4.mul(factor, sigmoid4(y, e));
    if (weight != 0) {
      const w = v128.load32_splat(weightAt);
      value = f32x4.mul(value, w);
      gradient = f32x4.mul(gradient, w);
      weightAt += 4;
    }
    total = f32x4.add(total, value);
    storeLanes(at, v128.andnot(gradient, off), width);
    at += rowBytes;
  }
  total = v128.andnot(total, off);
  addToDoubles(loss, total, width);
}
