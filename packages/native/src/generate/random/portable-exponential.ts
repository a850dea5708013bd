import { EXPONENTIAL } from "@logq/core";
import type { Vectors } from "../vectors.js";

/** Where a vector of float64 stands that is to be exponentiated, and what it takes. */
export interface ExponentialRegisters {
  /** x, and then e^x. */
  readonly value: number;
  readonly power: number;
  readonly remainder: number;
}

/** Bits before those of the exponent of a float64. */
const MANTISSA_BITS = 52;

/**
 * value ← e^value, float64 in [0, 21.8]: the bits of `portableExp` in @logq/core, so that products and sums are rounded apart. Fused are only those
 * whose product is exact. The vectors go side by side, since in each of them every instruction waits for the one before.
 */
export function portableExponentials(v: Vectors, vectors: readonly ExponentialRegisters[]): void {
  const each = (write: (registers: ExponentialRegisters) => void) => vectors.forEach(write);
  const [rounder, high, low] = [EXPONENTIAL.rounder, EXPONENTIAL.ln2High, EXPONENTIAL.ln2Low].map((constant) =>
    v.doubleInMemory(constant),
  );
  each(({ value, power }) => v.op("vmulpd", power, value, v.doubleInMemory(EXPONENTIAL.log2E)));
  each(({ power }) => v.op("vaddpd", power, power, rounder!));
  each(({ power, remainder }) => v.op("vsubpd", remainder, power, rounder!));
  each(({ value, remainder }) => v.op("vfnmadd231pd", value, remainder, high!));
  each(({ remainder }) => v.op("vmulpd", remainder, remainder, low!));
  each(({ value, remainder }) => v.op("vsubpd", remainder, value, remainder));
  const [first, ...others] = EXPONENTIAL.coefficients.map((coefficient) => v.doubleInMemory(coefficient));
  each(({ value, remainder }) => v.op("vmulpd", value, remainder, first!));
  for (const [k, coefficient] of others.entries()) {
    if (k > 0) each(({ value, remainder }) => v.op("vmulpd", value, value, remainder));
    each(({ value }) => v.op("vaddpd", value, value, coefficient));
  }
  // The integer becomes part of the exponent, which is what a product with its power of two does to a normal number.
  each(({ power }) => v.asm.vpsllq(v.bytes, power, power, MANTISSA_BITS));
  each(({ value, power }) => v.op("vpaddq", value, value, power));
}
