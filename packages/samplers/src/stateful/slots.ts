/**
 * Where an id is counted: its own place, or one slot in each of several hash arrays. The hash is the finaliser of MurmurHash3 (Appleby, public
 * domain) on the id mixed with a number of the array, so that ids which collide in one array are apart in another.
 */
export class Slots {
  readonly arrays: number;
  readonly size: number;
  readonly #hashed: boolean;

  constructor(size: number, arrays: number, hashed: boolean) {
    this.size = size;
    this.arrays = arrays;
    this.#hashed = hashed;
  }

  /** The slot of an id in an array, in [array·size, (array + 1)·size). */
  of(id: number, array: number): number {
    if (!this.#hashed) return id;
    let h = id ^ Math.imul(array + 1, 0x9e3779b1);
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h = (h ^ (h >>> 16)) >>> 0;
    // A 32-bit fraction times a size below 2^31 keeps its distance from the size after rounding.
    return array * this.size + Math.floor((h / 2 ** 32) * this.size);
  }
}
