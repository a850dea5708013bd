import { SamplerError } from "@logq/core";
import type { Address, KernelMemory } from "@logq/kernels";

/**
 * What each class weighs, in whole numbers k, and the law of these weights alone: g(id) = k(id)/K, K = Σ k < 2^32. Sums of them are exact, so the law that
 * is told is the law that draws.
 */
export interface ClassLaw {
  /** k(id). */
  weight(id: number): number;
  /** K. */
  total(): number;
  /** The id that u in [0, 1) draws by g. */
  draw(u: number): number;
}

export function uniformClasses(n: number): ClassLaw {
  return {
    weight: () => 1,
    total: () => n,
    draw: (u) => Math.floor(u * n),
  };
}

/** The weights that `storeWeights` has left, drawn by binary search. @param running (n) uint32, in the shared table: running sums */
export function storedClasses(n: number, { u32 }: KernelMemory, running: Address): ClassLaw {
  const first = running >>> 2;
  const total = () => u32[first + n - 1];
  return {
    weight: (id) => u32[first + id] - (id > 0 ? u32[first + id - 1] : 0),
    total,
    draw: (u) => firstAbove(u32, first, n, u * total()),
  };
}

/**
 * Makes whole numbers k of weights w and writes their running sums: 0 of 0, else the nearest to R·w/Σw, at least 1, where R = 2^32 − 1 − 2·(classes of
 * w > 0). So K < 2^32: rounding adds at most 1 to a class, and the error of Σw in float64 less than 1 a class to all of them.
 * @param weights (n), finite and ≥ 0, one at least above 0
 * @param running (n) uint32
 * @throws SamplerError if Σw is not finite
 */
export function storeWeights(weights: ArrayLike<number>, n: number, { u32 }: KernelMemory, running: Address): void {
  const first = running >>> 2;
  let sum = 0;
  let positive = 0;
  for (let id = 0; id < n; id++) {
    sum += weights[id];
    if (weights[id] > 0) positive++;
  }
  if (sum === Infinity) throw new SamplerError("the sum of the unigram weights is too large for a float64", { n });
  const R = 2 ** 32 - 1 - 2 * positive;
  let K = 0;
  for (let id = 0; id < n; id++) {
    if (weights[id] > 0) K += Math.max(1, Math.round((weights[id] / sum) * R));
    u32[first + id] = K;
  }
}

/** The first of `count` ascending running sums at element `first` that is above target, as a place from 0; the last if none is. */
export function firstAbove(sums: Float64Array | Uint32Array, first: number, count: number, target: number): number {
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sums[first + middle] > target) high = middle;
    else low = middle + 1;
  }
  return low;
}
