/**
 * The soft cap c of logits (Gemma Team 2024, Gemma 2, section 2): c·tanh(z/c) of z = (h·w + b)/τ, before corrections. For labels, one by one; tiles have
 * kernels for it. c = 0: none.
 */
export function capped(z: number, c: number): number {
  return c === 0 ? z : c * Math.tanh(z / c);
}

/** Its derivative, from what it made. */
export function capSlope(z: number, c: number): number {
  return c === 0 ? 1 : 1 - (z / c) ** 2;
}
