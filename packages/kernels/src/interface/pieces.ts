import type { Address, KernelMemory } from "../memory.js";
import type { UpdateRule } from "./optimizer.js";

/** A run of a table's rows in a memory of its own, and what the optimizer keeps for them there; 0: none. */
export interface PieceOfTable {
  readonly memory: KernelMemory;
  readonly table: Address;
  readonly state: Address;
  readonly secondState: Address;
}

/** A float32 table whose rows lie in several memories: row r is row r mod rowsPerPiece of piece ⌊r / rowsPerPiece⌋. Strides in elements. */
export interface TableInPieces {
  readonly rowsPerPiece: number;
  readonly pieces: readonly PieceOfTable[];
  readonly ld: number;
  readonly D: number;
  /** From the state of one row to the next. */
  readonly stateLd: number;
  readonly secondStateLd: number;
}

/** Rows of such a table, worked on from one memory: addresses are of that one. `indices` (count) int32 are never absent. */
export interface RowsInPieces {
  /** out[j] = row indices[j], j < count. */
  gatherRows(out: Address, ldOut: number, indices: Address, count: number): void;

  /** Applies `rule` with row j of `gradient` to row indices[j], j < count, each of them once: `updateRows` of the optimizer. */
  updateRows(rule: UpdateRule, indices: Address, gradient: Address, ldGradient: number, count: number): void;
}

/** Kernels that reach other memories of the process. */
export interface PieceKernels {
  /** Binds a table, for as long as its memories are there. undefined: it has more pieces or rows than these kernels can tell apart. */
  open(table: TableInPieces): RowsInPieces | undefined;
}
