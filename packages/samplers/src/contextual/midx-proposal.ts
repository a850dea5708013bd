import type { Address, KernelMemory } from "@logq/kernels";
import type { KernelUniforms } from "../uniforms.js";
import { type CellsLayout, ENTRY_BYTES, LANDMARK_BITS } from "./midx-layout.js";

/** Second codes whose weights are summed once for all draws of a context: a draw then looks at sums, and into one part of the codes. A power of two. */
const PART = 8;

/** Below this the sum of cell weights may have lost cells to underflow: it is formed again, shifted by the greatest cell. */
const LEAST_TOTAL = 1e-200;

/**
 * The law of one context over the cells: weight of cell (k, l) = m_kl·e^{s·h·c_k}·e^{s·h·c'_l}, m_kl the sum of the factors of its classes. Within a
 * cell a class is drawn in proportion to its factor, so that
 *
 *     log q_i = s·h·ŵ_i + log factor_i − log Z,   Z = Σ_kl m_kl·e^{s·h·(c_k + c'_l)},
 *
 * a softmax of quantised logits. O(K²) a context, float64.
 */
export class CellProposal {
  readonly #memory: KernelMemory;
  readonly #K: number;
  readonly #scale: number;
  /** (K): weights of the first codes, Σ_l of the cells' weights left out; their running sums with it. */
  readonly #first: Float64Array;
  readonly #running: Float64Array;
  /** (K): weights of the second codes. */
  readonly #second: Float64Array;
  /** (K, parts): of each first code, the running sum of the weights of its cells after each part of the second codes, the first code's left out. */
  readonly #partSums: Float64Array;
  readonly #part: number;
  readonly #parts: number;
  /** Element of f32 where the context's h·c_k stand, then its h·c'_l. */
  #scores = 0;
  #layout: CellsLayout | undefined;
  /** log of what weights were divided by, where cells are weighed one by one because factors apart would underflow. */
  #shifted = false;
  #shift = 0;

  constructor(memory: KernelMemory, K: number, scale: number) {
    this.#memory = memory;
    this.#K = K;
    this.#scale = scale;
    this.#first = new Float64Array(K);
    this.#running = new Float64Array(K);
    // Sums go in steps of two.
    this.#second = new Float64Array(Math.max(2, K));
    this.#part = Math.min(PART, K);
    this.#parts = K / this.#part;
    this.#partSums = new Float64Array(K * this.#parts);
  }

  /** Turns to the context whose scores (2K) stand at `scores`; answers log Z + the layout's shift. */
  prepare(scores: Address, layout: CellsLayout): number {
    this.#scores = scores >>> 2;
    this.#layout = layout;
    this.#shifted = false;
    const firstGreatest = this.#exponentials(this.#first, this.#scores, layout.firstMasses);
    const secondGreatest = this.#exponentials(this.#second, this.#scores + this.#K, layout.secondMasses);
    this.#shift = firstGreatest + secondGreatest;
    let total = this.#sumRows(layout);
    if (total < LEAST_TOTAL) total = this.#sumShifted(layout);
    return Math.log(total) + this.#shift + this.#memory.f64[layout.shift >>> 3];
  }

  /** out = e^{s·score − greatest}, 0 for codes without mass; answers the greatest. */
  #exponentials(out: Float64Array, scores: number, masses: Address): number {
    const { f32, f64 } = this.#memory;
    const K = this.#K;
    const mass = masses >>> 3;
    let greatest = -Infinity;
    for (let k = 0; k < K; k++) {
      if (f64[mass + k] > 0) greatest = Math.max(greatest, this.#scale * f32[scores + k]);
    }
    for (let k = 0; k < K; k++) {
      out[k] = f64[mass + k] > 0 ? Math.exp(this.#scale * f32[scores + k] - greatest) : 0;
    }
    return greatest;
  }

  /** Running sums of the first codes' weights, and of the parts of each; answers their total. */
  #sumRows(layout: CellsLayout): number {
    const { f64 } = this.#memory;
    const K = this.#K;
    const part = this.#part;
    const parts = this.#parts;
    const first = this.#first;
    const second = this.#second;
    const running = this.#running;
    const partSums = this.#partSums;
    let mass = layout.masses >>> 3;
    let total = 0;
    for (let k = 0; k < K; k++) {
      let sum = 0;
      for (let p = 0; p < parts; p++) {
        let even = 0;
        let odd = 0;
        for (let l = p * part, end = l + part; l < end; l += 2, mass += 2) {
          even += f64[mass] * second[l];
          odd += f64[mass + 1] * second[l + 1];
        }
        sum += even + odd;
        partSums[k * parts + p] = sum;
      }
      total += first[k] * sum;
      running[k] = total;
    }
    return total;
  }

  /** The same by cells, divided by the greatest exponential of a cell that has mass. */
  #sumShifted(layout: CellsLayout): number {
    const { f64 } = this.#memory;
    const K = this.#K;
    let greatest = -Infinity;
    for (let cell = 0; cell < K * K; cell++) {
      if (f64[(layout.masses >>> 3) + cell] > 0) greatest = Math.max(greatest, this.#logit(cell));
    }
    this.#shifted = true;
    this.#shift = greatest;
    this.#first.fill(1);
    let total = 0;
    for (let k = 0; k < K; k++) {
      for (let l = 0; l < K; l++) total += this.#shiftedWeight(layout, k * K + l);
      this.#running[k] = total;
    }
    return total;
  }

  /** s·h·(c_k + c'_l). */
  #logit(cell: number): number {
    const { f32 } = this.#memory;
    const first = f32[this.#scores + Math.floor(cell / this.#K)];
    return this.#scale * (first + f32[this.#scores + this.#K + (cell % this.#K)]);
  }

  #shiftedWeight(layout: CellsLayout, cell: number): number {
    const mass = this.#memory.f64[(layout.masses >>> 3) + cell];
    return mass > 0 ? mass * Math.exp(this.#logit(cell) - this.#shift) : 0;
  }

  /**
   * Draws `count` classes by pairs of uniforms: the first finds the cell, the second the class in it. ids int32 and logQ float32, both in kernel memory;
   * logQ[j] = offset + s·h·ŵ + log factor.
   */
  draw(uniforms: KernelUniforms, count: number, ids: Address, logQ: Address, offset: number): void {
    const { i32, f32, f64 } = this.#memory;
    const { pairs } = uniforms;
    const layout = this.#layout;
    if (layout === undefined) return;
    const offsets = layout.offsets >>> 2;
    const masses = layout.masses >>> 3;
    const entries = layout.entries >>> 2;
    const to = ids >>> 2;
    const logs = logQ >>> 2;
    // The cells first: the searches in them, whose reads miss the cache, then overlap.
    for (let j = 0; j < count; j++) i32[to + j] = this.#drawCell(pairs[2 * j], layout);
    for (let j = 0; j < count; j++) {
      const cell = i32[to + j];
      const target = pairs[2 * j + 1] * f64[masses + cell];
      const low = this.#findEntry(layout, i32[offsets + cell], i32[offsets + cell + 1], target);
      const entry = entries + (ENTRY_BYTES >>> 2) * low;
      i32[to + j] = i32[entry + 2];
      f32[logs + j] = this.logQ(this.#scores, cell, f32[entry + 3], offset);
    }
  }

  /** The first of entries [first, end) whose sum lies above the target, or the last of them: by the landmarks to a part, then within it. */
  #findEntry({ entries, landmarks }: CellsLayout, first: number, end: number, target: number): number {
    const { f64 } = this.#memory;
    const marks = landmarks >>> 3;
    const sums = entries >>> 3;
    // The landmarks of all parts but the last one lie within the cell.
    let part = first >>> LANDMARK_BITS;
    for (let last = (end - 1) >>> LANDMARK_BITS; part < last; ) {
      const middle = (part + last) >>> 1;
      if (f64[marks + middle] > target) last = middle;
      else part = middle + 1;
    }
    let low = Math.max(first, part << LANDMARK_BITS);
    for (let high = Math.min(end, (part + 1) << LANDMARK_BITS) - 1; low < high; ) {
      const middle = (low + high) >>> 1;
      if (f64[sums + 2 * middle] > target) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** offset + s·h·(c_k + c'_l) + log factor, from the scores at element `scores`: one formula for candidates and labels, so that bits agree. */
  logQ(scores: number, cell: number, logFactor: number, offset: number): number {
    const { f32 } = this.#memory;
    const K = this.#K;
    // K is a power of two: k and l are the high and the low bits.
    const sum = f32[scores + (cell - (cell & (K - 1))) / K] + f32[scores + K + (cell & (K - 1))];
    return offset + this.#scale * sum + logFactor;
  }

  /** The cell that u in [0, 1) finds in the running sum of weights. */
  #drawCell(u: number, layout: CellsLayout): number {
    const K = this.#K;
    const running = this.#running;
    const target = u * running[K - 1];
    let k = 0;
    // Without branches, which uniforms would make unpredictable.
    for (let half = K >>> 1; half > 0; half >>>= 1) k += half & -Number(running[k + half - 1] <= target);
    const rest = k > 0 ? target - running[k - 1] : target;
    return this.#shifted ? this.#drawShifted(k, rest, layout) : this.#drawSecond(k, rest / this.#first[k], layout);
  }

  #drawSecond(k: number, target: number, layout: CellsLayout): number {
    const { f64 } = this.#memory;
    const K = this.#K;
    const part = this.#part;
    const second = this.#second;
    const partSums = this.#partSums;
    const masses = (layout.masses >>> 3) + k * K;
    const sums = k * this.#parts;
    let p = 0;
    for (let half = this.#parts >>> 1; half > 0; half >>>= 1)
      p += half & -Number(partSums[sums + p + half - 1] <= target);
    let sum = p > 0 ? partSums[sums + p - 1] : 0;
    let l = p * part;
    for (const end = l + part; l < end; l++) {
      sum += f64[masses + l] * second[l];
      if (sum > target) return k * K + l;
    }
    // Sums in another order may differ in the last bit: the last cell of the part with weight.
    for (l--; l > 0 && !(f64[masses + l] * second[l] > 0); ) l--;
    return k * K + l;
  }

  #drawShifted(k: number, target: number, layout: CellsLayout): number {
    const K = this.#K;
    let sum = 0;
    let last = 0;
    for (let l = 0; l < K; l++) {
      const weight = this.#shiftedWeight(layout, k * K + l);
      if (weight > 0) last = l;
      sum += weight;
      if (sum > target) break;
    }
    return k * K + last;
  }
}
