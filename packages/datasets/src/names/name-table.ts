import { MemoryLimitError } from "@logq/core";

const INITIAL_NAMES = 1 << 10;
const MOST_BYTES = 2 ** 32 - 1;

/**
 * Numbers distinct names in order of first appearance. Names are UTF-8 bytes from beginning to end: no string is made per
 * occurrence, and there is no bound at the 2^24 entries of a Map. Open addressing with linear probing, at most half full.
 */
export class NameTable {
  #size = 0;
  /** id + 1, or 0 for an empty slot. */
  #slots = new Int32Array(2 * INITIAL_NAMES);
  #hashes = new Int32Array(INITIAL_NAMES);
  #offsets = new Uint32Array(INITIAL_NAMES + 1);
  #bytes = new Uint8Array(16 * INITIAL_NAMES);
  #scratch = new Uint8Array(256);
  readonly #encoder = new TextEncoder();

  get size(): number {
    return this.#size;
  }

  /** (size+1), where each name begins in `bytes`; a view, valid until the next name is added. */
  get offsets(): Uint32Array {
    return this.#offsets.subarray(0, this.#size + 1);
  }

  /** All names one after another; a view, valid until the next name is added. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#offsets[this.#size]);
  }

  /** The id of the name bytes[start … end), a new one if it is new. */
  add(bytes: Uint8Array, start: number, end: number): number {
    const hash = hashBytes(bytes, start, end);
    let slot = this.#probe(bytes, start, end, hash);
    const known = this.#slots[slot];
    if (known !== 0) return known - 1;
    if (2 * (this.#size + 1) > this.#slots.length) {
      this.#growSlots();
      slot = this.#probe(bytes, start, end, hash);
    }
    const id = this.#size++;
    this.#slots[slot] = id + 1;
    this.#store(id, hash, bytes, start, end);
    return id;
  }

  addString(name: string): number {
    // Encoding may put a longer scratch in place.
    const end = this.#encode(name);
    return this.add(this.#scratch, 0, end);
  }

  /** The id of a name, −1 if it was never added. */
  find(name: string): number {
    const end = this.#encode(name);
    return this.#slots[this.#probe(this.#scratch, 0, end, hashBytes(this.#scratch, 0, end))] - 1;
  }

  /** The slot that holds the name, or the empty one where it belongs. */
  #probe(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    while (this.#slots[slot] !== 0 && !this.#equals(this.#slots[slot] - 1, hash, bytes, start, end)) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #equals(id: number, hash: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#hashes[id] !== hash) return false;
    const own = this.#offsets[id];
    const length = end - start;
    if (this.#offsets[id + 1] - own !== length) return false;
    for (let i = 0; i < length; i++) {
      if (this.#bytes[own + i] !== bytes[start + i]) return false;
    }
    return true;
  }

  #store(id: number, hash: number, bytes: Uint8Array, start: number, end: number): void {
    if (id + 1 === this.#offsets.length) {
      this.#offsets = grown(this.#offsets, new Uint32Array(2 * id + 2));
      this.#hashes = grown(this.#hashes, new Int32Array(2 * id + 2));
    }
    const at = this.#offsets[id];
    const next = at + end - start;
    if (next > MOST_BYTES) throw new MemoryLimitError("the names together exceed 4 GiB", { bytes: next, names: id });
    if (next > this.#bytes.length) {
      this.#bytes = grown(this.#bytes, new Uint8Array(Math.min(MOST_BYTES, Math.max(next, 2 * this.#bytes.length))));
    }
    this.#bytes.set(bytes.subarray(start, end), at);
    this.#offsets[id + 1] = next;
    this.#hashes[id] = hash;
  }

  #growSlots(): void {
    const slots = new Int32Array(2 * this.#slots.length);
    const mask = slots.length - 1;
    for (let id = 0; id < this.#size; id++) {
      let slot = this.#hashes[id] & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = id + 1;
    }
    this.#slots = slots;
  }

  #encode(name: string): number {
    // UTF-8 takes at most 3 bytes for a UTF-16 unit.
    if (3 * name.length > this.#scratch.length) this.#scratch = new Uint8Array(6 * name.length);
    return this.#encoder.encodeInto(name, this.#scratch).written;
  }
}

/** FNV-1a (Fowler, Noll, Vo; public domain) with a final mix, for its low bits choose the slot. */
function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}

function grown<T extends Uint8Array | Int32Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
