import { philox, STREAM, stepLow, streamWord } from "@logq/core";
import type { NarrowKernels } from "../interface/narrow.js";
import type { KernelMemory } from "../memory.js";

/** Widening and stochastic rounding, one element after the other. */
export function referenceNarrow({ i32, u32, u8 }: KernelMemory): NarrowKernels {
  const u16 = new Uint16Array(u8.buffer);
  const words = new Uint32Array(4);
  const rowOf = (indices: number, j: number) => (indices === 0 ? j : i32[(indices >>> 2) + j]!);

  return {
    widenRows(out, ldOut, table, ldTable, indices, count, D) {
      for (let j = 0; j < count; j++) {
        const from = (table >>> 1) + rowOf(indices, j) * ldTable;
        const to = (out >>> 2) + j * ldOut;
        for (let d = 0; d < D; d++) u32[to + d] = u16[from + d]! * 65536;
      }
    },

    roundRows(table, ldTable, indices, source, ldSource, count, D, ids, { key, step, table: number }) {
      const stream = streamWord(STREAM.rounding, step);
      for (let j = 0; j < count; j++) {
        const to = (table >>> 1) + rowOf(indices, j) * ldTable;
        const from = (source >>> 2) + j * ldSource;
        for (let d = 0; d < D; d++) {
          if (d % 8 === 0) philox(key, number * 2 ** 24 + d / 8, i32[(ids >>> 2) + j]!, stepLow(step), stream, words);
          const word = words[(d >>> 1) & 3]!;
          const random = d % 2 === 0 ? word & 0xffff : word >>> 16;
          const bits = u32[from + d]!;
          const finite = (bits & 0x7f800000) !== 0x7f800000;
          u16[to + d] = (bits + (finite ? random : 0)) >>> 16;
        }
      }
    },
  };
}
