import { STREAM, stepLow, streamWord } from "@logq/core";
import type { NarrowKernels } from "../interface/narrow.js";
import type { WasmExports } from "./exports.js";

export function wasmNarrow({ widenRows, roundRows }: WasmExports): NarrowKernels {
  return {
    widenRows,
    roundRows(table, ldTable, indices, source, ldSource, count, D, ids, { key, step, table: number }) {
      const stream = streamWord(STREAM.rounding, step);
      const firstBlock = number * 2 ** 24;
      roundRows(
        table,
        ldTable,
        indices,
        source,
        ldSource,
        count,
        D,
        ids,
        firstBlock,
        stepLow(step),
        stream,
        key.low,
        key.high,
      );
    },
  };
}
