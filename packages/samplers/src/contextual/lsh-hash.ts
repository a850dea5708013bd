import { type Key, KeyedPermutation, RandomStream, STREAM } from "@logq/core";
import type { Address, Kernels } from "@logq/kernels";
import type { LshScratch, LshTable } from "./lsh-layout.js";
import { type ValidLshOptions, WINNER_BIN, WINNER_BITS } from "./lsh-options.js";

/** T hash functions of rows, each with values of `bits` bits. What they are lies in the shared table. */
export interface RowHash {
  /** Draws the functions. */
  build(key: Key): void;
  /** out[at + i·T + t] = the code of row i (leading dimension ld, float32) in table t, for i < count <= 512. */
  encode(rows: Address, ld: number, count: number, out: Uint16Array, at: number): void;
}

export function rowHash(
  options: ValidLshOptions,
  D: number,
  kernels: Kernels,
  table: LshTable,
  scratch: LshScratch,
): RowHash {
  return options.hash === "simhash"
    ? simhash(options, D, kernels, table, scratch)
    : winnerTakeAll(options, D, kernels, table);
}

/**
 * A bit is the sign of the product with a vector of independent normal numbers: two rows agree in it with probability 1 − angle/π
 * (Charikar, "Similarity estimation techniques from rounding algorithms", STOC 2002).
 */
function simhash(
  { tables, bits }: ValidLshOptions,
  D: number,
  { memory: { f32 }, matrix }: Kernels,
  { functions, packed }: LshTable,
  { products }: LshScratch,
): RowHash {
  const columns = tables * bits;
  return {
    build(key) {
      const stream = new RandomStream(key, STREAM.rowCandidates, 0, 0);
      for (let i = 0; i < columns * D; i++) f32[(functions >>> 2) + i] = stream.normal(i);
      matrix.packRightTransposed(packed, functions, D, D, columns);
    },
    encode(rows, ld, count, out, at) {
      matrix.multiply(products, columns, rows, ld, 1, packed, count, D, columns, false);
      let from = products >>> 2;
      for (let i = 0; i < count * tables; i++) {
        let code = 0;
        for (let bit = 0; bit < bits; bit++) code |= Number(f32[from++] > 0) << bit;
        out[at + i] = code;
      }
    },
  };
}

/**
 * Three bits say which of 8 coordinates, drawn from a permutation, is the greatest; of equals the first (Yagnik, Strelow, Ross and Lin, "The power of
 * comparative reasoning", ICCV 2011). Bins of one permutation share no coordinate, as in one-permutation hashing.
 */
function winnerTakeAll(
  { tables, bits }: ValidLshOptions,
  D: number,
  { memory: { f32, i32 } }: Kernels,
  { functions }: LshTable,
): RowHash {
  const bins = bits / WINNER_BITS;
  const perPermutation = Math.floor(D / WINNER_BIN);
  const coordinates = functions >>> 2;
  return {
    build(key) {
      for (let bin = 0; bin < tables * bins; bin++) {
        const permutation = new KeyedPermutation(D, key, Math.floor(bin / perPermutation), STREAM.rowCandidates);
        const first = (bin % perPermutation) * WINNER_BIN;
        for (let j = 0; j < WINNER_BIN; j++) i32[coordinates + bin * WINNER_BIN + j] = permutation.at(first + j);
      }
    },
    encode(rows, ld, count, out, at) {
      for (let i = 0; i < count; i++) {
        const row = (rows >>> 2) + i * ld;
        let from = coordinates;
        for (let t = 0; t < tables; t++) {
          let code = 0;
          for (let bin = 0; bin < bins; bin++, from += WINNER_BIN) {
            let winner = 0;
            let greatest = f32[row + i32[from]];
            for (let j = 1; j < WINNER_BIN; j++) {
              const value = f32[row + i32[from + j]];
              if (!(value > greatest)) continue;
              greatest = value;
              winner = j;
            }
            code = (code << WINNER_BITS) | winner;
          }
          out[at + i * tables + t] = code;
        }
      }
    },
  };
}
