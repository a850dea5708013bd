import seedrandom from "seedrandom";
import type { Key } from "./philox.js";

/**
 * Turns a user's seed into the 64-bit key of every random stream of a run.
 * seedrandom hashes any string (ARC4), so seeds that differ in one character give unrelated keys. A number and its decimal text are the
 * same seed.
 *
 * ARC4 repeats its key to fill 256 bytes, so that "1", "11" and "111" would be one seed, and "12" and "1212" another. The length before the
 * text prevents it: no two different texts of this form are repetitions of one word.
 */
export function keyFromSeed(seed: number | string): Key {
  const text = String(seed);
  const random = seedrandom(`${text.length}:${text}`);
  return { low: random.int32() >>> 0, high: random.int32() >>> 0 };
}
