import type { KernelMemory } from "@logq/kernels";
import type { Buckets } from "./lsh-buckets.js";
import type { LshScratch } from "./lsh-layout.js";

/**
 * The union of a context's buckets, and of it the classes that the most tables found (SLIDE's choice by frequency). O(sizes of the buckets) a context.
 */
export class BucketUnion {
  readonly #u8: Uint8Array;
  readonly #i32: Int32Array;
  readonly #found: number;
  readonly #list: number;
  readonly #buckets: Buckets;
  /** Classes found by so many tables. */
  readonly #histogram: Int32Array;
  #size = 0;

  constructor({ u8, i32 }: KernelMemory, buckets: Buckets, { found, list }: LshScratch) {
    this.#u8 = u8;
    this.#i32 = i32;
    this.#found = found;
    this.#list = list >>> 2;
    this.#buckets = buckets;
    this.#histogram = new Int32Array(buckets.T + 1);
  }

  /** Collects the buckets `codes[at …]` (T), from table `start` on; answers how many classes there are. */
  collect(generation: number, codes: Uint16Array, at: number, start: number): number {
    const { T } = this.#buckets;
    this.#size = 0;
    for (let i = 0; i < T; i++) {
      const t = (start + i) % T;
      const offsets = this.#buckets.offsetsElement(generation, t) + codes[at + t];
      const members = this.#buckets.membersElement(generation, t);
      for (let j = this.#i32[offsets]; j < this.#i32[offsets + 1]; j++) {
        const id = this.#i32[members + j];
        // T is at most 256, and a count may only reach 255: one more changes no order that matters.
        if (this.#u8[this.#found + id] === 0) this.#i32[this.#list + this.#size++] = id;
        if (this.#u8[this.#found + id] < 255) this.#u8[this.#found + id]++;
      }
    }
    return this.#size;
  }

  /** Writes the S classes found by most tables to i32[to …], of equals those met first, and forgets the union; answers how many were written. */
  take(S: number, to: number): number {
    const histogram = this.#histogram.fill(0);
    for (let i = 0; i < this.#size; i++) histogram[this.#count(i)]++;
    let least = this.#buckets.T;
    let above = 0;
    while (least > 1 && above + histogram[least] < S) above += histogram[least--];
    let rest = S - above;
    let written = 0;
    for (let i = 0; i < this.#size; i++) {
      const id = this.#i32[this.#list + i];
      const count = this.#count(i);
      this.#u8[this.#found + id] = 0;
      if (count < least || (count === least && rest-- <= 0)) continue;
      this.#i32[to + written++] = id;
    }
    return written;
  }

  #count(i: number): number {
    return this.#u8[this.#found + this.#i32[this.#list + i]];
  }
}
