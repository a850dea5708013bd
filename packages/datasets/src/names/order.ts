import { allocateShared } from "../files/array-file.js";
import type { NameTable } from "./name-table.js";

/** A choice among the names of a table, in the order of their new ids. */
export interface NameOrder {
  /** (n), the id in the table of each new id. */
  readonly kept: Int32Array;
  /** (size of the table), the new id of each name, −1 if it was left out. */
  readonly newId: Int32Array;
}

/**
 * Orders the ids for which `keep` holds by descending count; equal counts stay in order of first appearance.
 * @param counts (size of the table), occurrences in the training part
 */
export function orderByCount(counts: ArrayLike<number>, keep: (id: number) => boolean): NameOrder {
  const ids: number[] = [];
  for (let id = 0; id < counts.length; id++) if (keep(id)) ids.push(id);
  const kept = Int32Array.from(ids).sort((a, b) => counts[b] - counts[a] || a - b);
  const newId = new Int32Array(counts.length).fill(-1);
  for (let i = 0; i < kept.length; i++) newId[kept[i]] = i;
  return { kept, newId };
}

/** The kept names as the dataset stores them: bytes, offsets and, for vocabularies, counts, in new order. */
export function gatherNames(table: NameTable, kept: Int32Array): { bytes: Uint8Array; offsets: Uint32Array } {
  const { bytes: from, offsets: begins } = table;
  const offsets = allocateShared("uint32", kept.length + 1);
  for (let i = 0; i < kept.length; i++) offsets[i + 1] = offsets[i] + begins[kept[i] + 1] - begins[kept[i]];
  const bytes = allocateShared("uint8", offsets[kept.length]);
  for (let i = 0; i < kept.length; i++) bytes.set(from.subarray(begins[kept[i]], begins[kept[i] + 1]), offsets[i]);
  return { bytes, offsets };
}

/** counts[kept[i]] for every i. */
export function gatherCounts(counts: ArrayLike<number>, kept: Int32Array): Float64Array {
  const gathered = allocateShared("float64", kept.length);
  for (let i = 0; i < kept.length; i++) gathered[i] = counts[kept[i]];
  return gathered;
}

/** Occurrences by id that grow with the table. */
export class Counter {
  #counts = new Float64Array(1 << 10);

  add(id: number): void {
    if (id >= this.#counts.length) {
      const grown = new Float64Array(Math.max(id + 1, 2 * this.#counts.length));
      grown.set(this.#counts);
      this.#counts = grown;
    }
    this.#counts[id]++;
  }

  /** (size), the counts of ids [0, size). */
  upTo(size: number): Float64Array {
    const counts = new Float64Array(size);
    counts.set(this.#counts.subarray(0, size));
    return counts;
  }
}
