import { ClassIdError } from "@logq/core";
import type { Names, Vocabulary } from "../types.js";
import { NameTable } from "./name-table.js";

/** Names kept as UTF-8 bytes; a string is made when it is asked for, an index when the first id is. */
export class StoredNames implements Names {
  readonly size: number;
  readonly #bytes: Uint8Array;
  readonly #offsets: Uint32Array;
  readonly #decoder = new TextDecoder();
  #index: NameTable | undefined;

  /** @param offsets (size+1), non-decreasing, where each name begins in `bytes`; both are kept. */
  constructor(bytes: Uint8Array, offsets: Uint32Array) {
    this.size = offsets.length - 1;
    this.#bytes = bytes;
    this.#offsets = offsets;
  }

  name(id: number): string {
    requireId(id, this.size);
    return this.#decoder.decode(this.#bytes.subarray(this.#offsets[id], this.#offsets[id + 1]));
  }

  id(name: string): number | undefined {
    this.#index ??= this.#buildIndex();
    const id = this.#index.find(name);
    return id < 0 ? undefined : id;
  }

  #buildIndex(): NameTable {
    const table = new NameTable();
    for (let id = 0; id < this.size; id++) table.add(this.#bytes, this.#offsets[id], this.#offsets[id + 1]);
    return table;
  }
}

/** Names that are a prefix and the id itself, for ids without names of their own. */
export class NumberedNames implements Names {
  readonly size: number;
  readonly #prefix: string;

  constructor(size: number, prefix = "") {
    this.size = size;
    this.#prefix = prefix;
  }

  name(id: number): string {
    requireId(id, this.size);
    return `${this.#prefix}${id}`;
  }

  id(name: string): number | undefined {
    const id = Number(name.slice(this.#prefix.length));
    return id >= 0 && id < this.size && name === `${this.#prefix}${id}` && Number.isInteger(id) ? id : undefined;
  }
}

/** Names with the counts of the training part beside them. */
export class CountedVocabulary implements Vocabulary {
  readonly counts: Float64Array;
  readonly #names: Names;

  /** @param counts (n), over a SharedArrayBuffer; kept */
  constructor(names: Names, counts: Float64Array) {
    this.#names = names;
    this.counts = counts;
  }

  get size(): number {
    return this.#names.size;
  }

  name(id: number): string {
    return this.#names.name(id);
  }

  id(name: string): number | undefined {
    return this.#names.id(name);
  }
}

function requireId(id: number, size: number): void {
  if (!Number.isInteger(id) || id < 0 || id >= size) {
    throw new ClassIdError(`id ${id} is not in [0, ${size})`, { id, size });
  }
}
