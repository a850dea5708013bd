import { FileFormatError } from "@logq/core";
import type { PairColumns } from "./options.js";

/** Where fields stand, for errors: `line` of a text, `record` of a csv (the head counted) or `row` of a table, from 1. */
export interface RecordPlace {
  readonly file: string;
  readonly unit: "line" | "record" | "row";
  readonly number: number;
}

/**
 * The name in a field: text, or a number, date or truth value as it is written.
 * @throws FileFormatError if it is empty, null or something with parts
 */
export function nameOf(value: unknown, column: string | number, place: RecordPlace): string {
  if (typeof value === "string" && value !== "") return value;
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") return String(value);
  throw fieldError("is empty or not a plain value", value, column, place);
}

/**
 * A field as a number that orders times: numbers as they are, dates as milliseconds since 1970.
 * @throws FileFormatError if it is neither
 */
export function timeOf(value: unknown, column: string | number, place: RecordPlace): number {
  const number = value instanceof Date ? value.getTime() : numberOf(value);
  if (Number.isFinite(number)) return number;
  throw fieldError("is neither a number nor a date", value, column, place);
}

function numberOf(value: unknown): number {
  if (typeof value === "number" || typeof value === "bigint") return Number(value);
  if (typeof value !== "string" || value.trim() === "") return Number.NaN;
  const number = Number(value);
  return Number.isNaN(number) ? Date.parse(value) : number;
}

function fieldError(reason: string, value: unknown, column: string | number, place: RecordPlace): FileFormatError {
  const { file, unit, number } = place;
  const content = String(value).slice(0, 60);
  return new FileFormatError(`${file}, ${unit} ${number}: column ${column} ${reason}: ${JSON.stringify(content)}`, {
    file,
    [unit]: number,
    column,
    content,
  });
}

/** The columns asked for must be among those of the file. */
export function requireColumn(file: string, column: string, columns: readonly string[]): number {
  const index = columns.indexOf(column);
  if (index >= 0) return index;
  throw new FileFormatError(`${file} has no column "${column}"; it has ${columns.slice(0, 20).join(", ")}`, {
    file,
    column,
    columns,
  });
}

/** Columns by their place in a record, from 0. */
export interface Positions {
  readonly user: number;
  readonly item: number;
  readonly time: number | undefined;
}

/** Finds named columns in a head line. */
export function positionsIn(file: string, head: readonly string[], { user, item, time }: PairColumns): Positions {
  const find = (column: string | number) => requireColumn(file, String(column), head);
  return { user: find(user), item: find(item), time: time === undefined ? undefined : find(time) };
}
