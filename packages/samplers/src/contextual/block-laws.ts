import type { Address, Kernels } from "@logq/kernels";

/** What each class of a block weighs, linear, up to a factor common to the block: from the inner products of a query with the stored rows. */
export interface BlockWeights {
  /**
   * Replaces the inner products at scores (count) float32 by weights, and answers their sum in the order of the classes. `factors` (count) float32 are
   * those of the classes. A weight is 0 where the factor is 0, and above 0 elsewhere.
   */
  weigh(scores: Address, factors: Address, count: number): number;
}

/** (weight·d² + 1)·g, weight = alpha·scale². */
export class QuadraticWeights implements BlockWeights {
  readonly #f32: Float32Array;
  readonly #weight: number;

  constructor({ memory }: Kernels, weight: number) {
    this.#f32 = memory.f32;
    this.#weight = weight;
  }

  weigh(scores: Address, factors: Address, count: number): number {
    const f32 = this.#f32;
    const weight = this.#weight;
    const g = factors >>> 2;
    const first = scores >>> 2;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const d = f32[first + i];
      const value = Math.fround((weight * d * d + 1) * f32[g + i]);
      f32[first + i] = value;
      sum += value;
    }
    return sum;
  }
}

/** The least exponential over the greatest of a block: a class with mass keeps some. */
const LEAST = 1e-7;

/** e^{scale·d}·g, the exponential over the greatest of the block and at least 1e-7. */
export class SoftmaxWeights implements BlockWeights {
  readonly #kernels: Kernels;
  readonly #scale: number;

  constructor(kernels: Kernels, scale: number) {
    this.#kernels = kernels;
    this.#scale = scale;
  }

  weigh(scores: Address, factors: Address, count: number): number {
    const { f32 } = this.#kernels.memory;
    const g = factors >>> 2;
    const first = scores >>> 2;
    let greatest = -Infinity;
    for (let i = 0; i < count; i++) if (f32[g + i] > 0) greatest = Math.max(greatest, f32[first + i]);
    const scale = this.#scale;
    for (let i = first; i < first + count; i++) f32[i] = scale * Math.min(f32[i] - greatest, 0);
    this.#kernels.vector.exp(scores, scores, count);
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const value = Math.fround(Math.max(f32[first + i], LEAST) * f32[g + i]);
      f32[first + i] = value;
      sum += value;
    }
    return sum;
  }
}
