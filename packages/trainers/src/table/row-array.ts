import type { EngineHost } from "../engine/host.js";
import { narrowed, widened } from "./bfloat16.js";
import type { PlacedTable } from "./placed-table.js";

/** What there is of a table: its rows, and the optimizer's first and second state. */
export type RowField = "rows" | "state" | "secondState";

/** One array of rows as the main thread sees it, in one memory or in several. Numbers come and go as float32, however they are stored. */
export class RowArray {
  readonly rows: number;
  /** Elements of a row, without padding. */
  readonly columns: number;
  /** Bytes in memory, padding included. */
  readonly bytes: number;
  /** Elements from row to row. */
  readonly #ld: number;
  readonly #rowsPerPiece: number;
  /** Views over whole pieces, padding included, as they are stored. */
  readonly pieces: readonly (Float32Array | Uint16Array)[];

  /** @returns undefined if the optimizer keeps nothing of that kind */
  static of(host: EngineHost, table: PlacedTable, field: RowField): RowArray | undefined {
    const { rowBytes, stateLd, secondStateLd } = table;
    const bytes = { rows: rowBytes, state: 4 * stateLd, secondState: 4 * secondStateLd }[field];
    return bytes === 0 ? undefined : new RowArray(host, table, field, bytes);
  }

  private constructor(host: EngineHost, table: PlacedTable, field: RowField, rowBytes: number) {
    const narrow = field === "rows" && table.type === "bfloat16";
    this.rows = table.rows;
    this.bytes = table.rows * rowBytes;
    this.#ld = rowBytes / (narrow ? 2 : 4);
    this.columns = Math.min(this.#ld, table.columns);
    this.#rowsPerPiece = table.rowsPerPiece;
    const address = field === "rows" ? "address" : field;
    this.pieces = table.pieces.map((piece) => {
      const { buffer } = host.memories[piece.memory]!.u8;
      const length = piece.rows * this.#ld;
      return narrow
        ? new Uint16Array(buffer, piece[address], length)
        : new Float32Array(buffer, piece[address], length);
    });
  }

  /** Copies a row to out[at …]. */
  read(row: number, out: Float32Array, at = 0): void {
    const stored = this.#stored(row);
    if (stored instanceof Float32Array) out.set(stored, at);
    else widened(stored, out, at);
  }

  /** Replaces a row by numbers (columns); of bfloat16 by the nearest there are. */
  write(row: number, values: Float32Array): void {
    const stored = this.#stored(row);
    if (stored instanceof Float32Array) stored.set(values);
    else narrowed(values, stored);
  }

  #stored(row: number): Float32Array | Uint16Array {
    const at = (row % this.#rowsPerPiece) * this.#ld;
    return this.pieces[Math.floor(row / this.#rowsPerPiece)]!.subarray(at, at + this.columns);
  }
}
