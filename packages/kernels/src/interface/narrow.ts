import type { Key } from "@logq/core";
import type { Address } from "../memory.js";

/** How the numbers of a table are stored. What is computed with them is float32. */
export const TABLE_TYPES = ["float32", "bfloat16"] as const;

export type TableType = (typeof TABLE_TYPES)[number];

/** Names the random bits of a rounding: the same (key, step, table, id, element) gives the same bits, wherever the row lies and whoever rounds it. */
export interface RoundingDraw {
  readonly key: Key;
  readonly step: number;
  /** Which table the rows are of, in [0, 256). */
  readonly table: number;
}

/**
 * Rows stored as bfloat16: the upper 16 bits of a float32, with its range and 8 bits of precision. Leading dimensions are in elements, of 2 bytes in
 * the table and of 4 elsewhere; rows of the table start on 16 bytes. Arithmetic is always on float32.
 */
export interface NarrowKernels {
  /** out[j] = row indices[j] of the table, j < count; indices 0: row j. Exact. */
  widenRows(
    out: Address,
    ldOut: number,
    table: Address,
    ldTable: number,
    indices: Address,
    count: number,
    D: number,
  ): void;

  /**
   * Row indices[j] of the table (indices 0: row j) ← source[j], j < count, by stochastic rounding: x between neighbours a < b of bfloat16 becomes b
   * with probability (x − a) / (b − a), in steps of 2^−16, so that the mean over draws is x; what bfloat16 can hold stays as it is. ±∞ and NaN
   * stay what they are; a number beyond 3.39e38 may become infinite.
   * Element d of row ids[j] (int32) uses 16 bits of the Philox block with counter (table·2^24 + ⌊d/8⌋, id, STREAM.rounding at `step`): of its word
   * ⌊d/2⌋ mod 4 the lower half for even d, the upper for odd.
   */
  roundRows(
    table: Address,
    ldTable: number,
    indices: Address,
    source: Address,
    ldSource: number,
    count: number,
    D: number,
    ids: Address,
    draw: RoundingDraw,
  ): void;
}
