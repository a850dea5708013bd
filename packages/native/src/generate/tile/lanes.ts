import type { Vectors } from "../vectors.js";

type Spare = readonly [number, number, number];

/** x ← x, but 0 where it is −∞: of the empty set every term is e^−∞ = 0, which −∞ − 0 gives and −∞ − −∞ would not. */
export function finiteOf(v: Vectors, x: number, [none, zero, scratch]: Spare): void {
  v.constant(none, -Infinity);
  v.zero(zero);
  v.whereMove("equal", x, zero, x, none, scratch);
}

/** out ← all bits where x is not 0, NaN included, and no bits elsewhere. */
export function nonzeroOf(v: Vectors, out: number, x: number, [zero, ones, scratch]: Spare): void {
  v.zero(zero);
  v.zero(out);
  v.broadcast(ones, v.asm.bits(0xffffffff));
  v.whereMove("notEqual", out, ones, x, zero, scratch);
}
