import { type Instruction, type MemoryOperand, NONE, RIP } from "./instruction.js";
import type { AddressSpace } from "./memory.js";
import { Tiles } from "./tiles.js";

/** Does what one instruction does. */
export type Step = () => void;

/** Numbers of registers that programs do not see: for an operand that comes from memory, and for a result before it is masked. */
export const SOURCE = 32;
export const RESULT = 33;

const VECTORS = 34;
const WORDS_OF_VECTOR = 16;

/** Register numbers from here on hold constants. */
const FIRST_CONSTANT = 17;
/** Of general registers: an operand from memory. */
export const OPERAND = 16;

/** A flag that the manual leaves undefined: whoever looks at it is wrong. */
export const UNDEFINED = 2;

/** Where the code of every program seems to lie. */
export const CODE_BASE = 0x5000_0000_0000;

/** Registers and flags of a processor, and the memory that it sees. */
export class Machine {
  readonly space: AddressSpace;
  /** General registers, the lower and the upper 32 bits of each, and behind them constants of the code. */
  readonly general: Int32Array;
  /** Vector registers, 64 bytes each, as whatever a lane is. */
  readonly words: Int32Array;
  readonly floats: Float32Array;
  readonly doubles: Float64Array;
  readonly halves: Uint16Array;
  readonly bytes: Uint8Array;
  /** The lower 32 bits of the mask registers; programs here have no use for the upper ones. */
  readonly masks = new Int32Array(8);
  readonly tiles = new Tiles();
  carry = UNDEFINED;
  zero = UNDEFINED;
  sign = UNDEFINED;
  overflow = UNDEFINED;
  parity = UNDEFINED;
  readonly #constants = new Map<number, number>();

  constructor(space: AddressSpace) {
    this.space = space;
    this.general = new Int32Array(2 * 4096);
    const buffer = new ArrayBuffer(VECTORS * 4 * WORDS_OF_VECTOR);
    this.words = new Int32Array(buffer);
    this.floats = new Float32Array(buffer);
    this.doubles = new Float64Array(buffer);
    this.halves = new Uint16Array(buffer);
    this.bytes = new Uint8Array(buffer);
  }

  /** The register that holds a constant of 32 bits, extended with its sign. */
  constant(value: number): number {
    let register = this.#constants.get(value);
    if (register === undefined) {
      register = FIRST_CONSTANT + this.#constants.size;
      this.#constants.set(value, register);
      this.general[2 * register] = value;
      this.general[2 * register + 1] = value >> 31;
    }
    return register;
  }

  /** The value of a general register as a number, exact as long as it is an address. */
  number(register: number): number {
    return this.general[2 * register + 1]! * 2 ** 32 + (this.general[2 * register]! >>> 0);
  }

  setNumber(register: number, value: number): void {
    this.general[2 * register] = value;
    this.general[2 * register + 1] = Math.floor(value / 2 ** 32);
  }

  undefineFlags(): void {
    this.carry = this.zero = this.sign = this.overflow = this.parity = UNDEFINED;
  }

  /** A function that computes the address of a memory operand, modulo 2^64. */
  addressOf({ base, index, scale, displacement }: MemoryOperand): () => number {
    const g = this.general;
    if (base === RIP) {
      const address = CODE_BASE + displacement;
      return () => address;
    }
    if (base === NONE) throw new Error("an address without a base");
    const [b, i] = [2 * base, 2 * index];
    if (index === NONE) return () => g[b + 1]! * 4294967296 + (g[b]! >>> 0) + displacement;
    // Numbers with sign: as long as an address is one, sums stay below 2^53.
    return () =>
      g[b + 1]! * 4294967296 + (g[b]! >>> 0) + scale * (g[i + 1]! * 4294967296 + (g[i]! >>> 0)) + displacement;
  }

  /** The address of an instruction's memory operand. */
  address(instruction: Instruction): () => number {
    return this.addressOf(instruction.memory!);
  }
}
