/** The distance from 1 to the next float32: the relative size of two roundings. */
export const FLOAT_EPSILON = 2 ** -23;

/** The logits of row r of the batch in a tile (C, R), by class. */
export function columnOf(z: ArrayLike<number>, C: number, R: number, r: number): Float64Array {
  return Float64Array.from({ length: C }, (_, c) => z[c * R + r]!);
}
