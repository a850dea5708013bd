import { Code } from "./code.js";
import { atLabel, Label, type Memory, type Register } from "./operands.js";
import { VECTOR_OPS, type VectorOp, type VectorOpName } from "./vector-ops.js";

/** Bytes of a vector: 16 (xmm), 32 (ymm) or 64 (zmm). */
export type VectorBytes = 16 | 32 | 64;

/** A vector register as an operand, to tell it from a memory operand. */
export type VectorOperand = number | Memory;

export interface VectorOptions {
  /** Mask register k1 … k7 of an EVEX instruction. */
  readonly mask?: number;
  /** Lanes that are masked out become 0 instead of staying as they are. */
  readonly zeroing?: boolean;
  readonly immediate?: number;
}

/** Conditions of jumps, by their codes. "below" and "above" compare without sign. */
export const CONDITION = {
  below: 2,
  aboveOrEqual: 3,
  equal: 4,
  notEqual: 5,
  belowOrEqual: 6,
  above: 7,
  less: 12,
  greaterOrEqual: 13,
  lessOrEqual: 14,
  greater: 15,
} as const;

export type Condition = keyof typeof CONDITION;

/** The arithmetic that general registers need, by its number in opcode and ModRM. */
const ARITHMETIC = { add: 0, or: 1, adc: 2, and: 4, sub: 5, xor: 6, cmp: 7 } as const;

export type Arithmetic = keyof typeof ARITHMETIC;

/**
 * An assembler for the part of x86-64 that the kernels use: 64-bit integer instructions for addresses and counters, VEX (AVX2, FMA) and EVEX
 * (AVX-512) instructions for vectors. Operands are in Intel's order, destination first. It knows encodings and nothing of kernels.
 */
export class Assembler {
  readonly #code = new Code();
  readonly #constants = new Map<number, Label>();
  readonly #tables = new Map<string, { readonly label: Label; readonly words: readonly number[] }>();

  get length(): number {
    return this.#code.length;
  }

  bind(label: Label): void {
    this.#code.bind(label);
  }

  /** Begins what follows at a multiple of `bytes`. */
  align(bytes: number): void {
    this.#code.align(bytes);
  }

  /** A place that is bound here. */
  here(): Label {
    const label = new Label();
    this.bind(label);
    return label;
  }

  /** Four bytes of constant data with the bits of a float32, for `vbroadcastss`; equal ones share their place. */
  float(value: number): Memory {
    return this.bits(new Uint32Array(new Float32Array([value]).buffer)[0]!);
  }

  /** The same with any 32 bits. */
  bits(word: number): Memory {
    let label = this.#constants.get(word);
    if (label === undefined) {
      label = new Label();
      this.#constants.set(word, label);
    }
    return atLabel(label);
  }

  /** Words of constant data behind the code, from a multiple of 64 bytes on; equal tables share their place. */
  table(words: readonly number[]): Label {
    const key = words.join();
    let table = this.#tables.get(key);
    if (table === undefined) {
      table = { label: new Label(), words };
      this.#tables.set(key, table);
    }
    return table.label;
  }

  /** The code, its constants behind it. */
  finish(): Uint8Array {
    for (const { label, words } of this.#tables.values()) {
      this.#code.align(64, 0xcc);
      this.#code.bind(label);
      for (const word of words) this.#code.int32(word);
    }
    this.#tables.clear();
    this.#code.align(64, 0xcc);
    for (const [word, label] of this.#constants) {
      this.#code.bind(label);
      this.#code.int32(word);
    }
    this.#constants.clear();
    return this.#code.take();
  }

  ret(): void {
    this.#code.byte(0xc3);
  }

  push(register: Register): void {
    if (register >= 8) this.#code.byte(0x41);
    this.#code.byte(0x50 | (register & 7));
  }

  pop(register: Register): void {
    if (register >= 8) this.#code.byte(0x41);
    this.#code.byte(0x58 | (register & 7));
  }

  jump(label: Label): void {
    this.#code.byte(0xe9);
    this.#code.distance(label);
  }

  jumpIf(condition: Condition, label: Label): void {
    this.#code.byte(0x0f);
    this.#code.byte(0x80 | CONDITION[condition]);
    this.#code.distance(label);
  }

  call(label: Label): void {
    this.#code.byte(0xe8);
    this.#code.distance(label);
  }

  /** destination ← source, 64 bits */
  mov(destination: Register, source: Register | Memory): void {
    this.#integer(0x8b, destination, source, 1);
  }

  /** destination ← 32 bits from memory or of a register, the upper half zero */
  mov32(destination: Register, source: Register | Memory): void {
    this.#integer(0x8b, destination, source, 0);
  }

  store(destination: Memory, source: Register): void {
    this.#integer(0x89, source, destination, 1);
  }

  store32(destination: Memory, source: Register): void {
    this.#integer(0x89, source, destination, 0);
  }

  /** destination ← a constant of 32 bits without sign */
  movConstant(destination: Register, value: number): void {
    if (destination >= 8) this.#code.byte(0x41);
    this.#code.byte(0xb8 | (destination & 7));
    this.#code.int32(value);
  }

  lea(destination: Register, source: Memory): void {
    this.#integer(0x8d, destination, source, 1);
  }

  /** destination ← destination · source, 64 bits */
  imul(destination: Register, source: Register | Memory): void {
    this.#rex(1, destination, source);
    this.#code.byte(0x0f);
    this.#code.byte(0xaf);
    this.#modrm(destination, source);
  }

  /** An operation on 64 bits with a register or memory on its right side. */
  compute(operation: Arithmetic, destination: Register, source: Register | Memory): void {
    this.#integer((ARITHMETIC[operation] << 3) | 3, destination, source, 1);
  }

  /** An operation on 64 bits with a constant of 32 bits with sign on its right side. */
  computeConstant(operation: Arithmetic, destination: Register, value: number): void {
    const short = value >= -128 && value <= 127;
    this.#rex(1, 0, destination);
    this.#code.byte(short ? 0x83 : 0x81);
    this.#code.register(ARITHMETIC[operation], destination);
    if (short) this.#code.byte(value & 0xff);
    else this.#code.int32(value);
  }

  /** Flags of register & register. */
  test(register: Register): void {
    this.#rex(1, register, register);
    this.#code.byte(0x85);
    this.#code.register(register, register);
  }

  shiftLeft(register: Register, by: number): void {
    this.#shift(4, register, by);
  }

  shiftRight(register: Register, by: number): void {
    this.#shift(5, register, by);
  }

  #shift(field: number, register: Register, by: number): void {
    this.#rex(1, 0, register);
    this.#code.byte(0xc1);
    this.#code.register(field, register);
    this.#code.byte(by);
  }

  /** Number of bits that are set. */
  popcnt(destination: Register, source: Register): void {
    this.#code.byte(0xf3);
    this.#rex(1, destination, source);
    this.#code.byte(0x0f);
    this.#code.byte(0xb8);
    this.#modrm(destination, source);
  }

  /** Number of the lowest bit that is set, of a register that is not 0. */
  tzcnt(destination: Register, source: Register): void {
    this.#code.byte(0xf3);
    this.#rex(1, destination, source);
    this.#code.byte(0x0f);
    this.#code.byte(0xbc);
    this.#modrm(destination, source);
  }

  /** Flags of a − b of 32 bits. */
  compare32(a: Register, b: Register | Memory): void {
    this.#integer(0x3b, a, b, 0);
  }

  /** destination ← 32 bits from memory or of a register, if the condition holds; the upper half becomes zero in any case */
  moveIf(condition: Condition, destination: Register, source: Register | Memory): void {
    this.#rex(0, destination, source);
    this.#code.byte(0x0f);
    this.#code.byte(0x40 | CONDITION[condition]);
    this.#modrm(destination, source);
  }

  /** Asks for the line of an address, into the first-level cache (1), the second (2), or for being written (0). */
  prefetch(level: 0 | 1 | 2, source: Memory): void {
    this.#rex(0, 0, source);
    this.#code.byte(0x0f);
    this.#code.byte(level === 0 ? 0x0d : 0x18);
    // prefetchw is 0F 0D /1; prefetcht0 and prefetcht1 are 0F 18 /1 and /2.
    this.#modrm(level === 0 ? 1 : level, source);
  }

  /** Upper halves of the vector registers become 0: code of other widths that follows is not slowed down. */
  vzeroupper(): void {
    for (const byte of [0xc5, 0xf8, 0x77]) this.#code.byte(byte);
  }

  /** A VEX instruction. `a` is the first source (vvvv), `b` the second (rm); −1: the instruction has no first source. */
  vex(name: VectorOpName, bytes: 16 | 32, field: number, a: number, b: VectorOperand, immediate?: number): void {
    if (field > 15 || a > 15 || (typeof b === "number" && b > 15))
      throw new RangeError(`${name}: VEX has 16 registers`);
    const op: VectorOp = VECTOR_OPS[name];
    const { r, x, b: base } = extensions(field, b);
    this.#code.byte(0xc4);
    this.#code.byte((r ? 0 : 0x80) | (x ? 0 : 0x40) | (base ? 0 : 0x20) | op.map);
    const vvvv = a < 0 ? 15 : ~a & 15;
    this.#code.byte(((op.w ?? 0) << 7) | (vvvv << 3) | (bytes === 32 ? 4 : 0) | op.prefix);
    this.#code.byte(op.opcode);
    this.#operand(field, b, 1, immediate === undefined ? 0 : 1);
    if (immediate !== undefined) this.#code.byte(immediate);
  }

  /** An EVEX instruction, of 32 vector registers. */
  evex(
    name: VectorOpName,
    bytes: VectorBytes,
    field: number,
    a: number,
    b: VectorOperand,
    options: VectorOptions = {},
  ): void {
    const { mask = 0, zeroing = false, immediate } = options;
    const op: VectorOp = VECTOR_OPS[name];
    const { r, x, b: base } = extensions(field, b);
    // Of a register operand, X is bit 4 of its number.
    const high = typeof b === "number" ? (b & 16) !== 0 : x;
    this.#code.byte(0x62);
    this.#code.byte((r ? 0 : 0x80) | (high ? 0 : 0x40) | (base ? 0 : 0x20) | (field & 16 ? 0 : 0x10) | op.map);
    const vvvv = a < 0 ? 15 : ~a & 15;
    this.#code.byte(((op.evexW ?? op.w ?? 0) << 7) | (vvvv << 3) | 4 | op.prefix);
    const length = bytes === 64 ? 2 : bytes === 32 ? 1 : 0;
    const highA = a >= 0 && (a & 16) !== 0;
    this.#code.byte((zeroing ? 0x80 : 0) | (length << 5) | (highA ? 0 : 8) | mask);
    this.#code.byte(op.opcode);
    this.#operand(field, b, op.memoryBytes ?? bytes, immediate === undefined ? 0 : 1);
    if (immediate !== undefined) this.#code.byte(immediate);
  }

  /** destination ← source·2^count of each 32-bit lane */
  vpslld(bytes: VectorBytes, destination: number, source: number, count: number): void {
    this.#shiftLanes(32, 6, bytes, destination, source, count);
  }

  /** destination ← ⌊source/2^count⌋ of each 32-bit lane, without sign */
  vpsrld(bytes: VectorBytes, destination: number, source: number, count: number): void {
    this.#shiftLanes(32, 2, bytes, destination, source, count);
  }

  /** destination ← source·2^count of each 64-bit lane */
  vpsllq(bytes: VectorBytes, destination: number, source: number, count: number): void {
    this.#shiftLanes(64, 6, bytes, destination, source, count);
  }

  /** destination ← ⌊source/2^count⌋ of each 64-bit lane, without sign */
  vpsrlq(bytes: VectorBytes, destination: number, source: number, count: number): void {
    this.#shiftLanes(64, 2, bytes, destination, source, count);
  }

  #shiftLanes(
    bits: 32 | 64,
    field: number,
    bytes: VectorBytes,
    destination: number,
    source: number,
    count: number,
  ): void {
    if (bytes === 64) {
      this.#code.byte(0x62);
      this.#code.byte(0x80 | (source & 16 ? 0 : 0x40) | (source & 8 ? 0 : 0x20) | 0x10 | 1);
      this.#code.byte((bits === 64 ? 0x80 : 0) | ((~destination & 15) << 3) | 4 | 1);
      this.#code.byte((2 << 5) | (destination & 16 ? 0 : 8));
    } else {
      this.#code.byte(0xc4);
      this.#code.byte(0x80 | 0x40 | (source & 8 ? 0 : 0x20) | 1);
      this.#code.byte(((~destination & 15) << 3) | (bytes === 32 ? 4 : 0) | 1);
    }
    this.#code.byte(bits === 64 ? 0x73 : 0x72);
    this.#code.register(field, source);
    this.#code.byte(count);
  }

  /** Mask register ← the low 16 bits of a general register. */
  kmovToMask(mask: number, source: Register): void {
    this.#maskMove(0x92, mask, source);
  }

  /** General register ← a mask of 16 bits. */
  kmovFromMask(destination: Register, mask: number): void {
    this.#maskMove(0x93, destination, mask);
  }

  #maskMove(opcode: number, field: number, rm: number): void {
    this.#code.byte(0xc4);
    this.#code.byte((field & 8 ? 0 : 0x80) | 0x40 | (rm & 8 ? 0 : 0x20) | 1);
    this.#code.byte(0x78);
    this.#code.byte(opcode);
    this.#code.register(field, rm);
  }

  #integer(opcode: number, field: Register, operand: Register | Memory, w: 0 | 1): void {
    this.#rex(w, field, operand);
    this.#code.byte(opcode);
    this.#modrm(field, operand);
  }

  #rex(w: 0 | 1, field: number, operand: Register | Memory): void {
    const { r, x, b } = extensions(field, operand);
    const prefix = 0x40 | (w << 3) | (r ? 4 : 0) | (x ? 2 : 0) | (b ? 1 : 0);
    if (prefix !== 0x40) this.#code.byte(prefix);
  }

  #modrm(field: number, operand: Register | Memory): void {
    this.#operand(field, operand, 1, 0);
  }

  #operand(field: number, operand: number | Memory, unit: number, after: number): void {
    if (typeof operand === "number") this.#code.register(field, operand);
    else this.#code.memory(field, operand, unit, after);
  }
}

/** The fourth bits of the register numbers in an instruction. */
function extensions(field: number, operand: number | Memory) {
  const r = (field & 8) !== 0;
  if (typeof operand === "number") return { r, x: false, b: (operand & 8) !== 0 };
  if (operand.label !== undefined) return { r, x: false, b: false };
  return { r, x: operand.index >= 0 && (operand.index & 8) !== 0, b: (operand.base & 8) !== 0 };
}
