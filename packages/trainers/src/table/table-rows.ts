import type { Address, UpdateRule } from "@logq/kernels";
import type { SumArea } from "./areas.js";
import { CopiedSums } from "./copied-sums.js";
import type { PieceRows } from "./piece-rows.js";
import { EXCHANGE_ROWS, type PlacedTable } from "./placed-table.js";

/**
 * The rows of a table as a worker sees them, wherever and however they are stored. All addresses are of the main memory, all rows float32; indices are
 * int32 physical rows. One object in each thread. In which memories a table lies changes no bit of any answer.
 */
export interface TableRows {
  /** out[j] = row indices[j], j < count; each row once or more. */
  gather(out: Address, ldOut: number, indices: Address, count: number): void;

  /**
   * The address of rows [firstRow, firstRow + count), ld apart, to read: in the table itself, or a copy that stands until the next call
   * of this object. At most EXCHANGE_ROWS rows, of one lane.
   */
  block(firstRow: number, count: number): Address;

  /** out[j] = h · row indices[j], j < count: float32, the products of `pairDots`. */
  dots(out: Address, h: Address, indices: Address, count: number): void;

  /**
   * out[u] = (accumulate ? out[u] : 0) + Σ_j weights[j] · row indices[j] over offsets[u] <= j < offsets[u + 1], u < count: `weightedRowSums`.
   * No list is longer than the layout was told.
   */
  weightedSums(
    out: Address,
    ldOut: number,
    offsets: Address,
    indices: Address,
    weights: Address,
    count: number,
    accumulate: boolean,
  ): void;

  /** Σ of the squares of a row, in float64. */
  sumOfSquares(row: number): number;

  /**
   * Applies complete gradients (count, ld) to rows `indices`, each of them once; with indices 0 to the `count` rows from firstRow.
   * @param step what the random bits of rounding are addressed by
   */
  update(rule: UpdateRule, step: number, indices: Address, firstRow: number, count: number, gradient: Address): void;
}

/** A table in the main memory. Kernels work in place on one of float32. */
export class LocalRows implements TableRows {
  readonly #table: PlacedTable;
  readonly #piece: PieceRows;
  readonly #sums: CopiedSums;

  constructor(table: PlacedTable, piece: PieceRows, area: SumArea) {
    this.#table = table;
    this.#piece = piece;
    this.#sums = new CopiedSums(piece.kernels, table, this, area);
  }

  gather(out: Address, ldOut: number, indices: Address, count: number): void {
    this.#piece.gather(out, ldOut, indices, count);
  }

  block(firstRow: number, count: number): Address {
    return this.#piece.read(firstRow, count);
  }

  dots(out: Address, h: Address, indices: Address, count: number): void {
    const { ld, columns } = this.#table;
    const { inPlace, kernels } = this.#piece;
    // One row against `count` rows: ld 0 repeats it.
    if (inPlace !== undefined) {
      kernels.rows.pairDots(out, h, 0, 0, inPlace, ld, indices, count, columns);
      return;
    }
    for (let first = 0; first < count; first += EXCHANGE_ROWS) {
      const some = Math.min(EXCHANGE_ROWS, count - first);
      const rows = this.#piece.readEach(indices + 4 * first, some);
      kernels.rows.pairDots(out + 4 * first, h, 0, 0, rows, ld, 0, some, columns);
    }
  }

  weightedSums(
    out: Address,
    ldOut: number,
    offsets: Address,
    indices: Address,
    weights: Address,
    count: number,
    accumulate: boolean,
  ): void {
    const { ld, columns } = this.#table;
    const { inPlace, kernels } = this.#piece;
    if (inPlace === undefined) this.#sums.add(out, ldOut, offsets, indices, weights, count, accumulate);
    else kernels.rows.weightedRowSums(out, ldOut, inPlace, ld, offsets, indices, weights, count, columns, accumulate);
  }

  sumOfSquares(row: number): number {
    const { ld, columns } = this.#table;
    return this.#piece.kernels.rows.sumOfSquares(this.#piece.read(row, 1), ld, 1, columns);
  }

  update(rule: UpdateRule, step: number, indices: Address, firstRow: number, count: number, gradient: Address): void {
    this.#piece.update(rule, step, indices, firstRow, count, gradient);
  }
}
