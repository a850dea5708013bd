import type { Assembler } from "../../assembler/assembler.js";
import { at, indexed, RDI, type Register } from "../../assembler/operands.js";
import { BASE } from "../arguments.js";

/** The first word of what tells the pieces: no kernel on tables in pieces has arguments that reach as far. */
const PIECES_WORD = 24;

/** Places for tables of a piece: rows, two states, and one that is free, so that pieces lie 32 bytes apart. */
const TABLES = 4;

/** Words of a block of arguments that tells so many pieces. */
export function wordsOfPieces(pieces: number): number {
  return PIECES_WORD + 2 + 2 * TABLES * pieces;
}

/** The piece of row r is ⌊r·reciprocal / 2^PIECE_SHIFT⌋. */
export const PIECE_SHIFT = 52;

/** Where the reciprocal stands: 64 bits. */
export const RECIPROCAL_WORD = PIECES_WORD;

/** Where it stands how far table `table` of a piece is from the memory's beginning: 64 bits with sign, as if row 0 were in the piece. */
export function tableOfPieceWord(piece: number, table: number): number {
  return PIECES_WORD + 2 + 2 * (TABLES * piece + table);
}

/** Sets `tables` to where they would begin if all rows lay in the piece of row indices[position]. Changes `piece`. */
export function findPiece(
  asm: Assembler,
  tables: readonly Register[],
  indices: Register,
  position: Register,
  piece: Register,
): void {
  asm.mov32(piece, indexed(indices, position, 4));
  asm.imul(piece, at(RDI, 4 * RECIPROCAL_WORD));
  asm.shiftRight(piece, PIECE_SHIFT);
  asm.shiftLeft(piece, Math.log2(8 * TABLES));
  for (const [k, table] of tables.entries()) {
    asm.mov(table, indexed(RDI, piece, 1, 4 * tableOfPieceWord(0, k)));
    asm.compute("add", table, BASE);
  }
}
