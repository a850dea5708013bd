import type { Key } from "@logq/core";
import type { Address, Kernels, RowBlock, UpdateRule } from "@logq/kernels";
import type { WideArea } from "./areas.js";
import { EXCHANGE_ROWS, type PlacedTable, type TablePiece } from "./placed-table.js";

/**
 * One piece of a table in its own memory: rows are read as float32 and complete gradients applied. Rows are numbered from the piece's first; all
 * addresses are of the piece's memory. Rows of bfloat16 are widened into the worker's area, updated there, and rounded back.
 */
export class PieceRows {
  readonly kernels: Kernels;
  readonly #table: PlacedTable;
  readonly #piece: TablePiece;
  readonly #area: WideArea;
  readonly #narrow: boolean;
  readonly #block: RowBlock;
  readonly #draw: { readonly key: Key; step: number; readonly table: number };

  /** @param kernels over the piece's memory */
  constructor(kernels: Kernels, table: PlacedTable, piece: TablePiece, area: WideArea, key: Key) {
    const { ld, columns: D } = table;
    this.kernels = kernels;
    this.#table = table;
    this.#piece = piece;
    this.#area = area;
    this.#narrow = table.type === "bfloat16";
    this.#draw = { key, step: 0, table: table.number };
    this.#block = {
      table: 0,
      ldTable: ld,
      indices: 0,
      gradient: 0,
      ldGradient: ld,
      count: 0,
      D,
      state: 0,
      secondState: 0,
    };
  }

  /** The first row, and elements from row to row, of a table that kernels read in place; undefined: rows are not float32. */
  get inPlace(): Address | undefined {
    return this.#narrow ? undefined : this.#piece.address;
  }

  /** out[j] = row indices[j], j < count; indices 0: row j. */
  gather(out: Address, ldOut: number, indices: Address, count: number): void {
    const { ld, columns, rowBytes } = this.#table;
    const { address } = this.#piece;
    const { rows, narrow } = this.kernels;
    if (this.#narrow) narrow.widenRows(out, ldOut, address, rowBytes / 2, indices, count, columns);
    else rows.gatherRows(out, ldOut, address, ld, indices, count, columns);
  }

  /** Where rows [first, first + count), at most EXCHANGE_ROWS, can be read as float32: in place, or widened until the next call. */
  read(first: number, count: number): Address {
    const { ld, columns, rowBytes } = this.#table;
    const at = this.#piece.address + rowBytes * first;
    if (!this.#narrow) return at;
    this.kernels.narrow.widenRows(this.#area.rows, ld, at, rowBytes / 2, 0, count, columns);
    return this.#area.rows;
  }

  /** The same for rows `indices`, always as a copy; of a table that is not float32. */
  readEach(indices: Address, count: number): Address {
    this.gather(this.#area.rows, this.#table.ld, indices, count);
    return this.#area.rows;
  }

  /** Applies gradients (count, ld) to rows `indices`, each of them once; with indices 0 to the `count` rows from `first`. */
  update(rule: UpdateRule, step: number, indices: Address, first: number, count: number, gradient: Address): void {
    if (!this.#narrow) {
      this.#updateInPlace(rule, indices, first, count, gradient);
      return;
    }
    const { ld } = this.#table;
    for (let done = 0; done < count; done += EXCHANGE_ROWS) {
      const some = Math.min(EXCHANGE_ROWS, count - done);
      const from = indices === 0 ? 0 : indices + 4 * done;
      this.#updateNarrow(rule, step, from, indices === 0 ? first + done : 0, some, gradient + 4 * ld * done);
    }
  }

  #updateInPlace(rule: UpdateRule, indices: Address, first: number, count: number, gradient: Address): void {
    const block = this.#block;
    block.table = this.#piece.address + this.#table.rowBytes * first;
    block.indices = indices;
    block.gradient = gradient;
    block.count = count;
    block.state = this.#stateAt(this.#piece.state, this.#table.stateLd, first);
    block.secondState = this.#stateAt(this.#piece.secondState, this.#table.secondStateLd, first);
    this.kernels.optimizer.updateRows(rule, block);
  }

  /** Rows are widened, and their states copied next to them where they do not follow each other: the update is then one of plain rows. */
  #updateNarrow(
    rule: UpdateRule,
    step: number,
    indices: Address,
    first: number,
    count: number,
    gradient: Address,
  ): void {
    const { ld, stateLd, secondStateLd, columns, rowBytes } = this.#table;
    const { ids, rows, state, secondState } = this.#area;
    const { narrow, optimizer } = this.kernels;
    const piece = this.#piece;
    const at = piece.address + rowBytes * first;
    narrow.widenRows(rows, ld, at, rowBytes / 2, indices, count, columns);
    const block = this.#block;
    block.table = rows;
    block.gradient = gradient;
    block.count = count;
    block.state = this.#fetchState(state, piece.state, stateLd, indices, first, count);
    block.secondState = this.#fetchState(secondState, piece.secondState, secondStateLd, indices, first, count);
    optimizer.updateRows(rule, block);
    this.#returnState(state, piece.state, stateLd, indices, count);
    this.#returnState(secondState, piece.secondState, secondStateLd, indices, count);
    this.#writeIds(indices, first, count);
    this.#draw.step = step;
    narrow.roundRows(at, rowBytes / 2, indices, rows, ld, count, columns, ids, this.#draw);
  }

  #stateAt(state: Address, ld: number, row: number): Address {
    return state === 0 ? 0 : state + 4 * ld * row;
  }

  /** Where the states of the rows follow each other. */
  #fetchState(area: Address, state: Address, ld: number, indices: Address, first: number, count: number): Address {
    if (state === 0 || indices === 0) return this.#stateAt(state, ld, first);
    this.kernels.rows.gatherRows(area, ld, state, ld, indices, count, ld);
    return area;
  }

  #returnState(area: Address, state: Address, ld: number, indices: Address, count: number): void {
    if (state !== 0 && indices !== 0) this.kernels.rows.scatterRows(state, ld, indices, area, ld, count, ld);
  }

  /** Random bits are addressed by ids, so that neither banks nor the order of rows have a say. */
  #writeIds(indices: Address, first: number, count: number): void {
    const { i32 } = this.kernels.memory;
    const { lanes, rowsPerLane } = this.#table;
    const from = first + this.#piece.firstRow;
    for (let j = 0; j < count; j++) {
      const row = indices === 0 ? from + j : this.#piece.firstRow + i32[(indices >>> 2) + j];
      i32[(this.#area.ids >>> 2) + j] = (row % rowsPerLane) * lanes + Math.floor(row / rowsPerLane);
    }
  }
}
