import type { Assembler } from "../../assembler/assembler.js";
import { indexed, Label, type Memory, type Register } from "../../assembler/operands.js";
import { rowOffset } from "./addresses.js";

const LINE_BYTES = 64;

/** Rows whose pages are looked up together. */
const GROUP = 32;

/**
 * Rows that an index vector names, and that are asked for before they are needed, so that their misses overlap. Tables begin where a line does and
 * have rows at the same offsets.
 */
export interface NamedRows {
  readonly tables: readonly Register[];
  /** Whether the tables are written, or else read. */
  readonly toWrite: boolean;
  /** Address of the int32 indices. */
  readonly indices: Register;
  /** Bytes from row to row. */
  readonly rowBytes: Register;
  /** Bytes of a row, 32 bits. */
  readonly width: Memory;
  /** A vector that has one float a row of the tables, to be written. */
  readonly perRow?: Register;
  /** Sets the registers of tables and vector for the row at a position, where they are not the same for all. */
  readonly find?: ((position: Register) => void) | undefined;
}

/** Where in an index vector a kernel is with asking. */
export interface Positions {
  /** The first position that nothing was asked for yet; moves on. */
  readonly next: Register;
  /** Positions there are. */
  readonly end: Register;
}

/** Runs `ask` for all positions below `limit` and `end`. */
export function askUpTo(asm: Assembler, { next, end }: Positions, limit: Register, ask: () => void): void {
  const done = new Label();
  const again = asm.here();
  asm.compute("cmp", next, limit);
  asm.jumpIf("aboveOrEqual", done);
  asm.compute("cmp", next, end);
  asm.jumpIf("aboveOrEqual", done);
  ask();
  asm.computeConstant("add", next, 1);
  asm.jump(again);
  asm.bind(done);
}

/** Asks for all lines of the row at position `next`. Changes `offset` and `scratch`. */
export function askForRow(
  asm: Assembler,
  rows: NamedRows,
  positions: Positions,
  offset: Register,
  scratch: Register,
): void {
  askForPages(asm, rows, positions, offset, scratch);
  rows.find?.(positions.next);
  rowOffset(asm, offset, rows.indices, positions.next, rows.rowBytes);
  asm.mov32(scratch, rows.width);
  asm.compute("add", scratch, offset);
  asm.computeConstant("and", offset, -LINE_BYTES);
  const lines = asm.here();
  prefetch(asm, rows, offset);
  asm.computeConstant("add", offset, LINE_BYTES);
  asm.compute("cmp", offset, scratch);
  asm.jumpIf("below", lines);
}

/**
 * At the first position of a group: asks for one line of each row of the group. A processor waits for the page of a line that it is asked for, though
 * not for the line, and sees only a few hundred instructions ahead: so that walks of page tables overlap, nothing else may stand between them.
 */
function askForPages(
  asm: Assembler,
  rows: NamedRows,
  { next, end }: Positions,
  offset: Register,
  position: Register,
): void {
  const done = new Label();
  asm.mov(offset, next);
  asm.computeConstant("and", offset, GROUP - 1);
  asm.jumpIf("notEqual", done);
  asm.mov(position, next);
  const loop = asm.here();
  rows.find?.(position);
  asm.mov32(offset, indexed(rows.indices, position, 4));
  if (rows.perRow !== undefined) asm.prefetch(0, indexed(rows.perRow, offset, 4));
  asm.imul(offset, rows.rowBytes);
  prefetch(asm, rows, offset);
  asm.computeConstant("add", position, 1);
  asm.compute("cmp", position, end);
  asm.jumpIf("aboveOrEqual", done);
  asm.mov(offset, position);
  asm.computeConstant("and", offset, GROUP - 1);
  asm.jumpIf("notEqual", loop);
  asm.bind(done);
}

function prefetch(asm: Assembler, { tables, toWrite }: NamedRows, offset: Register): void {
  for (const table of tables) asm.prefetch(toWrite ? 0 : 1, indexed(table, offset));
}
