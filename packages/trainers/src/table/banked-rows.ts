import type { Address, KernelMemory, Kernels, RowsInPieces, UpdateRule } from "@logq/kernels";
import type { BankArea, ExchangeArea, SumArea } from "./areas.js";
import { CopiedSums } from "./copied-sums.js";
import type { PieceRows } from "./piece-rows.js";
import { EXCHANGE_ROWS, type PlacedTable } from "./placed-table.js";
import type { TableRows } from "./table-rows.js";

/** A piece of the table in its bank, and the worker's area there. */
export interface BankedPiece {
  readonly piece: PieceRows;
  readonly area: BankArea;
}

/**
 * A table in banks. A WebAssembly instance sees one memory, so each worker has an instance for each bank: it gathers and updates rows there,
 * and rows and gradients cross to and from the main memory as blocks, through areas of the worker's own on either side. Rows of a block
 * are dealt to their pieces first; each is worked on by the same kernel as in the main memory, so its bits are the same. Kernels that reach
 * every memory need none of that: they find the piece of each row as they come to it.
 */
export class BankedRows implements TableRows {
  readonly #kernels: Kernels;
  readonly #table: PlacedTable;
  readonly #banks: readonly BankedPiece[];
  readonly #area: ExchangeArea;
  readonly #sums: CopiedSums;
  /** Where the rows of each piece begin and end in the lists of the area. */
  readonly #starts: Int32Array;
  /** undefined: rows cross through areas. */
  readonly #direct: RowsInPieces | undefined;

  /**
   * @param kernels over the main memory
   * @param banks by piece
   */
  constructor(kernels: Kernels, table: PlacedTable, banks: readonly BankedPiece[], area: ExchangeArea, sums: SumArea) {
    this.#kernels = kernels;
    this.#table = table;
    this.#banks = banks;
    this.#area = area;
    this.#sums = new CopiedSums(kernels, table, this, sums);
    this.#starts = new Int32Array(table.pieces.length + 1);
    this.#direct = table.type === "float32" ? openDirectly(kernels, table, banks) : undefined;
  }

  gather(out: Address, ldOut: number, indices: Address, count: number): void {
    if (this.#direct !== undefined) {
      this.#direct.gatherRows(out, ldOut, indices, count);
      return;
    }
    for (let first = 0; first < count; first += EXCHANGE_ROWS) {
      this.#gatherSome(out + 4 * ldOut * first, ldOut, indices + 4 * first, Math.min(EXCHANGE_ROWS, count - first));
    }
  }

  #gatherSome(out: Address, ldOut: number, indices: Address, count: number): void {
    const { ld, columns } = this.#table;
    const { staging, places } = this.#area;
    this.#deal(indices, count);
    for (let p = 0; p < this.#banks.length; p++) {
      const start = this.#starts[p];
      const some = this.#starts[p + 1] - start;
      if (some === 0) continue;
      const { piece, area } = this.#banks[p];
      this.#sendIndices(p, start, some);
      piece.gather(area.rows, ld, area.indices, some);
      copyFloats(this.#kernels.memory, staging, piece.kernels.memory, area.rows, some * ld);
      this.#kernels.rows.scatterRows(out, ldOut, places + 4 * start, staging, ld, some, columns);
    }
  }

  block(firstRow: number, count: number): Address {
    const { ld, pieces } = this.#table;
    const { rows } = this.#area;
    const p = this.#pieceOf(firstRow);
    const { piece } = this.#banks[p];
    const from = piece.read(firstRow - pieces[p].firstRow, count);
    copyFloats(this.#kernels.memory, rows, piece.kernels.memory, from, count * ld);
    return rows;
  }

  dots(out: Address, h: Address, indices: Address, count: number): void {
    const { ld, columns } = this.#table;
    const { rows } = this.#area;
    for (let first = 0; first < count; first += EXCHANGE_ROWS) {
      const some = Math.min(EXCHANGE_ROWS, count - first);
      this.gather(rows, ld, indices + 4 * first, some);
      this.#kernels.rows.pairDots(out + 4 * first, h, 0, 0, rows, ld, 0, some, columns);
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
    this.#sums.add(out, ldOut, offsets, indices, weights, count, accumulate);
  }

  sumOfSquares(row: number): number {
    const { ld, pieces, columns } = this.#table;
    const p = this.#pieceOf(row);
    const { piece } = this.#banks[p];
    const at = piece.read(row - pieces[p].firstRow, 1);
    return piece.kernels.rows.sumOfSquares(at, ld, 1, columns);
  }

  update(rule: UpdateRule, step: number, indices: Address, firstRow: number, count: number, gradient: Address): void {
    const { ld, rowsPerPiece } = this.#table;
    if (indices !== 0 && this.#direct !== undefined) {
      this.#direct.updateRows(rule, indices, gradient, ld, count);
      return;
    }
    for (let done = 0; done < count; ) {
      const row = firstRow + done;
      const inPiece = indices === 0 ? rowsPerPiece - (row % rowsPerPiece) : count;
      const some = Math.min(EXCHANGE_ROWS, count - done, inPiece);
      const from = gradient + 4 * ld * done;
      if (indices === 0) this.#updateRun(rule, step, row, some, from);
      else this.#updateSome(rule, step, indices + 4 * done, some, from);
      done += some;
    }
  }

  /** Rows that follow each other in one piece. */
  #updateRun(rule: UpdateRule, step: number, row: number, count: number, gradient: Address): void {
    const p = this.#pieceOf(row);
    const { piece, area } = this.#banks[p];
    copyFloats(piece.kernels.memory, area.rows, this.#kernels.memory, gradient, count * this.#table.ld);
    piece.update(rule, step, 0, row - this.#table.pieces[p].firstRow, count, area.rows);
  }

  #updateSome(rule: UpdateRule, step: number, indices: Address, count: number, gradient: Address): void {
    const { ld, columns } = this.#table;
    const { staging, places } = this.#area;
    this.#deal(indices, count);
    for (let p = 0; p < this.#banks.length; p++) {
      const start = this.#starts[p];
      const some = this.#starts[p + 1] - start;
      if (some === 0) continue;
      const { piece, area } = this.#banks[p];
      this.#sendIndices(p, start, some);
      this.#kernels.rows.gatherRows(staging, ld, gradient, ld, places + 4 * start, some, columns);
      copyFloats(piece.kernels.memory, area.rows, this.#kernels.memory, staging, some * ld);
      piece.update(rule, step, area.indices, 0, some, area.rows);
    }
  }

  #pieceOf(row: number): number {
    return Math.floor(row / this.#table.rowsPerPiece);
  }

  /** Sorts the rows of a block by piece, in the order in which they stand: a counting sort. */
  #deal(indices: Address, count: number): void {
    const { i32 } = this.#kernels.memory;
    const { rowsOfPieces, places } = this.#area;
    const { pieces, rowsPerPiece } = this.#table;
    const starts = this.#starts;
    const at = indices >>> 2;
    starts.fill(0);
    for (let j = 0; j < count; j++) starts[Math.floor(i32[at + j] / rowsPerPiece) + 1]++;
    for (let p = 0; p < pieces.length; p++) starts[p + 1] += starts[p];
    // starts[p] runs to the end of piece p, which is where p + 1 began: moved back below.
    for (let j = 0; j < count; j++) {
      const p = Math.floor(i32[at + j] / rowsPerPiece);
      const k = starts[p]++;
      i32[(rowsOfPieces >>> 2) + k] = i32[at + j] - pieces[p].firstRow;
      i32[(places >>> 2) + k] = j;
    }
    starts.copyWithin(1, 0, pieces.length);
    starts[0] = 0;
  }

  /** Writes the piece's part of the sorted rows to its bank. */
  #sendIndices(p: number, start: number, count: number): void {
    const { piece, area } = this.#banks[p];
    const from = this.#kernels.memory.i32;
    const to = piece.kernels.memory.i32;
    const source = (this.#area.rowsOfPieces >>> 2) + start;
    const target = area.indices >>> 2;
    for (let j = 0; j < count; j++) to[target + j] = from[source + j];
  }
}

function openDirectly(
  { pieces: kernels }: Kernels,
  { rowsPerPiece, ld, columns, stateLd, secondStateLd, pieces }: PlacedTable,
  banks: readonly BankedPiece[],
): RowsInPieces | undefined {
  return kernels?.open({
    rowsPerPiece,
    ld,
    D: columns,
    stateLd,
    secondStateLd,
    pieces: pieces.map(({ address: table, state, secondState }, p) => {
      const { memory } = banks[p].piece.kernels;
      return { memory, table, state, secondState };
    }),
  });
}

/** The view that names the source is the one small object that a block of rows costs. */
function copyFloats(
  to: KernelMemory,
  toAddress: Address,
  from: KernelMemory,
  fromAddress: Address,
  count: number,
): void {
  const start = fromAddress >>> 2;
  to.f32.set(from.f32.subarray(start, start + count), toAddress >>> 2);
}
