import * as zlib from "node:zlib";
import { FileFormatError, LogqError } from "@logq/core";
import {
  asyncBufferFromFile,
  type Compressors,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
} from "hyparquet";
import type { ProgressMeter } from "../reading/progress.js";
import type { Source } from "../reading/source.js";
import { nameOf, requireColumn, timeOf } from "./fields.js";
import type { Interactions } from "./interactions.js";
import type { PairColumns } from "./options.js";

// Snappy and no compression are built into the reader. Node has Zstandard from 22.15 on.
const zstd = (zlib as { zstdDecompressSync?: (input: Uint8Array) => Uint8Array }).zstdDecompressSync;
const compressors: Compressors = {
  GZIP: (input) => zlib.gunzipSync(input),
  BROTLI: (input) => zlib.brotliDecompressSync(input),
  ...(zstd && { ZSTD: (input) => zstd(input) }),
};

/**
 * Reads the named columns of a Parquet file, one row group in memory at a time.
 * @throws FileFormatError, with the row where there is one
 */
export async function readParquet(
  source: Source,
  meter: ProgressMeter,
  into: Interactions,
  columns: PairColumns,
): Promise<void> {
  const { file } = source;
  try {
    const buffer = await asyncBufferFromFile(file);
    const metadata = await parquetMetadataAsync(buffer);
    const names = findColumns(file, metadata, columns);
    const rows = Number(metadata.num_rows);
    let row = 0;
    let told = 0;
    for (const group of metadata.row_groups) {
      const end = row + Number(group.num_rows);
      const records = await parquetReadObjects({
        file: buffer,
        metadata,
        columns: names,
        rowStart: row,
        rowEnd: end,
        compressors,
      });
      for (const record of records) addRow(record, ++row);
      const reached = Math.floor((source.bytes * row) / rows);
      meter.add(reached - told);
      told = reached;
    }
  } catch (cause) {
    if (cause instanceof LogqError) throw cause;
    throw new FileFormatError(`${file} cannot be read as Parquet: ${(cause as Error).message}`, { file }, { cause });
  }

  function addRow(record: Record<string, unknown>, row: number): void {
    const { user, item, time } = columns;
    const place = { file, unit: "row", number: row } as const;
    into.add(
      into.users.addString(nameOf(record[user], user, place)),
      into.items.addString(nameOf(record[item], item, place)),
      time === undefined ? 0 : timeOf(record[time], time, place),
    );
  }
}

function findColumns(file: string, metadata: FileMetaData, { user, item, time }: PairColumns): string[] {
  // The first element of a schema is its root.
  const present = metadata.schema.slice(1).map((element) => element.name);
  const wanted = [...new Set([user, item, ...(time === undefined ? [] : [time])])].map(String);
  for (const column of wanted) requireColumn(file, column, present);
  return wanted;
}
