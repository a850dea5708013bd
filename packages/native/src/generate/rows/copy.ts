import type { Assembler } from "../../assembler/assembler.js";
import { indexed, R8, R9, R10, R11, R12, R13, R14, R15, RAX, RCX, RDX, RSI } from "../../assembler/operands.js";
import { argument, loadAddress, loadArgument } from "../arguments.js";
import { framed } from "../frame.js";
import { type InstructionSet, Vectors } from "../vectors.js";
import { eachPosition, rowOffset } from "./addresses.js";
import { askForRow, askUpTo } from "./ahead.js";
import { setRowTail, walkRow } from "./walk.js";

/** Of both kernels: a table whose rows are named, and rows in sequence. Strides and width in bytes; `ahead` in rows. */
const ARGUMENT = { table: 0, tableBytes: 1, indices: 2, rows: 3, rowsBytes: 4, count: 5, width: 6, ahead: 7 };

const [TABLE, TABLE_BYTES, INDICES, ROW, ROW_BYTES, J, NEXT, COUNT] = [R8, R9, R10, R11, R12, R13, R14, R15];
const [OFFSET, LEFT, NAMED, LIMIT] = [RAX, RCX, RDX, RSI];

/** Row j ← row indices[j] of the table. */
export function generateGatherRows(asm: Assembler, set: InstructionSet): void {
  copyRows(asm, set, false);
}

/** Row indices[j] of the table ← row j. */
export function generateScatterRows(asm: Assembler, set: InstructionSet): void {
  copyRows(asm, set, true);
}

function copyRows(asm: Assembler, set: InstructionSet, toTable: boolean): void {
  const v = new Vectors(asm, set);
  const width = argument(ARGUMENT.width);
  const named = { tables: [TABLE], toWrite: toTable, indices: INDICES, rowBytes: TABLE_BYTES, width };
  const positions = { next: NEXT, end: COUNT };
  const [to, from] = toTable ? [NAMED, ROW] : [ROW, NAMED];
  framed(asm, () => {
    setRowTail(v, width, RAX, RCX);
    loadAddress(asm, TABLE, ARGUMENT.table);
    loadArgument(asm, TABLE_BYTES, ARGUMENT.tableBytes);
    loadAddress(asm, INDICES, ARGUMENT.indices);
    loadAddress(asm, ROW, ARGUMENT.rows);
    loadArgument(asm, ROW_BYTES, ARGUMENT.rowsBytes);
    loadArgument(asm, COUNT, ARGUMENT.count);
    asm.movConstant(NEXT, 0);
    eachPosition(asm, J, COUNT, () => {
      loadArgument(asm, LIMIT, ARGUMENT.ahead);
      asm.compute("add", LIMIT, J);
      askUpTo(asm, positions, LIMIT, () => askForRow(asm, named, positions, OFFSET, LEFT));
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
