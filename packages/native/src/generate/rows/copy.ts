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
  RBX,
  RCX,
  RDX,
  type Register,
  RSI,
} from "../../assembler/operands.js";
import { argument, argumentNumbers, BASE, loadAddress, loadArgument } from "../arguments.js";
import { framed } from "../frame.js";
import { type InstructionSet, Vectors } from "../vectors.js";
import { eachPosition, rowOffset } from "./addresses.js";
import { askForRow, askUpTo } from "./ahead.js";
import { setRowTail, walkRow } from "./walk.js";

/** Of both kernels: a table whose rows are named, and rows in sequence. Strides and width in bytes; `ahead` in rows. */
const ARGUMENT = { table: 0, tableBytes: 1, indices: 2, rows: 3, rowsBytes: 4, count: 5, width: 6, ahead: 7 };

const [TABLE, TABLE_BYTES, INDICES, ROW, ROW_BYTES, J, NEXT, COUNT] = [R8, R9, R10, R11, R12, R13, R14, R15];
const [OFFSET, LEFT, NAMED, LIMIT] = [RAX, RCX, RDX, RSI];

/** `table`, with its upper half, is how far the table is from the memory's beginning: 64 bits with sign. */
export const GATHER_FROM = argumentNumbers([
  "table",
  "tableHigh",
  "tableBytes",
  "indices",
  "out",
  "outBytes",
  "places",
  "count",
  "width",
  "ahead",
]);

/** Of that kernel, in the place of rows in sequence. */
const [OUT, PLACES, PLACED, OUT_BYTES] = [R11, R12, RBX, RBP];

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
  const { width, ahead } = ARGUMENT;
  framed(asm, () => {
    setRowTail(v, argument(width), RAX, RCX);
    loadAddress(asm, TABLE, ARGUMENT.table);
    loadArgument(asm, TABLE_BYTES, ARGUMENT.tableBytes);
    loadAddress(asm, INDICES, ARGUMENT.indices);
    loadAddress(asm, ROW, ARGUMENT.rows);
    loadArgument(asm, ROW_BYTES, ARGUMENT.rowsBytes);
    loadArgument(asm, COUNT, ARGUMENT.count);
    copyEach(v, { width, ahead }, { other: ROW, toTable, next: () => asm.compute("add", ROW, ROW_BYTES) });
  });
}

/** Row places[j] of `out` ← row indices[j] of a table anywhere in the process. */
export function generateGatherRowsFrom(asm: Assembler, set: InstructionSet): void {
  const v = new Vectors(asm, set);
  const { width, ahead } = GATHER_FROM;
  framed(asm, () => {
    setRowTail(v, argument(width), RAX, RCX);
    asm.mov(TABLE, argument(GATHER_FROM.table));
    asm.compute("add", TABLE, BASE);
    loadArgument(asm, TABLE_BYTES, GATHER_FROM.tableBytes);
    loadAddress(asm, INDICES, GATHER_FROM.indices);
    loadAddress(asm, OUT, GATHER_FROM.out);
    loadArgument(asm, OUT_BYTES, GATHER_FROM.outBytes);
    loadAddress(asm, PLACES, GATHER_FROM.places);
    loadArgument(asm, COUNT, GATHER_FROM.count);
    const find = () => {
      rowOffset(asm, PLACED, PLACES, J, OUT_BYTES);
      asm.compute("add", PLACED, OUT);
    };
    copyEach(v, { width, ahead }, { other: PLACED, toTable: false, find });
  });
}

/** What a named row is copied from or to: the row at `other`, which `find` sets before, or `next` moves on afterwards. */
interface Counterpart {
  readonly other: Register;
  readonly toTable: boolean;
  find?(): void;
  next?(): void;
}

/** Copies row after row, those to come being asked for. `width` and `ahead` are numbers of arguments; all registers of the table are set. */
function copyEach(
  v: Vectors,
  { width, ahead }: { readonly width: number; readonly ahead: number },
  { other, toTable, find, next }: Counterpart,
): void {
  const { asm } = v;
  const bytes = argument(width);
  const named = { tables: [TABLE], toWrite: toTable, indices: INDICES, rowBytes: TABLE_BYTES, width: bytes };
  const positions = { next: NEXT, end: COUNT };
  const [to, from] = toTable ? [NAMED, other] : [other, NAMED];
  asm.movConstant(NEXT, 0);
  eachPosition(asm, J, COUNT, () => {
    loadArgument(asm, LIMIT, ahead);
    asm.compute("add", LIMIT, J);
    askUpTo(asm, positions, LIMIT, () => askForRow(asm, named, positions, OFFSET, LEFT));
    rowOffset(asm, NAMED, INDICES, J, TABLE_BYTES);
    asm.compute("add", NAMED, TABLE);
    find?.();
    asm.movConstant(OFFSET, 0);
    walkRow(v, { offset: OFFSET, left: LEFT, width: bytes }, 4, (vectors, tail) => {
      for (let i = 0; i < vectors; i++) v.loadPart(i, indexed(from, OFFSET, 1, v.bytes * i), tail);
      for (let i = 0; i < vectors; i++) v.storePart(indexed(to, OFFSET, 1, v.bytes * i), i, tail);
    });
    next?.();
  });
}
