import { DecodeError, type MemoryOperand, NONE, RIP } from "./instruction.js";

/** Bits 3 of register numbers, from a prefix. */
export interface Extensions {
  readonly r: number;
  readonly x: number;
  readonly b: number;
}

export interface ModRm {
  readonly reg: number;
  /** NONE where the operand is in memory. */
  readonly rm: number;
  readonly memory: MemoryOperand | undefined;
}

/** Reads the bytes of one instruction, one after another. */
export class Cursor {
  readonly code: Uint8Array;
  readonly start: number;
  at: number;

  constructor(code: Uint8Array, at: number) {
    this.code = code;
    this.start = at;
    this.at = at;
  }

  fail(reason: string): never {
    throw new DecodeError(this.code, this.start, reason);
  }

  byte(): number {
    if (this.at >= this.code.length || this.at - this.start >= 15) this.fail("an instruction without end");
    return this.code[this.at++]!;
  }

  int8(): number {
    return (this.byte() << 24) >> 24;
  }

  int32(): number {
    return this.byte() | (this.byte() << 8) | (this.byte() << 16) | (this.byte() << 24);
  }

  /** The ModRM byte without consuming it. */
  peek(): number {
    return this.code[this.at] ?? this.fail("an instruction without end");
  }

  /** ModRM, SIB and displacement. `unit` is what a displacement of 8 bits counts in. */
  modRm({ r, x, b }: Extensions, unit: number): ModRm {
    const byte = this.byte();
    const mode = byte >> 6;
    const reg = (r << 3) | ((byte >> 3) & 7);
    const low = byte & 7;
    if (mode === 3) return { reg, rm: (b << 3) | low, memory: undefined };
    if (low === 4) return { reg, rm: NONE, memory: this.#sib(mode, x, b, unit) };
    if (mode === 0 && low === 5) {
      // Relative to the end of the instruction, which is not known yet: the decoder adds it.
      return { reg, rm: NONE, memory: { base: RIP, index: NONE, scale: 1, displacement: this.int32() } };
    }
    const base = (b << 3) | low;
    return { reg, rm: NONE, memory: { base, index: NONE, scale: 1, displacement: this.#displacement(mode, unit) } };
  }

  #sib(mode: number, x: number, b: number, unit: number): MemoryOperand {
    const byte = this.byte();
    const index = (x << 3) | ((byte >> 3) & 7);
    const low = byte & 7;
    const none = mode === 0 && low === 5;
    return {
      base: none ? NONE : (b << 3) | low,
      index: index === 4 ? NONE : index,
      scale: 1 << (byte >> 6),
      displacement: none ? this.int32() : this.#displacement(mode, unit),
    };
  }

  #displacement(mode: number, unit: number): number {
    if (mode === 0) return 0;
    return mode === 1 ? unit * this.int8() : this.int32();
  }
}
