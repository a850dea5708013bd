import { bytesOf, gathered } from "./chunks.js";
import type { ExportTable } from "./tables.js";

/** Digits that bring every float32 back exactly. */
const DIGITS = 9;

/**
 * The text format of word2vec: a line `rows columns`, then a line for each row: its name and its numbers, between single spaces.
 * @param name of a row, as `word2vecName` makes it
 */
export function word2vecText(table: ExportTable, name: (id: number) => string): Generator<Uint8Array> {
  return gathered(lines());

  function* lines(): Generator<string> {
    const [rows, columns] = table.shape as [number, number];
    yield `${rows} ${columns}\n`;
    for (let id = 0; id < rows; id++) {
      let line = name(id);
      for (let d = id * columns; d < (id + 1) * columns; d++) line += ` ${table.values[d]!.toPrecision(DIGITS)}`;
      yield `${line}\n`;
    }
  }
}

/** The binary format of word2vec: the same head line, then for each row its name, a space, float32 little-endian, a line feed. */
export function word2vecBinary(table: ExportTable, name: (id: number) => string): Generator<Uint8Array> {
  return gathered(pieces());

  function* pieces(): Generator<string | Uint8Array> {
    const [rows, columns] = table.shape as [number, number];
    yield `${rows} ${columns}\n`;
    for (let id = 0; id < rows; id++) {
      yield `${name(id)} `;
      yield bytesOf(table.values.subarray(id * columns, (id + 1) * columns));
      yield "\n";
    }
  }
}

/** Both formats end a name at white space, so a name's own becomes `_`; so does an empty name. */
export function word2vecName(name: string): string {
  return name === "" ? "_" : name.replaceAll(/\s/g, "_");
}
