import seedrandom from "seedrandom";
import type { Key } from "./philox.js";

/**
 * Turns a user's seed into the 64-bit key of every random stream of a run.
 * seedrandom hashes any string (ARC4), so seeds that differ in one character give unrelated keys. A number and its decimal text are the same seed.
 */
export function keyFromSeed(seed: number | string): Key {
  const random = seedrandom(String(seed));
  return { low: random.int32() >>> 0, high: random.int32() >>> 0 };
}
