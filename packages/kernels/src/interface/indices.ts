import type { Address } from "../memory.js";

/** Sorting and deduplication of ids. Keys are non-negative int32. */
export interface IndexKernels {
  /** Bytes of scratch that sorting `count` pairs needs. */
  sortScratchBytes(count: number): number;

  /** Sorts (keys, values), int32 each, by key, ascending and stable, in place. maxKey is an upper bound of the keys: it saves passes. */
  sortPairs(keys: Address, values: Address, count: number, maxKey: number, scratch: Address): void;

  /**
   * Of sorted keys (count): writes the distinct ones to unique and, for each, where its run starts to offsets (one more at the end: count).
   * Answers how many there are. unique may be keys.
   */
  uniqueRuns(unique: Address, offsets: Address, keys: Address, count: number): number;

  /**
   * Gives entries their place in a list of distinct ids. list holds C ascending ids; keys (count) are sorted, entries (count) tell whose they
   * are. Ids that are not among the C are appended, ascending. For each place u of the list, sorted[offsets[u] … offsets[u+1]) are its
   * entries, in the order they had; place[entry] = u. Answers the length U of the list; offsets has U + 1 elements. What entries hold afterwards is
   * undefined.
   */
  mergeKeys(
    list: Address,
    C: number,
    keys: Address,
    entries: Address,
    count: number,
    place: Address,
    sorted: Address,
    offsets: Address,
  ): number;
}
