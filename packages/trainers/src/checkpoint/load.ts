import { join } from "node:path";
import { FileFormatError } from "@logq/core";
import { readArrayInPieces } from "@logq/datasets";
import type { EngineHost } from "../engine/host.js";
import { type NamedArray, parameterArrays, writeRows } from "../table/parameters.js";
import type { RunHead, StoredTable } from "./format.js";

/** Elements of a file that are in memory at a time, about. */
const PIECE_ELEMENTS = 2 ** 20;

/** Fills an engine's parameter tables from a saved run, piece by piece. @throws MissingFileError, FileFormatError */
export async function loadParameters(host: EngineHost, directory: string, head: RunHead): Promise<void> {
  for (const named of parameterArrays(host)) await loadArray(named, directory, head.tables);
}

async function loadArray(named: NamedArray, directory: string, stored: readonly StoredTable[]): Promise<void> {
  const { name, array, ids } = named;
  const { columns } = array;
  const file = join(directory, requireStored(stored, directory, name, ids, columns).file);
  const rowsAtATime = Math.max(1, Math.floor(PIECE_ELEMENTS / columns));
  let row = 0;
  for await (const values of readArrayInPieces(file, "float32", ids * columns, rowsAtATime * columns)) {
    requireFinite(file, values, row * columns);
    writeRows(named, row, values);
    row += values.length / columns;
  }
}

function requireStored(
  tables: readonly StoredTable[],
  directory: string,
  name: string,
  rows: number,
  columns: number,
): StoredTable {
  const stored = tables.find((table) => table.name === name);
  if (stored !== undefined && stored.rows === rows && stored.columns === columns) return stored;
  const found = stored === undefined ? "nothing" : `(${stored.rows}, ${stored.columns})`;
  throw new FileFormatError(`${directory} should hold ${name} as (${rows}, ${columns}), but holds ${found}`, {
    directory,
    name,
    rows,
    columns,
    stored,
  });
}

/** @param first the place of values[0] in its file */
function requireFinite(file: string, values: Float32Array, first: number): void {
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  const index = first + bad;
  throw new FileFormatError(`${file} holds ${values[bad]} at element ${index}; parameters are finite`, { file, index });
}
