/** Bias, activations and their backward pass; column sums. */
import { tanh4 } from "./exp";
import { loadLanes, storeLanes } from "./lanes";

const RELU: i32 = 1;
const TANH: i32 = 2;

export function biasActivate(
  y: usize, ld: u32, rows: u32, columns: u32, bias: usize, activation: i32,
): void {
  const rowBytes = (<usize>ld) << 2;
  let row = y;
  for (let i = rows; i != 0; i--) {
    let at = row;
    let biasAt = bias;
    for (let d = columns >> 2; d != 0; d--) {
      v128.store(at, activate(bias == 0 ? v128.load(at) : f32x4.add(v128.load(at), v128.load(biasAt)), activation));
      at += 16;
      biasAt += 16;
    }
    const rest = columns & 3;
    if (rest) {
      const x = loadLanes(at, rest);
      storeLanes(at, activate(bias == 0 ? x : f32x4.add(x, loadLanes(biasAt, rest)), activation), rest);
    }
    row += rowBytes;
  }
}

// @ts-ignore: decorator
@inline
function activate(x: v128, activation: i32): v128 {
  // pmax(x, 0) is x where x is NaN.
  if (activation == RELU) return f32x4.pmax(x, f32x4.splat(0));
  if (activation == TANH) return tanh4(x);
  return x;
}

export function activationBackward(
  dy: usize, ldDy: u32, y: usize, ldY: u32, rows: u32, columns: u32, activation: i32,
): void {
  if (activation != RELU && activation != TANH) return;
  const dyBytes = (<usize>ldDy) << 2;
  const yBytes = (<usize>ldY) << 2;
  let dyRow = dy;
  let yRow = y;
  for (let i = rows; i != 0; i--) {
    let at = dyRow;
    let from = yRow;
    for (let d = columns; d != 0; ) {
      const width = min<u32>(d, 4);
      storeLanes(at, activationGradient(loadLanes(at, width), loadLanes(from, width), activation), width);
      at += 16;
      from += 16;
      d -= width;
    }
    dyRow += dyBytes;
    yRow += yBytes;
  }
}

// @ts-ignore: decorator
@inline
function activationGradient(dy: v128, y: v128, activation: i32): v128 {
  if (activation == RELU) return v128.and(dy, f32x4.gt(y, f32x4.splat(0)));
  return f32x4.mul(dy, f32x4.sub(f32x4.splat(1), f32x4.mul(y, y)));
}

export function columnSums(out: usize, source: usize, ld: u32, rows: u32, columns: u32): void {
  const rowBytes = (<usize>ld) << 2;
  let to = out;
  let column = source;
  for (let d = columns; d != 0; ) {
    const width = min<u32>(d, 4);
    let total = f32x4.splat(0);
    let at = column;
    for (let i = rows; i != 0; i--) {
      total = f32x4.add(total, loadLanes(at, width));
      at += rowBytes;
    }
    storeLanes(to, total, width);
    to += 16;
    column += 16;
    d -= width;
  }
}
