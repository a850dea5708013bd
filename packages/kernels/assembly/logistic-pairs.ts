/** The logistic loss of all pairs of a candidate and a label of one row, value and gradients in one pass. */
import { expMinusAbs4, sigmoid4, softplus4 } from "./exp";
import { addToDoubles, highDoubles, loadLanes, lowDoubles, sumDoubles } from "./lanes";

/** Labels lie side by side, so four of them are met at once: a candidate's logit is one number for all. */
export function logisticPairs(
  z: usize, ld: u32, C: u32, scale: f32, add: usize, weight: usize,
  labels: usize, mass: usize, T: u32, coefficient: f32, pull: usize,
): f64 {
  const rowBytes = (<usize>ld) << 2;
  let loss: f64 = 0;
  for (let c: u32 = 0; c < C; c++) {
    const offset = (<usize>c) << 2;
    const at = z + <usize>c * rowBytes;
    let y = load<f32>(at) * scale;
    if (add != 0) y += load<f32>(add + offset);
    const w = weight == 0 ? <f32>1 : load<f32>(weight + offset);
    const logit = f32x4.splat(y);
    const times = f32x4.splat(w);
    let values = f64x2.splat(0);
    let slopes = f64x2.splat(0);
    for (let l: u32 = 0; l < T; l += 4) {
      const here = (<usize>l) << 2;
      const width = min<u32>(4, T - l);
      const difference = f32x4.sub(logit, loadLanes(labels + here, width));
      const m = f32x4.mul(times, mass == 0 ? onesOf(width) : loadLanes(mass + here, width));
      const e = expMinusAbs4(difference);
      const value = f32x4.mul(m, softplus4(difference, e));
      const slope = f32x4.mul(m, sigmoid4(difference, e));
      values = f64x2.add(values, f64x2.add(lowDoubles(value), highDoubles(value)));
      slopes = f64x2.add(slopes, f64x2.add(lowDoubles(slope), highDoubles(slope)));
      addToDoubles(pull + 2 * here, slope, width);
    }
    loss += sumDoubles(values);
    store<f32>(at, <f32>(<f64>coefficient * sumDoubles(slopes)));
  }
  return loss;
}

/** 1 in the first `width` lanes, 0 in the others. */
// @ts-ignore: decorator
@inline
function onesOf(width: u32): v128 {
  return v128.and(f32x4.splat(1), i32x4.lt_u(i32x4(0, 1, 2, 3), i32x4.splat(width)));
}
