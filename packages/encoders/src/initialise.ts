import { type Key, philox, STREAM, stepLow, streamWord } from "@logq/core";
import type { Address, KernelMemory } from "@logq/kernels";
import type { ParameterTable } from "./layout.js";

/** A run of rows to fill with initial values. Row j (j < rows) is stored at address + 4·ld·j bytes and has the id firstId + j·idStep. */
export interface InitialRows {
  readonly address: Address;
  readonly ld: number;
  readonly rows: number;
  readonly columns: number;
  readonly firstId: number;
  readonly idStep: number;
  /** Which table the rows are of; see INITIAL_TABLE. */
  readonly table: number;
  /** Values are uniform in [−limit, limit]; 0: all zeros. */
  readonly limit: number;
}

const WORD_STEP = 2 ** -32;

/**
 * Writes (2u − 1)·limit to every element, u = (w + ½)/2^32 with w word (d mod 4) of the Philox block with counter
 * (⌊d/4⌋, id, STREAM.initialise at step `table`). The value of element (id, d) depends on (key, table, id, d) alone, so shards,
 * grown vocabularies and any split of the work agree. The law is uniform, not normal, because its arithmetic is exact in every engine,
 * which that of logarithms and cosines is not.
 */
export function initialiseRows(memory: Pick<KernelMemory, "f32">, block: InitialRows, key: Key): void {
  const { f32 } = memory;
  const { rows, columns, firstId, idStep, table, limit } = block;
  const low = stepLow(table);
  const high = streamWord(STREAM.initialise, table);
  const words = new Uint32Array(4);
  const scale = 2 * limit * WORD_STEP;
  const offset = 0.5 * scale - limit;
  for (let j = 0; j < rows; j++) {
    const start = (block.address + 4 * block.ld * j) / 4;
    if (limit === 0) {
      f32.fill(0, start, start + columns);
      continue;
    }
    const id = firstId + j * idStep;
    for (let d = 0; d < columns; d += 4) {
      philox(key, d >>> 2, id, low, high, words);
      const count = Math.min(4, columns - d);
      for (let k = 0; k < count; k++) f32[start + d + k] = words[k] * scale + offset;
    }
  }
}

/** Gives rows [firstRow, firstRow + rows) of a table their initial values: by default all. Rows are ids. */
export function initialiseTable(
  memory: KernelMemory,
  table: ParameterTable,
  key: Key,
  firstRow = 0,
  rows = table.rows - firstRow,
): void {
  initialiseRows(
    memory,
    {
      address: table.address + 4 * table.ld * firstRow,
      ld: table.ld,
      rows,
      columns: table.columns,
      firstId: firstRow,
      idStep: 1,
      table: table.initialTable,
      limit: table.initialLimit,
    },
    key,
  );
}
