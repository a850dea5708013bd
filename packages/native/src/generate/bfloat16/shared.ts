import type { Assembler } from "../../assembler/assembler.js";
import { Label, R8, R9, R10, R13, R14, R15, RBX, RSP } from "../../assembler/operands.js";
import { argumentNumbers } from "../arguments.js";
import { BLOCK_ROWS } from "./layout.js";

/**
 * Arguments of the product, in order; strides in bytes. `turned`: the columns of the left operand lie contiguous, not its rows. `chunks` of k, the last of
 * which has `kRest` steps, named by `kMask`, if that is not 0; `columnMask` names the last panel's columns if that is not whole.
 * `linesAhead` of the next block's rows are asked for with each chunk of each panel. Products of `segments` matrices are summed, where rows lie contiguous:
 * of the left operand they are `leftStep` apart; `packedGap` bytes lie between the end of a panel and the beginning of the next segment's.
 */
const MULTIPLY_ARGUMENTS = [
  "out",
  "ldOut",
  "left",
  "rowStride",
  "columnStride",
  "packed",
  "M",
  "wholeChunks",
  "kRest",
  "kMask",
  "chunks",
  "N",
  "columnMask",
  "panelBytes",
  "accumulate",
  "turned",
  "linesAhead",
  "segments",
  "leftStep",
  "packedGap",
  // Of the kernel's own: segments that a panel's sums still lack.
  "segmentsLeft",
] as const;

export const ARGUMENT = argumentNumbers(MULTIPLY_ARGUMENTS);

/** Registers that all parts of the product share. Whatever is not among them is free; RBP holds the caller's stack pointer. */
export const OUT = R8;
export const LD_OUT = R9;
/** Rows from this block's first to the last of all. */
export const ROWS = R13;
export const PANEL = R14;
/** Columns from this panel's first to the last of all. */
export const COLUMNS = R15;
/** Where this block's and panel's first sum goes. */
export const OUT_AT = RBX;
/** The next line of the left operand to be asked for, once a block has been converted. */
export const NEXT_LINE = R10;
/** The block of the left operand, on a multiple of 64; behind it bytes that whoever asks for them may use. */
export const BLOCK = RSP;

/** count ← rows of this block. */
export function rowsOfBlock(asm: Assembler, count: number): void {
  const fewer = new Label();
  asm.mov(count, ROWS);
  asm.computeConstant("cmp", count, BLOCK_ROWS);
  asm.jumpIf("belowOrEqual", fewer);
  asm.movConstant(count, BLOCK_ROWS);
  asm.bind(fewer);
}
