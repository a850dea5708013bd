import type { VectorKernels } from "../interface/vector.js";
import type { KernelMemory } from "../memory.js";
import { exponential, sigmoid, softplus } from "./functions.js";

/** Elementwise functions and reductions: correctly rounded where Math's are. */
export function referenceVector({ f32 }: KernelMemory): VectorKernels {
  function apply(out: number, x: number, count: number, f: (x: number) => number): void {
    for (let i = 0; i < count; i++) f32[(out >>> 2) + i] = f(f32[(x >>> 2) + i]!);
  }

  function logSumExpOf(x: number, count: number): number {
    let max = -Infinity;
    for (let i = 0; i < count; i++) max = Math.max(max, f32[(x >>> 2) + i]!);
    if (max === -Infinity) return -Infinity;
    let sum = 0;
    for (let i = 0; i < count; i++) sum += Math.exp(f32[(x >>> 2) + i]! - max);
    return max + Math.log(sum);
  }

  return {
    exp: (out, x, count) => apply(out, x, count, exponential),
    sigmoid: (out, x, count) => apply(out, x, count, sigmoid),
    softplus: (out, x, count) => apply(out, x, count, softplus),
    logSumExpOf,

    softmax(out, x, count) {
      const lse = logSumExpOf(x, count);
      apply(out, x, count, (value) => Math.exp(value - lse));
    },

    addScaled(y, x, a, count) {
      for (let i = 0; i < count; i++) f32[(y >>> 2) + i]! += a * f32[(x >>> 2) + i]!;
    },

    copyIn(out, source) {
      f32.set(source, out >>> 2);
    },

    fill(out, value, count) {
      f32.fill(value, out >>> 2, (out >>> 2) + count);
    },
  };
}
