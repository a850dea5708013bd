import { MemoryLimitError, requireInteger } from "@logq/core";
import { MAX_MEMORY_BYTES, MemoryPlan } from "@logq/kernels";
import { type OptimizerName, planState, stateWidths } from "../optimize/optimizer.js";
import { areaBytes, BANK_AREAS } from "./areas.js";
import type { BankLayout, PlacedTable, TablePiece, TableSize } from "./placed-table.js";

/** Rows begin on 16 bytes, in the table and in copies. */
function widths({ type, columns }: TableSize, optimizer: OptimizerName) {
  const ld = 4 * Math.ceil(columns / 4);
  const rowBytes = type === "float32" ? 4 * ld : 16 * Math.ceil(columns / 8);
  return { ld, rowBytes, ...stateWidths(optimizer, ld) };
}

function reservePiece(
  plan: MemoryPlan,
  memory: number,
  size: TableSize,
  optimizer: OptimizerName,
  firstRow: number,
  rows: number,
): TablePiece {
  const { ld, rowBytes } = widths(size, optimizer);
  const address = plan.reserve(size.name, rows * rowBytes);
  const { state, secondState } = planState(plan, optimizer, size.name, rows, ld);
  return { memory, address, state, secondState, firstRow, rows };
}

/** Reserves a whole table in the main memory. */
export function placeInside(plan: MemoryPlan, size: TableSize, optimizer: OptimizerName): PlacedTable {
  return placeAt(size, optimizer, reservePiece(plan, 0, size, optimizer, 0, size.rows));
}

/** A table of the main memory that is reserved already. */
export function placeAt(size: TableSize, optimizer: OptimizerName, piece: TablePiece): PlacedTable {
  return { ...size, ...widths(size, optimizer), rowsPerPiece: Math.max(1, size.rows), pieces: [piece] };
}

/** Bytes of a row with its optimizer's state. */
function bytesOfRow(size: TableSize, optimizer: OptimizerName): number {
  const { rowBytes, stateLd, secondStateLd } = widths(size, optimizer);
  return rowBytes + 4 * (stateLd + secondStateLd);
}

/** Bytes of a table with its optimizer's state. */
export function tableBytes(size: TableSize, optimizer: OptimizerName): number {
  return size.rows * bytesOfRow(size, optimizer);
}

/** Regions begin on cache lines, and the first line of a memory is free: at most this is lost. */
const LOST_BYTES = 8 * 64;

/**
 * Divides a table among banks of at most `bankBytes` bytes, as few as will do and alike in size, and appends them to `banks`.
 * @throws MemoryLimitError if a lane is more than a bank holds
 */
export function placeInBanks(
  banks: BankLayout[],
  size: TableSize,
  optimizer: OptimizerName,
  workers: number,
  bankBytes: number,
): PlacedTable {
  const { name, rows } = size;
  requireInteger("bank bytes", bankBytes, 1, MAX_MEMORY_BYTES);
  const shape = { ...size, ...widths(size, optimizer) };
  const bytesOfArea = areaBytes(shape, BANK_AREAS);
  const areasBytes = Math.max(1, workers) * bytesOfArea;
  const rowsPerPiece = rowsOfPiece(size, bytesOfRow(size, optimizer), areasBytes + LOST_BYTES, bankBytes);
  const pieces: TablePiece[] = [];
  for (let firstRow = 0; firstRow < rows; firstRow += rowsPerPiece) {
    const plan = new MemoryPlan();
    const area = plan.reserve(`${name} exchange`, areasBytes);
    const some = Math.min(rowsPerPiece, rows - firstRow);
    pieces.push(reservePiece(plan, banks.length + 1, size, optimizer, firstRow, some));
    banks.push({ bytes: plan.bytes, area, areaBytes: bytesOfArea, regions: plan.regions });
  }
  return { ...shape, rowsPerPiece, pieces };
}

/** Whole units, in pieces that are alike. */
function rowsOfPiece({ name, rows, unit }: TableSize, rowBytes: number, otherBytes: number, limit: number): number {
  const most = Math.floor((limit - otherBytes) / (rowBytes * unit));
  if (most < 1) {
    const bytes = rowBytes * unit + otherBytes;
    const what = unit === 1 ? "a row" : "a lane";
    const hint = unit === 1 ? "" : "; more lanes are smaller";
    throw new MemoryLimitError(
      `${name}: ${what} takes ${bytes} bytes with room to exchange rows, but one memory holds at most ${limit}${hint}`,
      { table: name, rows: unit, rowBytes, bytes, limit },
    );
  }
  const units = Math.ceil(rows / unit);
  return unit * Math.ceil(units / Math.ceil(units / most));
}
