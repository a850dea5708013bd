import { join } from "node:path";
import { OptionError } from "@logq/core";
import { readArrayFile } from "@logq/datasets";
import { type RunHead, readNames, type StoredTable } from "@logq/trainers";

/** A table to be written: float32, row-major, in id order. */
export interface ExportTable {
  readonly name: string;
  /** (rows, columns), or (rows) for one number a row. */
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** The name that a run's files give the table of embeddings. */
const EMBEDDING = "encoder.embedding";

/** The class table, or the table of the inputs' embeddings; tied tables are one. @throws OptionError if the model has none */
export async function readTable(run: string, head: RunHead, which: "classes" | "inputs"): Promise<ExportTable> {
  const name = which === "classes" || head.shape.tied === true ? "classes" : EMBEDDING;
  const stored = head.tables.find((table) => table.name === name);
  if (stored === undefined) {
    const known = head.tables.map((table) => table.name).join(", ");
    throw new OptionError(`the run has no table of its ${which}; it has ${known}`, { which, tables: known });
  }
  return read(run, stored);
}

/** Everything that was learned, one table after another. */
export async function* readAllTables(run: string, head: RunHead): AsyncGenerator<ExportTable> {
  for (const stored of head.tables) yield await read(run, stored);
}

/** Shapes of all tables, without their values. */
export function allShapes(head: RunHead): { name: string; shape: readonly number[] }[] {
  return head.tables.map((stored) => ({ name: stored.name, shape: shapeOf(stored) }));
}

/** Names of a table's rows, by id. */
export async function rowNames(
  run: string,
  head: RunHead,
  which: "classes" | "inputs",
): Promise<(id: number) => string> {
  const { classes, encoder } = head.shape;
  const inputsAreClasses = head.inputNames === null && encoder.vocabulary === classes;
  if (which === "classes" || inputsAreClasses) {
    const names = await readNames(join(run, head.classNames), classes);
    return (id) => names.name(id);
  }
  if (head.inputNames === null) return String;
  const names = await readNames(join(run, head.inputNames), encoder.vocabulary);
  return (id) => names.name(id);
}

async function read(run: string, stored: StoredTable): Promise<ExportTable> {
  const values = await readArrayFile(join(run, stored.file), "float32", stored.rows * stored.columns);
  return { name: stored.name, shape: shapeOf(stored), values };
}

/** Biases are vectors, whichever way they are stored. */
function shapeOf({ rows, columns, name }: StoredTable): number[] {
  return name.endsWith("bias") && Math.min(rows, columns) === 1 ? [rows * columns] : [rows, columns];
}
