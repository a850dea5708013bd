import type { Label, Memory, Register } from "./operands.js";

/** A growing sequence of bytes, with 32-bit distances to labels that are filled in when the labels are bound. */
export class Code {
  #bytes = new Uint8Array(4096);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    if (this.#length === this.#bytes.length) {
      const grown = new Uint8Array(2 * this.#length);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes[this.#length++] = value;
  }

  int32(value: number): void {
    for (let i = 0; i < 4; i++) this.byte((value >> (8 * i)) & 0xff);
  }

  /** The distance from the end of the next four bytes (and `after` more) to a label. */
  distance(label: Label, after = 0): void {
    if (label.offset >= 0) {
      this.int32(label.offset - (this.#length + 4 + after));
      return;
    }
    label.waiting.push(this.#length);
    // What stands after the distance counts from the label's side when it is bound.
    this.int32(-after);
  }

  bind(label: Label): void {
    if (label.offset >= 0) throw new Error("a label is bound once");
    label.offset = this.#length;
    for (const place of label.waiting) this.#patch(place, label.offset - (place + 4));
    label.waiting.length = 0;
  }

  #patch(place: number, distance: number): void {
    const view = new DataView(this.#bytes.buffer);
    view.setInt32(place, view.getInt32(place, true) + distance, true);
  }

  /** Fills with one-byte no-operations, or `filler`, up to a multiple of `bytes`. */
  align(bytes: number, filler = 0x90): void {
    while (this.#length % bytes !== 0) this.byte(filler);
  }

  take(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /**
   * ModRM, SIB and displacement of a memory operand. `unit` is what an 8-bit displacement counts in (EVEX: the bytes that are moved);
   * `after`: bytes of immediate that follow.
   */
  memory(field: number, operand: Memory, unit: number, after: number): void {
    const reg = (field & 7) << 3;
    if (operand.label !== undefined) {
      this.byte(reg | 5);
      this.distance(operand.label, after);
      return;
    }
    const { base, index, displacement } = operand;
    const short = displacement / unit;
    const fits = Number.isInteger(short) && short >= -128 && short <= 127;
    // Without displacement a base of rbp or r13 would mean something else.
    const none = displacement === 0 && (base & 7) !== 5;
    const mode = none ? 0x00 : fits ? 0x40 : 0x80;
    if (index >= 0 || (base & 7) === 4) {
      this.byte(mode | reg | 4);
      this.byte((Math.log2(operand.scale) << 6) | ((index < 0 ? 4 : index & 7) << 3) | (base & 7));
    } else {
      this.byte(mode | reg | (base & 7));
    }
    if (mode === 0x40) this.byte(short & 0xff);
    else if (mode === 0x80) this.int32(displacement);
  }

  /** ModRM of a register operand. */
  register(field: number, rm: Register): void {
    this.byte(0xc0 | ((field & 7) << 3) | (rm & 7));
  }
}
