import type { Address, MemoryPlan } from "@logq/kernels";
import { EXCHANGE_ROWS, isApart, type PlacedTable } from "./placed-table.js";

/** What areas of a worker are sized by. */
export type AreaShape = Pick<PlacedTable, "type" | "ld" | "stateLd" | "secondStateLd">;

/** Elements of the parts of a worker's area for a table, all of 4 bytes. */
type Parts = readonly ((shape: AreaShape) => number)[];

const INDICES = () => EXCHANGE_ROWS;
const ROWS = ({ ld }: AreaShape) => EXCHANGE_ROWS * ld;
const ifNarrow = (elements: (shape: AreaShape) => number) => (shape: AreaShape) =>
  shape.type === "float32" ? 0 : elements(shape);

/** For rows of bfloat16 on which float32 kernels work: ids, rows, both states. */
const WIDE_AREAS: Parts = [
  ifNarrow(INDICES),
  ifNarrow(ROWS),
  ifNarrow(({ stateLd }) => EXCHANGE_ROWS * stateLd),
  ifNarrow(({ secondStateLd }) => EXCHANGE_ROWS * secondStateLd),
];

/** In a bank: indices and rows to exchange, then the wide area. */
export const BANK_AREAS: Parts = [INDICES, ROWS, ...WIDE_AREAS];

/** In the main memory, for a table in banks: rows within their pieces, places, rows as handed over, rows as asked for. */
const MAIN_AREAS: Parts = [INDICES, INDICES, ROWS, ROWS];

/** A worker's own room for rows of bfloat16 in the memory of the table; all 0 for a table of float32. */
export interface WideArea {
  /** int32 (EXCHANGE_ROWS) */
  readonly ids: Address;
  /** float32 (EXCHANGE_ROWS, ld) and (EXCHANGE_ROWS, stateLd or secondStateLd) */
  readonly rows: Address;
  readonly state: Address;
  readonly secondState: Address;
}

/** A worker's own room in a bank. */
export interface BankArea {
  /** int32 (EXCHANGE_ROWS) */
  readonly indices: Address;
  /** float32 (EXCHANGE_ROWS, ld) */
  readonly rows: Address;
  readonly wide: WideArea;
}

/** A worker's own room in the main memory for a table in banks. */
export interface ExchangeArea {
  /** int32 (EXCHANGE_ROWS): rows within their pieces, and the places in a block that they belong to; piece after piece. */
  readonly rowsOfPieces: Address;
  readonly places: Address;
  /** float32 (EXCHANGE_ROWS, ld): rows as a bank hands them over, and as they were asked for. */
  readonly staging: Address;
  readonly rows: Address;
}

/** A worker's own room for rows that are copied before they are summed. */
export interface SumArea {
  /** The most rows: at least those of the longest list. */
  readonly capacity: number;
  /** float32 (capacity, ld) */
  readonly rows: Address;
  /** int32 (capacity): 0, 1, 2 … */
  readonly identity: Address;
  /** int32 (EXCHANGE_ROWS + 1) */
  readonly offsets: Address;
}

/** Bytes of a worker's area; each part takes whole cache lines. */
export function areaBytes(shape: AreaShape, parts: Parts): number {
  return lineEnds(parts.map((part) => part(shape))).end;
}

/** Where each part begins, and where the last ends, in bytes from the area's beginning. */
function lineEnds(elements: readonly number[]): { starts: number[]; end: number } {
  let end = 0;
  const starts = elements.map((count) => {
    const start = end;
    end += 64 * Math.ceil(count / 16);
    return start;
  });
  return { starts, end };
}

function addresses(base: Address, shape: AreaShape, parts: Parts): Address[] {
  return lineEnds(parts.map((part) => part(shape))).starts.map((start) => base + start);
}

export function bankArea(base: Address, table: PlacedTable): BankArea {
  const [indices, rows, ...wide] = addresses(base, table, BANK_AREAS);
  return { indices, rows, wide: wideOf(wide) };
}

function wideOf([ids, rows, state, secondState]: readonly Address[]): WideArea {
  return { ids, rows, state, secondState };
}

/** The workers' areas in the main memory for one table: of each worker `bytes` bytes, one after another. */
export interface TableAccess {
  readonly address: Address;
  readonly bytes: number;
  /** The most rows that are summed; 0: none ever are. */
  readonly sumCapacity: number;
}

function mainParts(table: PlacedTable, sumCapacity: number): Parts {
  const sums = sumCapacity === 0 ? [] : [sumCapacity * table.ld, sumCapacity, EXCHANGE_ROWS + 1];
  const own = table.pieces[0]?.memory === 0 ? WIDE_AREAS : MAIN_AREAS;
  return [...own, ...sums.map((count) => () => count)];
}

/**
 * Reserves what workers need in the main memory to read and write a table that their kernels cannot work on in place; undefined if they can.
 * @param longest the most rows that are summed at a time; 0: none ever are
 */
export function planAccess(
  plan: MemoryPlan,
  table: PlacedTable,
  workers: number,
  longest: number,
): TableAccess | undefined {
  if (!isApart(table)) return undefined;
  const sumCapacity = longest === 0 ? 0 : Math.max(EXCHANGE_ROWS, longest);
  const bytes = areaBytes(table, mainParts(table, sumCapacity));
  return { address: plan.reserve(`${table.name} exchange`, bytes * Math.max(1, workers)), bytes, sumCapacity };
}

/** A worker's areas for a table. Only those that its place and type ask for mean anything. */
export function mainAreas(
  table: PlacedTable,
  access: TableAccess | undefined,
  worker: number,
): { exchange: ExchangeArea; wide: WideArea; sums: SumArea } {
  const { address, bytes, sumCapacity } = access ?? { address: 0, bytes: 0, sumCapacity: 0 };
  const parts = addresses(address + bytes * worker, table, mainParts(table, sumCapacity));
  const [first, second, third, fourth, rows, identity, offsets] = parts;
  return {
    exchange: { rowsOfPieces: first, places: second, staging: third, rows: fourth },
    wide: wideOf([first, second, third, fourth]),
    sums: { capacity: sumCapacity, rows, identity, offsets },
  };
}
