import { join } from "node:path";
import { FileFormatError } from "@logq/core";
import { readArrayFile } from "@logq/datasets";
import type { EngineHost } from "../engine/host.js";
import { writeRows, writeScalars } from "../table/export.js";
import type { RunHead, StoredTable } from "./format.js";

/** Fills an engine's parameter tables from a saved run. @throws MissingFileError, FileFormatError */
export async function loadParameters(host: EngineHost, directory: string, head: RunHead): Promise<void> {
  const { table, encoder } = host.layout;
  const { n, D } = host.spec.table;
  writeRows(host, table.address, await readStored(directory, head, "classes", n, D));
  if (table.bias !== 0) writeScalars(host, table.bias, await readStored(directory, head, "class-bias", n, 1));
  for (const { name, address, rows, columns, ld } of encoder.tables) {
    writeBlock(host, address, await readStored(directory, head, `encoder.${name}`, rows, columns), rows, columns, ld);
  }
}

async function readStored(
  directory: string,
  head: RunHead,
  name: string,
  rows: number,
  columns: number,
): Promise<Float32Array> {
  const stored: StoredTable | undefined = head.tables.find((table) => table.name === name);
  if (stored === undefined || stored.rows !== rows || stored.columns !== columns) {
    const found = stored === undefined ? "nothing" : `(${stored.rows}, ${stored.columns})`;
    throw new FileFormatError(`${directory} should hold ${name} as (${rows}, ${columns}), but holds ${found}`, {
      directory,
      name,
      rows,
      columns,
      stored,
    });
  }
  const file = join(directory, stored.file);
  const values = await readArrayFile(file, "float32", rows * columns);
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new FileFormatError(`${file} holds ${values[bad]} at element ${bad}; parameters are finite`, {
      file,
      index: bad,
    });
  }
  return values;
}

function writeBlock(
  host: EngineHost,
  address: number,
  values: Float32Array,
  rows: number,
  columns: number,
  ld: number,
): void {
  const { f32 } = host.memory;
  for (let row = 0; row < rows; row++) {
    f32.set(values.subarray(row * columns, row * columns + columns), (address >>> 2) + row * ld);
  }
}
