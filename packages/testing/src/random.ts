/**
 * Seeded numbers for test data: mulberry32 (Tommy Ettinger, public domain). It is independent of the generators under test, small and
 * repeatable; it is no judge of randomness.
 */
export class TestRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 32 bits as an unsigned integer. */
  word(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** A real in [low, high), of 53 bits. */
  uniform(low = 0, high = 1): number {
    const fraction = ((this.word() >>> 5) * 2 ** 26 + (this.word() >>> 6)) / 2 ** 53;
    return low + (high - low) * fraction;
  }

  /** An integer in [0, below). */
  integer(below: number): number {
    return Math.floor(this.uniform() * below);
  }

  /** A standard normal number, by Box and Muller. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Shuffles in place and answers the same array (Fisher and Yates). */
  shuffle<T>(values: T[]): T[] {
    for (let i = values.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [values[i], values[j]] = [values[j]!, values[i]!];
    }
    return values;
  }

  /** `count` float32 normal numbers of the given standard deviation. */
  normalFloats(count: number, deviation = 1): Float32Array {
    return Float32Array.from({ length: count }, () => deviation * this.normal());
  }

  /** `count` float32 numbers in [low, high). */
  uniformFloats(count: number, low = 0, high = 1): Float32Array {
    return Float32Array.from({ length: count }, () => this.uniform(low, high));
  }

  /** `count` int32 numbers in [0, below), repeats allowed. */
  integers(count: number, below: number): Int32Array {
    return Int32Array.from({ length: count }, () => this.integer(below));
  }

  /** `count` different int32 numbers in [0, below), in random order; count <= below. */
  distinctIntegers(count: number, below: number): Int32Array {
    if (count > below) throw new RangeError(`${count} different integers below ${below} do not exist`);
    const seen = new Set<number>();
    while (seen.size < count) seen.add(this.integer(below));
    return Int32Array.from(this.shuffle([...seen]));
  }
}
