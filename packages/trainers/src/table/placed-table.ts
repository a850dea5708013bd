import type { Address, Region, TableType } from "@logq/kernels";

/** Rows that are copied from place to place at a time: as many as the largest block of rows in the engine has. */
export const EXCHANGE_ROWS = 256;

/** A run of a table's rows, and what the optimizer keeps for them, in one memory. */
export interface TablePiece {
  /** 0: the main memory; b: bank b − 1. */
  readonly memory: number;
  /** (rows), rowBytes apart */
  readonly address: Address;
  /** The optimizer's, by rows like the table: float32 (rows, stateLd) and (rows, secondStateLd); 0: none. */
  readonly state: Address;
  readonly secondState: Address;
  readonly firstRow: number;
  readonly rows: number;
}

/** What there is to place. */
export interface TableSize {
  readonly name: string;
  /** Which table it is in the address of a random number: see INITIAL_TABLE. */
  readonly number: number;
  /** Of the rows: the optimizer's state is float32. */
  readonly type: TableType;
  readonly rows: number;
  readonly columns: number;
  /** Rows that are never parted: a lane of the class table, one row of the embedding table. */
  readonly unit: number;
  /** Row r has the id (r mod rowsPerLane)·lanes + ⌊r / rowsPerLane⌋. */
  readonly rowsPerLane: number;
  readonly lanes: number;
}

/** Where the rows of one table lie: plain data, the same in every thread. Row r is in piece ⌊r / rowsPerPiece⌋. */
export interface PlacedTable extends TableSize {
  /** Elements from one row to the next wherever rows are float32: copies, gradients, and tables of that type. */
  readonly ld: number;
  /** Bytes from one row to the next in the table. */
  readonly rowBytes: number;
  /** Elements of the optimizer's states for a row: 0, 1 or ld. */
  readonly stateLd: number;
  readonly secondStateLd: number;
  readonly rowsPerPiece: number;
  readonly pieces: readonly TablePiece[];
}

/** One memory beside the main one. It holds a piece of one table, and for each worker an area that rows go through. */
export interface BankLayout {
  readonly bytes: number;
  /** First worker's area, see BANK_AREAS; each has areaBytes. */
  readonly area: Address;
  readonly areaBytes: number;
  readonly regions: readonly Region[];
}

export function isBanked(table: PlacedTable): boolean {
  return table.pieces.some(({ memory }) => memory !== 0);
}

/** Whether the encoder has to be handed rows of this table: its kernels read float32 tables of the main memory. */
export function isApart(table: PlacedTable): boolean {
  return table.type !== "float32" || isBanked(table);
}
