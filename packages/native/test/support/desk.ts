import { KernelMemory } from "@logq/kernels";
import { TestRandom } from "@logq/testing";

/** A word that nobody has a reason to read: the emulator stops at it. */
const POISON = 0x7fa5a5a5;

/** Numbers that arithmetic treats in some way of its own, and ordinary ones around them. */
const SPECIAL = [
  0,
  -0,
  Infinity,
  -Infinity,
  Number.NaN,
  1e-45,
  -1e-39,
  3e38,
  -3e38,
  1,
  -1,
  88.5,
  -87.5,
  -104,
  2 ** 24,
  1.17549435e-38,
];

/** A place for operands of kernels, with poison between them. */
export class Desk {
  readonly memory = KernelMemory.create(2 ** 18, true);
  readonly #random = new TestRandom(5);
  #end = 0;
  /** Words that operands own: 1. */
  readonly #owned = new Uint8Array(this.memory.u32.length);

  /** Forgets all operands. Throws if something was written between them. */
  clear(): void {
    const { u32 } = this.memory;
    if (this.#end > 0) {
      const word = u32.findIndex((value, at) => value !== POISON && this.#owned[at] === 0);
      if (word >= 0) throw new Error(`byte ${4 * word} was written: it lies outside every operand`);
    }
    this.#end = 64;
    this.#owned.fill(0);
    u32.fill(POISON);
  }

  /** Reserves 4-byte words from a multiple of 16 bytes on; rows of `columns` words, `ld` words apart. */
  #place(rows: number, columns: number, ld: number, value: (row: number, column: number) => void): number {
    const address = Math.ceil((this.#end + 64) / 16) * 16;
    this.#end = address + 4 * rows * ld;
    if (this.#end > this.memory.bytes) throw new Error("the desk is full");
    for (let i = 0; i < rows; i++) {
      const row = address / 4 + i * ld;
      this.#owned.fill(1, row, row + columns);
      for (let j = 0; j < columns; j++) value(row + j, i * columns + j);
    }
    return address;
  }

  /** Floats of ordinary sizes; `special`: one in so many is some special number, 0: none. */
  floats(rows: number, columns: number, ld = columns, special = 0): number {
    return this.#place(rows, columns, ld, (at) => {
      const chosen = special > 0 && this.#random.integer(special) === 0;
      this.memory.f32[at] = chosen ? SPECIAL[this.#random.integer(SPECIAL.length)]! : 2 * this.#random.normal();
    });
  }

  ints(values: readonly number[]): number {
    return this.#place(1, values.length, values.length, (at, i) => {
      this.memory.i32[at] = values[i]!;
    });
  }

  doubles(count: number): number {
    const address = this.#place(1, 2 * count, 2 * count, () => {});
    for (let i = 0; i < count; i++) this.memory.f64[address / 8 + i] = this.#random.normal();
    return address;
  }

  /** Distinct numbers below `below`, in no order. */
  distinct(count: number, below: number): number[] {
    return this.#random.shuffle(Array.from({ length: below }, (_, i) => i)).slice(0, count);
  }
}
