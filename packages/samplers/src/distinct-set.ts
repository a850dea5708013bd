const EMPTY = -1;

/** The least power of two that leaves a table of `entries` at most half full. */
function capacityFor(entries: number): number {
  return 1 << (32 - Math.clz32(2 * Math.max(entries, 4) - 1));
}

/** Spreads ids over the top bits (Knuth's multiplicative hash), so that runs of neighbours do not pile up. */
function slotOf(id: number, shift: number): number {
  return Math.imul(id, 0x9e3779b1) >>> shift;
}

/**
 * Which ids were met in a draw, each with an int32 value if wanted: open addressing on scratch that is kept and only grows.
 * Clearing costs the entries of the coming draw, never n.
 */
export class DistinctSet {
  #keys = new Int32Array(0);
  #values = new Int32Array(0);
  #mask = 0;
  #shift = 0;

  /** Empties the set and makes room for `entries` ids, with values if they are wanted. */
  reset(entries: number, withValues = false): void {
    const capacity = capacityFor(entries);
    if (capacity > this.#keys.length) this.#keys = new Int32Array(capacity);
    if (withValues && capacity > this.#values.length) this.#values = new Int32Array(capacity);
    this.#keys.fill(EMPTY, 0, capacity);
    this.#mask = capacity - 1;
    this.#shift = Math.clz32(capacity) + 1;
  }

  /** Adds an id; false if it was there. */
  add(id: number): boolean {
    const slot = this.#find(id);
    if (this.#keys[slot] === id) return false;
    this.#keys[slot] = id;
    return true;
  }

  has(id: number): boolean {
    return this.#keys[this.#find(id)] === id;
  }

  set(id: number, value: number): void {
    const slot = this.#find(id);
    this.#keys[slot] = id;
    this.#values[slot] = value;
  }

  /** The value set for an id, or `otherwise`. */
  get(id: number, otherwise: number): number {
    const slot = this.#find(id);
    return this.#keys[slot] === id ? this.#values[slot] : otherwise;
  }

  /** The slot that holds the id, or the empty slot where it would go. */
  #find(id: number): number {
    let slot = slotOf(id, this.#shift);
    while (this.#keys[slot] !== EMPTY && this.#keys[slot] !== id) slot = (slot + 1) & this.#mask;
    return slot;
  }
}
