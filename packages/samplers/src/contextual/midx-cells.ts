import type { KernelMemory } from "@logq/kernels";
import { type CellsLayout, ENTRY_BYTES, LANDMARK, type MidxTable } from "./midx-layout.js";

/**
 * The K² cells of two codes, in two generations: which classes each holds, the sum of their factors, and within a cell the running sum, in which one
 * uniform finds a class by binary search. A factor is e^{log factor − shift}, shift the greatest log factor of the generation; one that underflows is
 * a class without mass.
 */
export class Cells {
  readonly #memory: KernelMemory;
  readonly #K: number;
  readonly #n: number;
  readonly #table: MidxTable;
  readonly #cursors: Int32Array;

  constructor(memory: KernelMemory, K: number, n: number, table: MidxTable) {
    this.#memory = memory;
    this.#K = K;
    this.#n = n;
    this.#table = table;
    this.#cursors = memory.ints(table.cursors, K * K);
  }

  layout(generation: number): CellsLayout {
    return this.#table.cells[generation];
  }

  /** Element of i32 where the cell of class `id` stands; the next class's is two further. Its log factor stands one before, in f32. */
  cellElement(generation: number, id: number): number {
    return (this.layout(generation).records >>> 2) + 2 * id + 1;
  }

  /** Forgets what was counted. */
  clear(generation: number): void {
    this.#cursors.fill(0);
    this.#memory.f64[this.layout(generation).shift >>> 3] = -Infinity;
  }

  /** Counts classes [from, to), whose records are written. */
  count(generation: number, from: number, to: number): void {
    const { i32, f32, f64 } = this.#memory;
    const shift = this.layout(generation).shift >>> 3;
    let greatest = f64[shift];
    for (let id = from; id < to; id++) {
      const at = this.cellElement(generation, id);
      this.#cursors[i32[at]]++;
      if (f32[at - 1] > greatest) greatest = f32[at - 1];
    }
    f64[shift] = greatest;
  }

  /** When all classes are counted: gives every cell its place. */
  open(generation: number): void {
    const { offsets, masses } = this.layout(generation);
    const { i32, f64 } = this.#memory;
    const cells = this.#K * this.#K;
    let end = 0;
    for (let cell = 0; cell < cells; cell++) {
      i32[(offsets >>> 2) + cell] = end;
      const size = this.#cursors[cell];
      this.#cursors[cell] = end;
      end += size;
    }
    i32[(offsets >>> 2) + cells] = this.#n;
    f64.fill(0, masses >>> 3, (masses >>> 3) + cells);
  }

  /** Puts classes [from, to) into their cells, in the order of ids. */
  place(generation: number, from: number, to: number): void {
    const layout = this.layout(generation);
    const { i32, f32, f64 } = this.#memory;
    const masses = layout.masses >>> 3;
    const shift = f64[layout.shift >>> 3];
    for (let id = from; id < to; id++) {
      const at = this.cellElement(generation, id);
      const cell = i32[at];
      const factor = Math.exp(f32[at - 1] - shift);
      if (factor === 0) f32[at - 1] = -Infinity;
      f64[masses + cell] += factor;
      const place = this.#cursors[cell]++;
      const entry = layout.entries + ENTRY_BYTES * place;
      if ((place + 1) % LANDMARK === 0) f64[(layout.landmarks >>> 3) + (place + 1) / LANDMARK - 1] = f64[masses + cell];
      f64[entry >>> 3] = f64[masses + cell];
      i32[(entry >>> 2) + 2] = id;
      f32[(entry >>> 2) + 3] = f32[at - 1];
    }
  }

  /** When all classes are placed: sums the masses of each code. */
  close(generation: number): void {
    const { masses, firstMasses, secondMasses } = this.layout(generation);
    const { f64 } = this.#memory;
    const K = this.#K;
    f64.fill(0, firstMasses >>> 3, (firstMasses >>> 3) + K);
    f64.fill(0, secondMasses >>> 3, (secondMasses >>> 3) + K);
    for (let k = 0; k < K; k++) {
      for (let l = 0; l < K; l++) {
        const mass = f64[(masses >>> 3) + k * K + l];
        f64[(firstMasses >>> 3) + k] += mass;
        f64[(secondMasses >>> 3) + l] += mass;
      }
    }
  }
}
