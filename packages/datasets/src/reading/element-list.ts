const CHUNK_ELEMENTS = 1 << 18;

type Elements = Int32Array | Float32Array | Float64Array;

/** A list of numbers that grows by whole chunks: no copying while it grows, and little slack. */
export class ElementList<T extends Elements> {
  readonly #make: new (
    length: number,
  ) => T;
  readonly #full: T[] = [];
  #last: T;
  #used = 0;

  constructor(make: new (length: number) => T) {
    this.#make = make;
    // The first chunk is small: most lists of most programs hold little.
    this.#last = new make(1 << 10);
  }

  get length(): number {
    return this.#full.reduce((total, chunk) => total + chunk.length, this.#used);
  }

  push(value: number): void {
    if (this.#used === this.#last.length) {
      this.#full.push(this.#last);
      this.#last = new this.#make(CHUNK_ELEMENTS);
      this.#used = 0;
    }
    this.#last[this.#used++] = value;
  }

  /** The elements in order, as views of the list's own memory. */
  *chunks(): Generator<T, void, undefined> {
    yield* this.#full;
    if (this.#used > 0) yield this.#last.subarray(0, this.#used) as T;
  }

  /** All elements in one array. */
  toArray(): T {
    const array = new this.#make(this.length);
    let at = 0;
    for (const chunk of this.chunks()) {
      array.set(chunk, at);
      at += chunk.length;
    }
    return array;
  }
}

/** Replaces every element v of a list by map[v]. */
export function remap(list: ElementList<Int32Array>, map: Int32Array): void {
  for (const chunk of list.chunks()) {
    for (let i = 0; i < chunk.length; i++) chunk[i] = map[chunk[i]];
  }
}
