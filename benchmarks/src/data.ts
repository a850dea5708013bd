/** Uniforms in [0, 1) that are the same in every run: mulberry32, fast and good enough for operands. Not for draws. */
export function uniforms(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Fills with uniforms in [low, high); answers `out`. */
export function fillUniform<T extends Float32Array | Float64Array>(out: T, seed: number, low: number, high: number): T {
  const next = uniforms(seed);
  for (let i = 0; i < out.length; i++) out[i] = low + (high - low) * next();
  return out;
}

/** `count` distinct ids of [0, n), ascending, as the rows of a step are. count <= n / 2. */
export function distinctIds(count: number, n: number, seed: number): Int32Array {
  const next = uniforms(seed);
  const ids = new Set<number>();
  while (ids.size < count) ids.add(Math.floor(n * next()));
  return Int32Array.from(ids).sort();
}
