import type { Address, KernelMemory } from "@logq/kernels";
import type { FLAG } from "./layout.js";

type Flag = (typeof FLAG)[keyof typeof FLAG];

/** The words by which members agree, as one thread sees them. */
export class Flags {
  readonly #words: Int32Array;
  readonly #first: number;

  constructor({ i32 }: KernelMemory, flags: Address) {
    this.#words = i32;
    this.#first = flags >>> 2;
  }

  isSet(flag: Flag): boolean {
    return Atomics.load(this.#words, this.#first + flag) !== 0;
  }

  set(flag: Flag, on: boolean): void {
    Atomics.store(this.#words, this.#first + flag, on ? 1 : 0);
  }
}
