import { pipeline } from "node:stream/promises";
import { FileFormatError } from "@logq/core";
import { CsvError, parse } from "csv-parse";
import type { ProgressMeter } from "../reading/progress.js";
import { readChunks, type Source } from "../reading/source.js";
import { nameOf, requireColumn, timeOf } from "./fields.js";
import type { Interactions } from "./interactions.js";
import type { PairColumns } from "./options.js";

type Fields = readonly string[];

/**
 * Reads a csv (fields may be quoted with "…") or tsv (no quoting) record by record. Columns by name need a head line;
 * columns by position take the first line as data.
 * @throws FileFormatError with file and line
 */
export async function readRecords(
  source: Source,
  meter: ProgressMeter,
  into: Interactions,
  { columns, delimiter }: { columns: PairColumns; delimiter: "," | "\t" },
): Promise<void> {
  let positions = typeof columns.user === "number" ? (columns as Positions) : undefined;
  const parser = parse({
    bom: true,
    delimiter,
    quote: delimiter === "," ? '"' : null,
    skip_empty_lines: true,
    // Called as records are completed: none is queued in the stream.
    on_record: (record: Fields, { lines }: { lines: number }) => {
      if (positions) addRecord(record, lines, positions);
      else positions = findPositions(source.file, record, columns);
      return null;
    },
  });
  parser.resume();
  try {
    await pipeline(readChunks(source, meter), parser);
  } catch (error) {
    throw error instanceof CsvError ? translate(error, source.file) : error;
  }

  function addRecord(record: Fields, line: number, { user, item, time }: Positions): void {
    const place = { file: source.file, unit: "line", number: line } as const;
    into.add(
      into.users.addString(nameOf(record[user], columns.user, place)),
      into.items.addString(nameOf(record[item], columns.item, place)),
      time === undefined ? 0 : timeOf(record[time], columns.time!, place),
    );
  }
}

interface Positions {
  readonly user: number;
  readonly item: number;
  readonly time: number | undefined;
}

function findPositions(file: string, head: Fields, { user, item, time }: PairColumns): Positions {
  const find = (column: string | number) => requireColumn(file, String(column), head);
  return { user: find(user), item: find(item), time: time === undefined ? undefined : find(time) };
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
