import type { Assembler } from "../../assembler/assembler.js";
import {
  indexed,
  type Memory,
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
import { argument, loadAddress, loadArgument, loadOptional } from "../arguments.js";
import { framed } from "../frame.js";
import { eachPosition, optionalRowOffset, unlessZero } from "../rows/addresses.js";
import { askForRow, askUpTo, type NamedRows } from "../rows/ahead.js";
import { findPiece } from "../rows/pieces.js";
import { setRowTail, walkRow } from "../rows/walk.js";
import { type InstructionSet, Vectors } from "../vectors.js";
import { CONSTANTS, type Constant, G, type Rule, SECOND, STATE, W } from "./rules.js";

/** Strides and width in bytes; `ahead` in rows; then the constants. */
export const UPDATE_ARGUMENT = {
  table: 0,
  rowBytes: 1,
  indices: 2,
  gradient: 3,
  gradientBytes: 4,
  count: 5,
  width: 6,
  state: 7,
  secondState: 8,
  ahead: 9,
  constants: 10,
} as const;

export const WIDTH = argument(UPDATE_ARGUMENT.width);

export const [TABLE, ROW_BYTES, INDICES, GRADIENT, STATES, SECOND_STATES] = [R8, R9, R10, R11, R12, R13];
export const [J, NEXT, COUNT] = [R14, R15, RBX];
/** OFFSET runs through the rows of table and states, from their start; SHIFTED plus it is where the gradient is. */
export const [OFFSET, LEFT, SHIFTED, LIMIT, TEMP] = [RAX, RCX, RDX, RSI, RBP];

/** The places of constants in the block of arguments. */
export function constantPlace(name: Constant): Memory {
  return argument(UPDATE_ARGUMENT.constants + CONSTANTS.indexOf(name));
}

/** Registers of constants, from v14 downwards: what is left below is for the steps. */
export function loadConstants(v: Vectors, names: readonly Constant[]): (name: Constant) => number {
  const register = (name: Constant) => 14 - names.indexOf(name);
  for (const name of names) v.broadcast(register(name), constantPlace(name));
  return register;
}

/** Loads the arguments and runs `row` for each position J, OFFSET at its row in the tables; `named` is what it changes. */
export function eachUpdatedRow(v: Vectors, states: 0 | 1 | 2, named: NamedRows, row: () => void): void {
  const positions = { next: NEXT, end: COUNT };
  const { asm } = v;
  setRowTail(v, WIDTH, RAX, RCX);
  const { find } = named;
  loadArgument(asm, ROW_BYTES, UPDATE_ARGUMENT.rowBytes);
  loadOptional(asm, INDICES, UPDATE_ARGUMENT.indices);
  loadAddress(asm, GRADIENT, UPDATE_ARGUMENT.gradient);
  loadArgument(asm, COUNT, UPDATE_ARGUMENT.count);
  if (find === undefined) loadTables(asm, states);
  asm.movConstant(NEXT, 0);
  eachPosition(asm, J, COUNT, () => {
    // Rows in sequence are left to the processor's own foresight.
    unlessZero(asm, INDICES, () => {
      loadArgument(asm, LIMIT, UPDATE_ARGUMENT.ahead);
      asm.compute("add", LIMIT, J);
      askUpTo(asm, positions, LIMIT, () => askForRow(asm, named, positions, OFFSET, LEFT));
    });
    find?.(J);
    optionalRowOffset(asm, OFFSET, INDICES, J, ROW_BYTES);
    row();
    loadArgument(asm, TEMP, UPDATE_ARGUMENT.gradientBytes);
    asm.compute("add", GRADIENT, TEMP);
  });
}

function loadTables(asm: Assembler, states: 0 | 1 | 2): void {
  loadAddress(asm, TABLE, UPDATE_ARGUMENT.table);
  if (states > 0) loadAddress(asm, STATES, UPDATE_ARGUMENT.state);
  if (states > 1) loadAddress(asm, SECOND_STATES, UPDATE_ARGUMENT.secondState);
}

/** What sets the registers of a table in pieces, and of its states, for the row at a position; undefined for one that is not in pieces. */
export function tablesFinder(
  asm: Assembler,
  states: 0 | 1 | 2,
  inPieces: boolean,
): ((position: Register) => void) | undefined {
  if (!inPieces) return undefined;
  const tables = [TABLE, STATES, SECOND_STATES].slice(0, states + 1);
  return (position) => findPiece(asm, tables, INDICES, position, TEMP);
}

/** g ← gradientScale·gradient + weightDecay·w, W being loaded. */
export function loadGradient(v: Vectors, i: number, tail: boolean, constant: (name: Constant) => number): void {
  const place = indexed(SHIFTED, OFFSET, 1, v.bytes * i);
  if (tail) v.loadTail(G, place);
  v.op("vmulps", G, constant("gradientScale"), tail ? G : place);
  v.op("vfmadd231ps", G, W, constant("weightDecay"));
}

/** The kernel of a rule whose elements are independent: each element of gradient, weights and states is read and written once. */
export function updateRows(rule: Rule, inPieces: boolean): (asm: Assembler, set: InstructionSet) => void {
  const tables = [TABLE, STATES, SECOND_STATES].slice(0, rule.states + 1);
  const registers = [W, STATE, SECOND];

  return (asm, set) => {
    const v = new Vectors(asm, set);
    const find = tablesFinder(asm, rule.states, inPieces);
    const named = { tables, toWrite: true, indices: INDICES, rowBytes: ROW_BYTES, width: WIDTH, find };
    framed(asm, () => {
      const constant = loadConstants(v, ["gradientScale", "weightDecay", ...rule.constants]);
      eachUpdatedRow(v, rule.states, named, () => {
        asm.mov(SHIFTED, GRADIENT);
        asm.compute("sub", SHIFTED, OFFSET);
        walkRow(v, { offset: OFFSET, left: LEFT, width: WIDTH }, 2, (vectors, tail) => {
          for (let i = 0; i < vectors; i++) {
            const place = (table: number) => indexed(table, OFFSET, 1, v.bytes * i);
            for (const [k, table] of tables.entries()) v.loadPart(registers[k]!, place(table), tail);
            loadGradient(v, i, tail, constant);
            rule.step(v, constant);
            for (const [k, table] of tables.entries()) v.storePart(place(table), registers[k]!, tail);
          }
        });
      });
    });
  };
}
