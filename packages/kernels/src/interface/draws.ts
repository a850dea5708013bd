import type { Key, StreamId } from "@logq/core";
import type { Address } from "../memory.js";

/** What a draw is for: see `STREAM` in @logq/core. Pair i of an address is the Philox block with counter (i, item, step low, stream | step high). */
export interface DrawAddress {
  key: Key;
  stream: StreamId;
  step: number;
  item: number;
}

/** A keyed permutation of {0, …, size − 1} as `KeyedPermutation` defines it; size at most 2^31. */
export interface PermutationDraw {
  readonly size: number;
  readonly halfBits: number;
  /** The 8 words of its rounds. */
  readonly roundKeys: Uint32Array;
}

/** Bytes of one class in an alias table. */
export const ALIAS_RECORD_BYTES = 24;

/**
 * Random numbers, drawn many at a time into kernel memory: the same bits as the definitions in @logq/core, on every back-end. Uniforms have 53
 * bits and lie in [0, 1); a pair is the two uniforms of one block.
 *
 * An alias table holds a record of 24 bytes a class: float64 threshold, float64 log-probability, int32 alias, 4 bytes of nothing. One record
 * is one or two cache lines, so a draw costs one miss, or two where it goes to its alias; the lines of coming draws are touched ahead.
 */
export interface DrawKernels {
  /** Bytes of scratch that `aliasIds` needs. */
  readonly scratchBytes: number;

  /** out[2i] and out[2i + 1] = the uniforms of pair first + i, for i < count; float64. */
  uniformPairs(out: Address, count: number, draw: DrawAddress, first: number): void;

  /** ids[i] = ⌊u·range⌋, u the first uniform of pair first + i, for i < count; int32, range in [1, 2^31). */
  uniformIds(ids: Address, count: number, range: number, draw: DrawAddress, first: number): void;

  /** ids[i] = the class that pair first + i draws from the alias table of n classes (`drawAlias`), for i < count. */
  aliasIds(
    ids: Address,
    count: number,
    table: Address,
    n: number,
    draw: DrawAddress,
    first: number,
    scratch: Address,
  ): void;

  /** ids[i] = (⌊e^(u·logRange)⌋ − 1) mod n by `portableExp`, u the first uniform of pair first + i, for i < count; logRange = log(n + 1), n < 2^31 − 1. */
  logUniformIds(ids: Address, count: number, n: number, logRange: number, draw: DrawAddress, first: number): void;

  /** out[i] = offset + log(log(1 + 1/(ids[i] + 1))), the log of the log-uniform law but for its constant, rounded to float32. */
  logUniformLogs(out: Address, ids: Address, count: number, offset: number): void;

  /** out[i] = offset + log-probability of class ids[i], rounded to float32, for i < count. */
  aliasLogs(out: Address, ids: Address, count: number, table: Address, offset: number): void;

  /** out[i] = where the permutation sends first + i, for i < count, int32; first + count <= size. `scratch` holds int32 (count). */
  permuted(out: Address, count: number, permutation: PermutationDraw, first: number, scratch: Address): void;
}
