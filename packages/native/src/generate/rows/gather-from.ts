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
  RSI,
} from "../../assembler/operands.js";
import { argument, argumentNumbers, BASE, loadAddress, loadArgument } from "../arguments.js";
import { framed } from "../frame.js";
import { type InstructionSet, Vectors } from "../vectors.js";
import { eachPosition, rowOffset } from "./addresses.js";
import { askForRow, askUpTo } from "./ahead.js";
import { setRowTail, walkRow } from "./walk.js";

/** `table`, with its upper half, is how far the table is from the memory's beginning: 64 bits with sign. Strides and width in bytes; `ahead` in rows. */
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

const [TABLE, TABLE_BYTES, INDICES, OUT, PLACES, J, NEXT, COUNT] = [R8, R9, R10, R11, R12, R13, R14, R15];
const [OFFSET, LEFT, NAMED, LIMIT, ROW, OUT_BYTES] = [RAX, RCX, RDX, RSI, RBX, RBP];

/** Row places[j] of `out` ← row indices[j] of a table anywhere in the process. */
export function generateGatherRowsFrom(asm: Assembler, set: InstructionSet): void {
  const v = new Vectors(asm, set);
  const width = argument(GATHER_FROM.width);
  const named = { tables: [TABLE], toWrite: false, indices: INDICES, rowBytes: TABLE_BYTES, width };
  const positions = { next: NEXT, end: COUNT };
  framed(asm, () => {
    setRowTail(v, width, RAX, RCX);
    asm.mov(TABLE, argument(GATHER_FROM.table));
    asm.compute("add", TABLE, BASE);
    loadArgument(asm, TABLE_BYTES, GATHER_FROM.tableBytes);
    loadAddress(asm, INDICES, GATHER_FROM.indices);
    loadAddress(asm, OUT, GATHER_FROM.out);
    loadArgument(asm, OUT_BYTES, GATHER_FROM.outBytes);
    loadAddress(asm, PLACES, GATHER_FROM.places);
    loadArgument(asm, COUNT, GATHER_FROM.count);
    asm.movConstant(NEXT, 0);
    eachPosition(asm, J, COUNT, () => {
      loadArgument(asm, LIMIT, GATHER_FROM.ahead);
      asm.compute("add", LIMIT, J);
      askUpTo(asm, positions, LIMIT, () => askForRow(asm, named, positions, OFFSET, LEFT));
      rowOffset(asm, NAMED, INDICES, J, TABLE_BYTES);
      asm.compute("add", NAMED, TABLE);
      rowOffset(asm, ROW, PLACES, J, OUT_BYTES);
      asm.compute("add", ROW, OUT);
      asm.movConstant(OFFSET, 0);
      walkRow(v, { offset: OFFSET, left: LEFT, width }, 4, (vectors, tail) => {
        for (let i = 0; i < vectors; i++) v.loadPart(i, indexed(NAMED, OFFSET, 1, v.bytes * i), tail);
        for (let i = 0; i < vectors; i++) v.storePart(indexed(ROW, OFFSET, 1, v.bytes * i), i, tail);
      });
    });
  });
}
