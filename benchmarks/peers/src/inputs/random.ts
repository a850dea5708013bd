/** Numbers for inputs: fast, and the same in every run. (Marsaglia's xorshift32; nobody's result depends on its quality.) */
export class InputNumbers {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed * 0x9e3779b9) >>> 0 || 1;
  }

  /** Uniform in [0, 1), 32 bits. */
  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state / 2 ** 32;
  }

  /** New numbers, uniform in [−scale, scale). */
  floats(length: number, scale: number): Float32Array {
    const values = new Float32Array(length);
    for (let i = 0; i < length; i++) values[i] = scale * (2 * this.next() - 1);
    return values;
  }

  /** Uniform in [0, n). */
  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  /** Different ids in [0, n), `count` of them, in no order. */
  distinct(count: number, n: number): Int32Array {
    const ids = new Set<number>();
    while (ids.size < count) ids.add(this.below(n));
    return Int32Array.from(ids);
  }

  /** By the log-uniform law: P(id) = log((id + 2)/(id + 1))/log(n + 1). */
  logUniform(n: number): number {
    return Math.min(n - 1, Math.floor(Math.exp(this.next() * Math.log(n + 1))) - 1);
  }
}
