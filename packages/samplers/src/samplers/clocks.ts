import { type Key, STREAM } from "@logq/core";
import { AddressedUniforms } from "../uniforms.js";

/** Class clocks take the upper half of the block indices, so that they never meet the others. */
const CLASS_BLOCKS = 2 ** 31;

/** Up to this shape a Gamma variate is a sum of exponentials; above it, Marsaglia and Tsang need fewer uniforms. */
const SUM_LIMIT = 6;

/** An Exp(1) variate from a uniform in [0, 1). u = 0 stands for its cell [0, 2^−53), whose mean is 2^−54: a clock never rings at 0. */
export function exponential(u: number): number {
  return -Math.log1p(-u) || 2 ** -54;
}

/**
 * The times of one draw. If draws of a law arrive at rate 1, the classes they bring and the gaps between them are independent. So the
 * time of the k-th arrival is Gamma(k) whatever was drawn, and it is drawn at once when k is known.
 */
export class Clocks {
  readonly #uniforms = new AddressedUniforms();
  #next = 0;

  address(key: Key, step: number, item: number): void {
    this.#uniforms.address(key, STREAM.exponentialClocks, step, item);
    this.#next = 0;
  }

  /** The time that `arrivals` further arrivals take: a Gamma(arrivals, 1) variate, 0 for none. */
  elapse(arrivals: number): number {
    return arrivals <= SUM_LIMIT ? this.#sum(arrivals) : this.#marsagliaTsang(arrivals);
  }

  /** A fresh Exp(1) variate for a class: the same however many times were drawn before. */
  ofClass(id: number): number {
    this.#uniforms.block(CLASS_BLOCKS + id);
    return exponential(this.#uniforms.first);
  }

  /** An independent uniform in [0, 1) for a class. */
  uniformOfClass(id: number): number {
    this.#uniforms.block(CLASS_BLOCKS + id);
    return this.#uniforms.second;
  }

  #sum(arrivals: number): number {
    let time = 0;
    for (let i = 0; i < arrivals; i++) {
      this.#uniforms.block(this.#next++);
      time += exponential(this.#uniforms.first);
    }
    return time;
  }

  /** Marsaglia and Tsang, "A simple method for generating gamma variables" (ACM TOMS 26(3), 2000): exact, accepted 98% of the time. */
  #marsagliaTsang(shape: number): number {
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = this.#normal();
      this.#uniforms.block(this.#next++);
      const u = 1 - this.#uniforms.first;
      const v = (1 + c * x) ** 3;
      if (v > 0 && Math.log(u) < x * x * 0.5 + d - d * v + d * Math.log(v)) return d * v;
    }
  }

  /** A standard normal (Box and Muller). */
  #normal(): number {
    this.#uniforms.block(this.#next++);
    const radius = Math.sqrt(2 * exponential(this.#uniforms.first));
    return radius * Math.cos(2 * Math.PI * this.#uniforms.second);
  }
}
