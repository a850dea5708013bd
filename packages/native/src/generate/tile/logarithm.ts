import type { Vectors } from "../vectors.js";

/** log(1 + x) / x on [0, 1], of least relative error (Lawson's iteration), the highest power first. */
const COEFFICIENTS = [
  0.005232691299170256, -0.029505226761102676, 0.07822593301534653, -0.13663244247436523, 0.19106006622314453,
  -0.2484298199415207, 0.3331909775733948, -0.4999949336051941, 0.9999999403953552,
] as const;

/**
 * out ← base + log(1 + x) for x in [0, 1]; the logarithm's relative error is below 2e-7. NaN stays NaN. No two registers are the same. The even and
 * the odd powers have a chain of their own each: loops are bound by the length of the chain.
 */
export function addLog1p(
  v: Vectors,
  out: number,
  base: number,
  x: number,
  [square, odd]: readonly [number, number],
): void {
  v.op("vmulps", square, x, x);
  for (const [i, c] of COEFFICIENTS.entries()) {
    const chain = i % 2 === 0 ? out : odd;
    if (i < 2) v.load(chain, v.inMemory(c));
    else v.op("vfmadd213ps", chain, square, v.inMemory(c));
  }
  v.op("vfmadd231ps", out, odd, x);
  v.op("vfmadd213ps", out, x, base);
}
