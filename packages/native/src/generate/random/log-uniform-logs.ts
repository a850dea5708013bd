import type { Assembler } from "../../assembler/assembler.js";
import { indexed, R8, R9, RAX, RCX } from "../../assembler/operands.js";
import { argument, argumentNumbers, loadAddress } from "../arguments.js";
import { joinHalves, loadDoubles } from "../doubles.js";
import { framed } from "../frame.js";
import { setRowTail, walkRow } from "../rows/walk.js";
import { type InstructionSet, Vectors } from "../vectors.js";

/** Bytes of ids, which are those of what is written; `constant`, a float64, is the offset without LOG_CENTRE. */
export const LOG_UNIFORM_LOGS = argumentNumbers(["constant", "constantHigh", "out", "ids", "width"]);

/** Mantissas m in [1, 2) are compared with it: |m − c| is 0.172·(m + c) at most. */
const CENTRE = Math.SQRT2;
export const LOG_CENTRE = Math.LN2 / 2;

/** Bits of a float64 before those of its exponent, and what is added to exponents. */
const [MANTISSA_BITS, BIAS] = [52, 1023];
const TWO_52 = 2 ** MANTISSA_BITS;

/** 2·atanh(s)/s in powers of s²: what follows is below 1e-12 for s² < 0.0295. */
const LOGARITHM = Array.from({ length: 7 }, (_, k) => 2 / (2 * k + 1));

/** log(atanh(s)/s) in powers of 4s² from the first on: what follows is below 1e-12 for s² up to 1/9. */
const CORRECTION = logarithmOfSeries(Array.from({ length: 11 }, (_, k) => 1 / (2 * k + 1)))
  .slice(1)
  .map((coefficient, k) => coefficient / 4 ** (k + 1));

/** The series of log(a₀ + a₁t + a₂t² + …), a₀ = 1: t times its derivative, times the argument, is t times that of the argument. */
function logarithmOfSeries(a: readonly number[]): readonly number[] {
  const c = [0];
  for (let k = 1; k < a.length; k++) {
    let rest = 0;
    for (let j = 1; j < k; j++) rest += j * c[j]! * a[k - j]!;
    c.push(a[k]! - rest / k);
  }
  return c;
}

const [OUT, IDS, OFFSET, LEFT] = [R8, R9, RAX, RCX];

/** Vector registers: five for each half of a vector, and what is the same for all. v15 is the tail's. */
const HALVES = [
  { value: 0, exponent: 2, mantissa: 3, sum: 4, quotient: 5 },
  { value: 1, exponent: 6, mantissa: 7, sum: 8, quotient: 9 },
] as const;
const [ONE, CONSTANT, SCRATCH] = [10, 11, 12];

type Registers = (typeof HALVES)[number];

/**
 * `DrawKernels.logUniformLogs`. log(1 + 1/(c + 1)) is 2·atanh(1/(2c + 3)), so that its logarithm is −log x and a correction in powers of 1/x², where
 * x = c + 3/2: one logarithm in place of two, and one series for all classes. Error below 2e-12 before it is rounded to float32.
 */
export function generateLogUniformLogs(asm: Assembler, set: InstructionSet): void {
  const v = new Vectors(asm, set);
  framed(asm, () => {
    const width = argument(LOG_UNIFORM_LOGS.width);
    setRowTail(v, width, RAX, RCX);
    v.op("vmovupd", ONE, -1, v.doubleInMemory(1));
    v.op("vbroadcastsd", CONSTANT, -1, argument(LOG_UNIFORM_LOGS.constant));
    loadAddress(asm, OUT, LOG_UNIFORM_LOGS.out);
    loadAddress(asm, IDS, LOG_UNIFORM_LOGS.ids);
    asm.movConstant(OFFSET, 0);
    walkRow(v, { offset: OFFSET, left: LEFT, width }, 1, (_, tail) => logsOfIds(v, tail));
  }, []);
}

function logsOfIds(v: Vectors, tail: boolean): void {
  const [low, high] = HALVES;
  loadDoubles(v, low.value, high.value, indexed(IDS, OFFSET, 1), tail, SCRATCH, "vcvtdq2pd");
  parts(v);
  quotients(v);
  sums(v);
  for (const { value } of HALVES) v.op("vcvtpd2ps", value, -1, value);
  joinHalves(v, low.value, low.value, high.value);
  v.storePart(indexed(OUT, OFFSET, 1), low.value, tail);
}

/** Writes an instruction for both halves, side by side: in each of them one waits for the one before. */
function each(write: (registers: Registers) => void): void {
  HALVES.forEach(write);
}

/** x, its exponent, and from its mantissa m both m − c and m + c. */
function parts(v: Vectors): void {
  const biased = v.doubleInMemory(TWO_52 + BIAS);
  const [one, two52, centre] = [1, TWO_52, CENTRE].map((constant) => v.doubleInMemory(constant));
  const mantissaBits = v.words((lane) => (lane % 2 === 0 ? -1 : 2 ** (MANTISSA_BITS - 32) - 1));
  each(({ value }) => v.op("vaddpd", value, value, v.doubleInMemory(1.5)));
  each(({ value, exponent }) => v.asm.vpsrlq(v.bytes, exponent, value, MANTISSA_BITS));
  each(({ value, mantissa }) => v.op("vandps", mantissa, value, mantissaBits));
  // A small integer in the low bits of 2^52 is that much more.
  each(({ exponent }) => v.op("vorps", exponent, exponent, two52!));
  each(({ mantissa }) => v.op("vorps", mantissa, mantissa, one!));
  each(({ exponent }) => v.op("vsubpd", exponent, exponent, biased));
  each(({ mantissa, sum }) => v.op("vaddpd", sum, mantissa, centre!));
  each(({ mantissa }) => v.op("vsubpd", mantissa, mantissa, centre!));
}

/** 1/x², in the place of the sum, and s = (m − c)/(m + c), in that of the mantissa, with its square: one division for both. */
function quotients(v: Vectors): void {
  each(({ value, sum, quotient }) => v.op("vmulpd", quotient, value, sum));
  each(({ quotient }) => v.op("vdivpd", quotient, ONE, quotient));
  each(({ sum, quotient }) => v.op("vmulpd", sum, sum, quotient));
  each(({ value, quotient }) => v.op("vmulpd", quotient, quotient, value));
  each(({ mantissa, quotient }) => v.op("vmulpd", mantissa, mantissa, quotient));
  each(({ sum }) => v.op("vmulpd", sum, sum, sum));
  each(({ mantissa, quotient }) => v.op("vmulpd", quotient, mantissa, mantissa));
}

/** The constant, less the logarithm of x, and the correction. */
function sums(v: Vectors): void {
  each(({ value }) => v.move(value, CONSTANT));
  each(({ value, exponent }) => v.op("vfnmadd231pd", value, exponent, v.doubleInMemory(Math.LN2)));
  series(v, LOGARITHM, "quotient");
  each(({ value, mantissa, exponent }) => v.op("vfnmadd231pd", value, mantissa, exponent));
  series(v, CORRECTION, "sum");
  each(({ value, sum, exponent }) => v.op("vfmadd231pd", value, sum, exponent));
}

/** A polynomial, coefficients from the lowest on, in the place of the exponent. */
function series(v: Vectors, coefficients: readonly number[], argument: "quotient" | "sum"): void {
  const [first, ...others] = coefficients.map((coefficient) => v.doubleInMemory(coefficient)).toReversed();
  each(({ exponent }) => v.op("vmovupd", exponent, -1, first!));
  for (const coefficient of others)
    each((registers) => v.op("vfmadd213pd", registers.exponent, registers[argument], coefficient));
}
