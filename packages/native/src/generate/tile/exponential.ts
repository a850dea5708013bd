import type { VectorOperand } from "../../assembler/assembler.js";
import type { Vectors } from "../vectors.js";

const LOG2_E = Math.fround(Math.LOG2E);

/** 1.5·2^23: adding it to a number below 2^22 leaves the number's integer in the low bits. */
const ROUNDER = 12582912;

/** Its power of two, 2^128 when halved, is written as +∞. */
const HIGHEST = 89.2;

/**
 * The constants. The polynomial is 2^r, |r| ≤ ½, of least relative error (Lawson's iteration), times 2; the powers of two that go with it are
 * therefore halved, so that the smallest of them, 2^−127, is written as 0 and the last one above it, 2^−126, is a normal number.
 */
const CONSTANTS = {
  log2e: LOG2_E,
  lowest: -87.3365,
  rounder: ROUNDER + 126,
  c5: 2 * 0.001326472731307149,
  c4: 2 * 0.009671512991189957,
  c3: 2 * 0.05550733581185341,
  c2: 2 * 0.24022242426872253,
  c1: 2 * 0.6931470036506653,
  c0: 2,
  log2eRest: Math.LOG2E - LOG2_E,
} as const;

type ConstantName = keyof typeof CONSTANTS;

const NAMES = Object.keys(CONSTANTS) as ConstantName[];

/** So many of the first constants must be in registers. */
const LEAST_REGISTERS = 2;

/**
 * e^x of vectors: 2^n·p(r) with n = round(x·log2 e), r = x·log2 e − n. Relative error below 1.8e-7 + 1.4e-8·|x|, or without the second term where it
 * is asked to be precise; exact at 0; 0 below −86.99 (−∞ too); NaN stays NaN. For x up to 88, unless it goes through `limit` before.
 */
export class Exponential {
  readonly #v: Vectors;
  readonly #registers: readonly number[];

  /** Constants take the registers one after another as long as there are some; the others are read from memory. */
  constructor(v: Vectors, registers: readonly number[]) {
    if (registers.length < LEAST_REGISTERS) throw new RangeError("too few registers for exponentials");
    this.#v = v;
    this.#registers = registers.slice(0, NAMES.length);
  }

  /** Fills the registers of the constants. */
  loadConstants(): void {
    for (const [i, register] of this.#registers.entries()) this.#v.constant(register, CONSTANTS[NAMES[i]!]);
  }

  /** Before `apply`, of numbers that may be too large for it: so that it gives +∞ where a float32 cannot hold e^x. */
  limit(x: number, spare: number): void {
    // Of a NaN and another number the minimum is its second operand.
    this.#v.load(spare, this.#v.inMemory(HIGHEST));
    this.#v.op("vminps", x, spare, x);
  }

  /** x ← e^x */
  apply(x: number, spare: number, spare2: number, precise = false): void {
    const v = this.#v;
    const [power, r] = [spare, spare2];
    const [log2e, lowest, c5] = [this.#register("log2e"), this.#register("lowest"), this.#operand("c5")];
    // Of a NaN and another number the maximum is its second operand.
    v.op("vmaxps", x, lowest, x);
    v.move(power, x);
    v.op("vfmadd213ps", power, log2e, this.#operand("rounder"));
    v.op("vsubps", r, power, this.#operand("rounder"));
    v.op("vfmsub231ps", r, x, log2e);
    if (precise) v.op("vfmadd231ps", r, x, this.#operand("log2eRest"));
    v.op("vmovups", x, -1, c5);
    for (const name of ["c4", "c3", "c2", "c1", "c0"] as const) v.op("vfmadd213ps", x, r, this.#operand(name));
    // The exponent's bits move to where they belong and what was above them goes.
    v.asm.vpslld(v.bytes, power, power, 23);
    v.op("vmulps", x, x, power);
  }

  #register(name: ConstantName): number {
    return this.#registers[NAMES.indexOf(name)]!;
  }

  #operand(name: ConstantName): VectorOperand {
    return this.#registers[NAMES.indexOf(name)] ?? this.#v.inMemory(CONSTANTS[name]);
  }
}
