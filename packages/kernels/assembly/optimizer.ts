/**
 * Row updates, fused: each element of gradient, weight and state is read and written once. With g = gradientScale·gradient + weightDecay·w;
 * the formulas stand in src/interface/optimizer.ts. State tables are laid out like the weight table.
 */
import { loadLanes, storeLanes, sumLanes } from "./lanes";
import { AHEAD, rowAddress, touchRows } from "./touch";

/** Touches what the next rows will read. Rows in sequence (indices 0) are left to the processor's own prefetching. */
// @ts-ignore: decorator
@inline
function touchNext(table: usize, rowBytes: usize, D: u32, indices: usize, first: u32, last: u32): void {
  if (indices != 0) touchRows(table, rowBytes, (<usize>D) << 2, indices, first, last);
}

/** g = gradientScale·gradient + weightDecay·w */
// @ts-ignore: decorator
@inline
function decayed(gradient: v128, w: v128, gradientScale: v128, weightDecay: v128): v128 {
  return f32x4.add(f32x4.mul(gradientScale, gradient), f32x4.mul(weightDecay, w));
}

export function updateSgd(
  table: usize, ldTable: u32, indices: usize, gradient: usize, ldGradient: u32, count: u32, D: u32,
  gradientScale: f32, weightDecay: f32, learningRate: f32,
): void {
  const tableBytes = (<usize>ldTable) << 2;
  const gradientBytes = (<usize>ldGradient) << 2;
  const scale = f32x4.splat(gradientScale);
  const decay = f32x4.splat(weightDecay);
  const rate = f32x4.splat(learningRate);
  let from = gradient;
  for (let j: u32 = 0; j < count; j++) {
    if (j % AHEAD == 0) touchNext(table, tableBytes, D, indices, j, min<u32>(j + AHEAD, count));
    let w = rowAddress(table, tableBytes, indices, j);
    let g = from;
    for (let d = D >> 2; d != 0; d--) {
      sgdStep(w, g, scale, decay, rate, 4);
      w += 16;
      g += 16;
    }
    if (D & 3) sgdStep(w, g, scale, decay, rate, D & 3);
    from += gradientBytes;
  }
}

// @ts-ignore: decorator
@inline
function sgdStep(w: usize, gradient: usize, scale: v128, decay: v128, rate: v128, width: u32): void {
  const old = loadLanes(w, width);
  const g = decayed(loadLanes(gradient, width), old, scale, decay);
  storeLanes(w, f32x4.sub(old, f32x4.mul(rate, g)), width);
}

export function updateMomentum(
  table: usize, ldTable: u32, indices: usize, gradient: usize, ldGradient: u32, count: u32, D: u32, state: usize,
  gradientScale: f32, weightDecay: f32, learningRate: f32, momentum: f32,
): void {
  const tableBytes = (<usize>ldTable) << 2;
  const gradientBytes = (<usize>ldGradient) << 2;
  const scale = f32x4.splat(gradientScale);
  const decay = f32x4.splat(weightDecay);
  const rate = f32x4.splat(learningRate);
  const keep = f32x4.splat(momentum);
  let from = gradient;
  for (let j: u32 = 0; j < count; j++) {
    if (j % AHEAD == 0) {
      const last = min<u32>(j + AHEAD, count);
      touchNext(table, tableBytes, D, indices, j, last);
      touchNext(state, tableBytes, D, indices, j, last);
    }
    let w = rowAddress(table, tableBytes, indices, j);
    let v = rowAddress(state, tableBytes, indices, j);
    let g = from;
    for (let d = D >> 2; d != 0; d--) {
      momentumStep(w, v, g, scale, decay, rate, keep, 4);
      w += 16;
      v += 16;
      g += 16;
    }
    if (D & 3) momentumStep(w, v, g, scale, decay, rate, keep, D & 3);
    from += gradientBytes;
  }
}

// @ts-ignore: decorator
@inline
function momentumStep(
  w: usize, v: usize, gradient: usize, scale: v128, decay: v128, rate: v128, keep: v128, width: u32,
): void {
  const old = loadLanes(w, width);
  const g = decayed(loadLanes(gradient, width), old, scale, decay);
  const velocity = f32x4.add(f32x4.mul(keep, loadLanes(v, width)), g);
  storeLanes(v, velocity, width);
  storeLanes(w, f32x4.sub(old, f32x4.mul(rate, velocity)), width);
}

export function updateAdagrad(
  table: usize, ldTable: u32, indices: usize, gradient: usize, ldGradient: u32, count: u32, D: u32, state: usize,
  gradientScale: f32, weightDecay: f32, learningRate: f32, epsilon: f32,
): void {
  const tableBytes = (<usize>ldTable) << 2;
  const gradientBytes = (<usize>ldGradient) << 2;
  const scale = f32x4.splat(gradientScale);
  const decay = f32x4.splat(weightDecay);
  const rate = f32x4.splat(learningRate);
  const floor = f32x4.splat(epsilon);
  let from = gradient;
  for (let j: u32 = 0; j < count; j++) {
    if (j % AHEAD == 0) {
      const last = min<u32>(j + AHEAD, count);
      touchNext(table, tableBytes, D, indices, j, last);
      touchNext(state, tableBytes, D, indices, j, last);
    }
    let w = rowAddress(table, tableBytes, indices, j);
    let a = rowAddress(state, tableBytes, indices, j);
    let g = from;
    for (let d = D >> 2; d != 0; d--) {
      adagradStep(w, a, g, scale, decay, rate, floor, 4);
      w += 16;
      a += 16;
      g += 16;
    }
    if (D & 3) adagradStep(w, a, g, scale, decay, rate, floor, D & 3);
    from += gradientBytes;
  }
}

// @ts-ignore: decorator
@inline
function adagradStep(
  w: usize, a: usize, gradient: usize, scale: v128, decay: v128, rate: v128, epsilon: v128, width: u32,
): void {
  const old = loadLanes(w, width);
  const g = decayed(loadLanes(gradient, width), old, scale, decay);
  const sum = f32x4.add(loadLanes(a, width), f32x4.mul(g, g));
  storeLanes(a, sum, width);
  const step = f32x4.div(f32x4.mul(rate, g), f32x4.add(f32x4.sqrt(sum), epsilon));
  storeLanes(w, f32x4.sub(old, step), width);
}

/** `state` holds one float a row of the table. */
export function updateRowwiseAdagrad(
  table: usize, ldTable: u32, indices: usize, gradient: usize, ldGradient: u32, count: u32, D: u32, state: usize,
  gradientScale: f32, weightDecay: f32, learningRate: f32, epsilon: f32,
): void {
  const tableBytes = (<usize>ldTable) << 2;
  const gradientBytes = (<usize>ldGradient) << 2;
  const scale = f32x4.splat(gradientScale);
  const decay = f32x4.splat(weightDecay);
  let from = gradient;
  for (let j: u32 = 0; j < count; j++) {
    if (j % AHEAD == 0) {
      const last = min<u32>(j + AHEAD, count);
      touchNext(table, tableBytes, D, indices, j, last);
      touchNext(state, 4, 1, indices, j, last);
    }
    const row = rowAddress(table, tableBytes, indices, j);
    const a = rowAddress(state, 4, indices, j);
    const sum = load<f32>(a) + meanSquare(row, from, scale, decay, D);
    store<f32>(a, sum);
    const rate = f32x4.splat(learningRate / (sqrt<f32>(sum) + epsilon));
    let w = row;
    let g = from;
    for (let d = D >> 2; d != 0; d--) {
      sgdStep(w, g, scale, decay, rate, 4);
      w += 16;
      g += 16;
    }
    if (D & 3) sgdStep(w, g, scale, decay, rate, D & 3);
    from += gradientBytes;
  }
}

/** mean_d g² of one row */
// @ts-ignore: decorator
@inline
function meanSquare(row: usize, gradient: usize, scale: v128, decay: v128, D: u32): f32 {
  let total = f32x4.splat(0);
  let at = row;
  let from = gradient;
  for (let d = D >> 2; d != 0; d--) {
    const g = decayed(v128.load(from), v128.load(at), scale, decay);
    total = f32x4.add(total, f32x4.mul(g, g));
    at += 16;
    from += 16;
  }
  if (D & 3) {
    const g = decayed(loadLanes(from, D & 3), loadLanes(at, D & 3), scale, decay);
    total = f32x4.add(total, f32x4.mul(g, g));
  }
  return sumLanes(total) / <f32>D;
}

/** rate is lr / correction1, unbias is 1 / correction2; gain1 = 1 − β₁, gain2 = 1 − β₂. */
export function updateAdam(
  table: usize, ldTable: u32, indices: usize, gradient: usize, ldGradient: u32, count: u32, D: u32,
  firstMoment: usize, secondMoment: usize, gradientScale: f32, weightDecay: f32, rate: f32, unbias: f32, epsilon: f32,
  beta1: f32, gain1: f32, beta2: f32, gain2: f32,
): void {
  const tableBytes = (<usize>ldTable) << 2;
  const gradientBytes = (<usize>ldGradient) << 2;
  const scale = f32x4.splat(gradientScale);
  const decay = f32x4.splat(weightDecay);
  let from = gradient;
  for (let j: u32 = 0; j < count; j++) {
    if (j % AHEAD == 0) {
      const last = min<u32>(j + AHEAD, count);
      touchNext(table, tableBytes, D, indices, j, last);
      touchNext(firstMoment, tableBytes, D, indices, j, last);
      touchNext(secondMoment, tableBytes, D, indices, j, last);
    }
    let w = rowAddress(table, tableBytes, indices, j);
    let m = rowAddress(firstMoment, tableBytes, indices, j);
    let v = rowAddress(secondMoment, tableBytes, indices, j);
    let g = from;
    for (let d = D >> 2; d != 0; d--) {
      adamStep(w, m, v, g, scale, decay, rate, unbias, epsilon, beta1, gain1, beta2, gain2, 4);
      w += 16;
      m += 16;
      v += 16;
      g += 16;
    }
    if (D & 3) adamStep(w, m, v, g, scale, decay, rate, unbias, epsilon, beta1, gain1, beta2, gain2, D & 3);
    from += gradientBytes;
  }
}

// @ts-ignore: decorator
@inline
function adamStep(
  w: usize, m: usize, v: usize, gradient: usize, scale: v128, decay: v128, rate: f32, unbias: f32, epsilon: f32,
  beta1: f32, gain1: f32, beta2: f32, gain2: f32, width: u32,
): void {
  const old = loadLanes(w, width);
  const g = decayed(loadLanes(gradient, width), old, scale, decay);
  const first = f32x4.add(
    f32x4.mul(f32x4.splat(beta1), loadLanes(m, width)),
    f32x4.mul(f32x4.splat(gain1), g),
  );
  const second = f32x4.add(
    f32x4.mul(f32x4.splat(beta2), loadLanes(v, width)),
    f32x4.mul(f32x4.splat(gain2), f32x4.mul(g, g)),
  );
  storeLanes(m, first, width);
  storeLanes(v, second, width);
  const root = f32x4.sqrt(f32x4.mul(second, f32x4.splat(unbias)));
  const step = f32x4.div(f32x4.mul(f32x4.splat(rate), first), f32x4.add(root, f32x4.splat(epsilon)));
  storeLanes(w, f32x4.sub(old, step), width);
}
