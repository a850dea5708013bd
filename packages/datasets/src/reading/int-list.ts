const CHUNK_ELEMENTS = 1 << 18;

/** A list of int32 that grows by whole chunks: no copying while it grows, 4 bytes an element, 1 MiB of slack. */
export class IntList {
  readonly #full: Int32Array[] = [];
  #last = new Int32Array(CHUNK_ELEMENTS);
  #used = 0;

  get length(): number {
    return this.#full.length * CHUNK_ELEMENTS + this.#used;
  }

  push(value: number): void {
    if (this.#used === CHUNK_ELEMENTS) {
      this.#full.push(this.#last);
      this.#last = new Int32Array(CHUNK_ELEMENTS);
      this.#used = 0;
    }
    this.#last[this.#used++] = value;
  }

  /** The elements in order, as views of the list's own memory. */
  *chunks(): Generator<Int32Array, void, undefined> {
    yield* this.#full;
    if (this.#used > 0) yield this.#last.subarray(0, this.#used);
  }

  /** Replaces every element v by map[v]. */
  remap(map: Int32Array): void {
    for (const chunk of this.chunks()) {
      for (let i = 0; i < chunk.length; i++) chunk[i] = map[chunk[i]];
    }
  }

  /** All elements in one array. */
  toArray(): Int32Array {
    const array = new Int32Array(this.length);
    let at = 0;
    for (const chunk of this.chunks()) {
      array.set(chunk, at);
      at += chunk.length;
    }
    return array;
  }
}
