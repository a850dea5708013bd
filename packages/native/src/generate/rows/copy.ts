import type { Assembler } from "../../assembler/assembler.js";
import {
  indexed,
  R8,
  R9,
  R10,
  R11,
  R12,
  R13,
  R14,
  R15,
  RAX,
  RBP,
  RCX,
  RDX,
  type Register,
  RSI,
} from "../../assembler/operands.js";
import { argument, loadAddress, loadArgument } from "../arguments.js";
import { framed } from "../frame.js";
import { type InstructionSet, Vectors } from "../vectors.js";
import { eachPosition, rowOffset } from "./addresses.js";
import { askForRow, askUpTo } from "./ahead.js";
import { findPiece } from "./pieces.js";
import { setRowTail, walkRow } from "./walk.js";

/** Of all kernels here: a table whose rows are named (not told if it is in pieces), and rows in sequence. Strides and width in bytes; `ahead` in rows. */
export const COPY_ARGUMENT = {
  table: 0,
  tableBytes: 1,
  indices: 2,
  rows: 3,
  rowsBytes: 4,
  count: 5,
  width: 6,
  ahead: 7,
};

const [TABLE, TABLE_BYTES, INDICES, ROW, ROW_BYTES, J, NEXT, COUNT] = [R8, R9, R10, R11, R12, R13, R14, R15];
const [OFFSET, LEFT, NAMED, LIMIT, PIECE] = [RAX, RCX, RDX, RSI, RBP];

/** Row j ← row indices[j] of the table. */
export function generateGatherRows(asm: Assembler, set: InstructionSet): void {
  copyRows(asm, set, false);
}

/** The same of a table in pieces. */
export function generateGatherRowsInPieces(asm: Assembler, set: InstructionSet): void {
  copyRows(asm, set, false, (position) => findPiece(asm, [TABLE], INDICES, position, PIECE));
}

/** Row indices[j] of the table ← row j. */
export function generateScatterRows(asm: Assembler, set: InstructionSet): void {
  copyRows(asm, set, true);
}

/** @param find sets TABLE for the row at a position; absent: it is the same for all */
function copyRows(asm: Assembler, set: InstructionSet, toTable: boolean, find?: (position: Register) => void): void {
  const v = new Vectors(asm, set);
  const width = argument(COPY_ARGUMENT.width);
  const named = { tables: [TABLE], toWrite: toTable, indices: INDICES, rowBytes: TABLE_BYTES, width, find };
  const positions = { next: NEXT, end: COUNT };
  const [to, from] = toTable ? [NAMED, ROW] : [ROW, NAMED];
  framed(asm, () => {
    setRowTail(v, width, RAX, RCX);
    if (find === undefined) loadAddress(asm, TABLE, COPY_ARGUMENT.table);
    loadArgument(asm, TABLE_BYTES, COPY_ARGUMENT.tableBytes);
    loadAddress(asm, INDICES, COPY_ARGUMENT.indices);
    loadAddress(asm, ROW, COPY_ARGUMENT.rows);
    loadArgument(asm, ROW_BYTES, COPY_ARGUMENT.rowsBytes);
    loadArgument(asm, COUNT, COPY_ARGUMENT.count);
    asm.movConstant(NEXT, 0);
    eachPosition(asm, J, COUNT, () => {
      loadArgument(asm, LIMIT, COPY_ARGUMENT.ahead);
      asm.compute("add", LIMIT, J);
      askUpTo(asm, positions, LIMIT, () => askForRow(asm, named, positions, OFFSET, LEFT));
      find?.(J);
      rowOffset(asm, NAMED, INDICES, J, TABLE_BYTES);
      asm.compute("add", NAMED, TABLE);
      asm.movConstant(OFFSET, 0);
      walkRow(v, { offset: OFFSET, left: LEFT, width }, 4, (vectors, tail) => {
        for (let i = 0; i < vectors; i++) v.loadPart(i, indexed(from, OFFSET, 1, v.bytes * i), tail);
        for (let i = 0; i < vectors; i++) v.storePart(indexed(to, OFFSET, 1, v.bytes * i), i, tail);
      });
      asm.compute("add", ROW, ROW_BYTES);
    });
  });
}
