import type { Address, KernelMemory } from "@logq/kernels";

/** The law of class weights alone: uniform, or unigram by binary search in running sums, which lie in the shared table. */
export interface ClassLaw {
  /** Writes the running sums. `weights` (n), checked; ignored by uniform. */
  build(weights: ArrayLike<number> | undefined): void;
  /** The id that u in [0, 1) draws. */
  draw(u: number): number;
  /** g(id), linear. */
  probability(id: number): number;
}

export function uniformClasses(n: number): ClassLaw {
  return {
    build() {},
    draw: (u) => Math.floor(u * n),
    probability: () => 1 / n,
  };
}

/** @param running (n) float64 */
export function weightedClasses(n: number, { f64 }: KernelMemory, running: Address): ClassLaw {
  const first = running >>> 3;
  return {
    build(weights) {
      let sum = 0;
      for (let id = 0; id < n; id++) {
        sum += weights === undefined ? 1 : weights[id];
        f64[first + id] = sum;
      }
    },
    draw: (u) => firstAbove(f64, first, n, u * f64[first + n - 1]),
    probability(id) {
      const before = id > 0 ? f64[first + id - 1] : 0;
      return (f64[first + id] - before) / f64[first + n - 1];
    },
  };
}

/** The first of `count` ascending running sums at element `first` that is above target, as a place from 0; the last if none is. */
export function firstAbove(sums: Float64Array, first: number, count: number, target: number): number {
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sums[first + middle] > target) high = middle;
    else low = middle + 1;
  }
  return low;
}
