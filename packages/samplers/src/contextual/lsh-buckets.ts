import type { KernelMemory } from "@logq/kernels";
import { type ClassLaw, firstAbove } from "./lsh-class-law.js";
import type { BucketsLayout, LshTable } from "./lsh-layout.js";
import type { ValidLshOptions } from "./lsh-options.js";

/** The hash tables in two generations: which classes each bucket holds, and if classes weigh something, the running sums of their weights in it. */
export class Buckets {
  /** All of the memory as uint16. */
  readonly u16: Uint16Array;
  readonly T: number;
  /** Buckets of a table. */
  readonly C: number;
  readonly #n: number;
  readonly #table: LshTable;
  readonly #law: ClassLaw;
  readonly #weighted: boolean;
  readonly #i32: Int32Array;
  readonly #u32: Uint32Array;
  readonly #cursors: Int32Array;

  constructor(options: ValidLshOptions, n: number, memory: KernelMemory, table: LshTable, law: ClassLaw) {
    const { tables, bits, classFactor } = options;
    this.T = tables;
    this.C = 2 ** bits;
    this.u16 = new Uint16Array(memory.memory.buffer);
    this.#n = n;
    this.#table = table;
    this.#law = law;
    this.#weighted = classFactor !== "none";
    this.#i32 = memory.i32;
    this.#u32 = memory.u32;
    this.#cursors = memory.ints(table.cursors, tables * this.C);
  }

  layout(generation: number): BucketsLayout {
    return this.#table.buckets[generation];
  }

  /** Element of u16 where the codes of class `id` begin. */
  codesElement(generation: number, id: number): number {
    return (this.layout(generation).codes >>> 1) + id * this.T;
  }

  /** Element of i32 where the offsets of table t begin. */
  offsetsElement(generation: number, t: number): number {
    return (this.layout(generation).offsets >>> 2) + t * (this.C + 1);
  }

  /** Element of i32 where the members of table t begin. */
  membersElement(generation: number, t: number): number {
    return (this.layout(generation).members >>> 2) + t * this.#n;
  }

  /** Forgets what was counted. */
  clear(): void {
    this.#cursors.fill(0);
  }

  /** Counts classes [from, to), whose codes are written. */
  count(generation: number, from: number, to: number): void {
    let at = this.codesElement(generation, from);
    for (let id = from; id < to; id++) {
      for (let t = 0; t < this.T; t++) this.#cursors[t * this.C + this.u16[at++]]++;
    }
  }

  /** When all classes are counted: gives every bucket its place. */
  open(generation: number): void {
    for (let t = 0; t < this.T; t++) {
      const offsets = this.offsetsElement(generation, t);
      const cursors = t * this.C;
      let end = 0;
      for (let code = 0; code < this.C; code++) {
        const size = this.#cursors[cursors + code];
        this.#i32[offsets + code] = end;
        this.#cursors[cursors + code] = end;
        end += size;
      }
      this.#i32[offsets + this.C] = end;
    }
  }

  /** Puts classes [from, to) into their buckets of table t, in the order of ids. */
  place(generation: number, t: number, from: number, to: number): void {
    const members = this.membersElement(generation, t);
    const codes = this.codesElement(generation, 0) + t;
    for (let id = from; id < to; id++) {
      const code = this.u16[codes + id * this.T];
      const at = this.#cursors[t * this.C + code]++;
      this.#i32[members + at] = id;
      if (this.#weighted) this.#addWeight(generation, t, code, at, this.#law.weight(id));
    }
  }

  #addWeight(generation: number, t: number, code: number, at: number, weight: number): void {
    const running = this.#runningElement(generation, t) + at;
    const begins = this.#i32[this.offsetsElement(generation, t) + code];
    this.#u32[running] = weight + (at > begins ? this.#u32[running - 1] : 0);
  }

  #runningElement(generation: number, t: number): number {
    return (this.layout(generation).running >>> 2) + t * this.#n;
  }

  /** What the classes of a bucket of table t weigh together, a whole number; 0 if it is empty. */
  mass(generation: number, t: number, code: number): number {
    const offsets = this.offsetsElement(generation, t) + code;
    const begins = this.#i32[offsets];
    const ends = this.#i32[offsets + 1];
    if (!this.#weighted) return ends - begins;
    return ends > begins ? this.#u32[this.#runningElement(generation, t) + ends - 1] : 0;
  }

  /** The class of a bucket, which has mass, that u in [0, 1) draws by what its classes weigh. */
  draw(generation: number, t: number, code: number, u: number): number {
    const offsets = this.offsetsElement(generation, t) + code;
    const begins = this.#i32[offsets];
    const size = this.#i32[offsets + 1] - begins;
    const place = this.#weighted ? this.#search(generation, t, begins, size, u) : Math.floor(u * size);
    return this.#i32[this.membersElement(generation, t) + begins + place];
  }

  #search(generation: number, t: number, begins: number, size: number, u: number): number {
    const first = this.#runningElement(generation, t) + begins;
    return firstAbove(this.#u32, first, size, u * this.#u32[first + size - 1]);
  }
}
