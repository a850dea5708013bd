/** The rows of a softmax once all its tiles are in: a few numbers a row, in float64. */
import { expDouble, logDouble } from "./exp";

export function settleSoftmax(
  offsets: usize, dot: usize, add: usize, mass: usize, apart: bool, R: u32, scale: f64, weight: usize, max: usize, sum: usize,
  zLoss: f64, smoothing: f64, classes: f64, total: usize, lse: usize, coefficient: usize, uniform: usize, loss: usize,
): void {
  let next = load<u32>(offsets);
  for (let r: u32 = 0; r < R; r++) {
    const at = (<usize>r) << 2;
    const start = next;
    next = load<u32>(offsets + at, 4);
    const share = <f64>load<f32>(weight + at);
    const M = share == 0 ? <f64>0 : massOf(mass, start, next);
    if (M == 0) {
      memory.fill(dot + ((<usize>start) << 2), 0, (<usize>(next - start)) << 2);
      store<f32>(lse + at, 0);
      store<f32>(coefficient + at, 0);
      store<f64>(loss + 2 * at, 0);
      if (smoothing > 0) store<f32>(uniform + at, 0);
      continue;
    }
    let m = <f64>load<f32>(max + at);
    let s = load<f64>(sum + 2 * at);
    // e^(z − m) of the label that was folded in last, which most often is the only one.
    let last: f64 = 0;
    for (let l = start; apart && l < next; l++) {
      const z = logit(dot, add, l, scale);
      const decay = expDouble(-abs(z - m));
      const above = z > m;
      last = above ? 1 : decay;
      s = above ? s * decay + 1 : s + decay;
      m = above ? z : m;
    }
    const logPartition = m + logDouble(s);
    const pull = M + 2 * zLoss * logPartition;
    const slope = scale * share;
    let value = zLoss * logPartition * logPartition;
    if (smoothing > 0) {
      value += smoothing * M * (logPartition - load<f64>(total + 2 * at) / classes);
      store<f32>(uniform + at, <f32>(slope * M * smoothing / classes));
    }
    for (let l = start; l < next; l++) {
      const z = logit(dot, add, l, scale);
      const own = (1 - smoothing) * massAt(mass, l);
      value += own * (logPartition - z);
      const probability = !apart ? 0 : l + 1 == next ? last / s : expDouble(z - logPartition);
      store<f32>(dot + ((<usize>l) << 2), <f32>(slope * (pull * probability - own)));
    }
    store<f32>(lse + at, <f32>logPartition);
    store<f32>(coefficient + at, <f32>(slope * pull));
    store<f64>(loss + 2 * at, share * value);
  }
}

// @ts-ignore: decorator
@inline
function massOf(mass: usize, start: u32, end: u32): f64 {
  if (mass == 0) return <f64>(end - start);
  let sum: f64 = 0;
  for (let l = start; l < end; l++) sum += massAt(mass, l);
  return sum;
}

// @ts-ignore: decorator
@inline
function massAt(mass: usize, l: u32): f64 {
  return mass == 0 ? 1 : <f64>load<f32>(mass + ((<usize>l) << 2));
}

// @ts-ignore: decorator
@inline
function logit(dot: usize, add: usize, l: u32, scale: f64): f64 {
  const at = (<usize>l) << 2;
  return scale * <f64>load<f32>(dot + at) + (add == 0 ? 0 : <f64>load<f32>(add + at));
}
