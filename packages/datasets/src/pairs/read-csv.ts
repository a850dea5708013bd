import { pipeline } from "node:stream/promises";
import { FileFormatError } from "@logq/core";
import { CsvError, parse } from "csv-parse";
import type { ProgressMeter } from "../reading/progress.js";
import { readChunks, type Source } from "../reading/source.js";
import { nameOf, type Positions, positionsIn, timeOf } from "./fields.js";
import type { Interactions } from "./interactions.js";
import type { PairColumns } from "./options.js";

type Fields = readonly string[];

/**
 * Reads a csv record by record; fields may be quoted with "…" and span lines. Columns by name need a head line; columns by
 * position take the first line as data.
 * @throws FileFormatError with file and line (malformed csv) or record from 1, the head counted (a field that does not fit)
 */
export async function readCsv(
  source: Source,
  meter: ProgressMeter,
  into: Interactions,
  columns: PairColumns,
): Promise<void> {
  let positions = typeof columns.user === "number" ? (columns as Positions) : undefined;
  let number = 0;
  const parser = parse({ bom: true, skip_empty_lines: true });
  // Listening costs half of what the parser's own `on_record` does, which describes every record.
  parser.on("data", (record: Fields) => {
    if (parser.destroyed) return;
    number++;
    try {
      if (positions) addRecord(record, positions);
      else positions = positionsIn(source.file, record, columns);
    } catch (error) {
      parser.destroy(error as Error);
    }
  });
  try {
    await pipeline(readChunks(source, meter), parser);
  } catch (error) {
    throw error instanceof CsvError ? translate(error, source.file) : error;
  }

  function addRecord(record: Fields, { user, item, time }: Positions): void {
    const place = { file: source.file, unit: "record", number } as const;
    into.add(
      into.users.addString(nameOf(record[user], columns.user, place)),
      into.items.addString(nameOf(record[item], columns.item, place)),
      time === undefined ? 0 : timeOf(record[time], columns.time!, place),
    );
  }
}

function translate(error: CsvError, file: string): FileFormatError {
  const line = Number(error.lines);
  const content = JSON.stringify(error.record ?? null).slice(0, 60);
  return new FileFormatError(
    `${file}, line ${line}: ${error.message}`,
    { file, line, content, problem: error.code },
    { cause: error },
  );
}
