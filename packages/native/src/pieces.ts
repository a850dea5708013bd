import type { KernelMemory, PieceKernels, RowsInPieces, TableInPieces, UpdateRule } from "@logq/kernels";
import { rowsAhead } from "./ahead.js";
import { type Bind, type BoundKernel, distance } from "./bind.js";
import { FIRST_WORD } from "./generate/arguments.js";
import { UPDATE_ARGUMENT } from "./generate/optimizer/update.js";
import { COPY_ARGUMENT } from "./generate/rows/copy.js";
import { PIECE_SHIFT, RECIPROCAL_WORD, tableOfPieceWord, wordsOfPieces } from "./generate/rows/pieces.js";
import { TABLES, tellConstants } from "./optimizer.js";

/** Pieces that a table may have: the quotient that finds them has 64 bits, PIECE_SHIFT of them behind the point. */
const MOST_PIECES = 64;

/** Rows of tables that lie in other memories: machine code sees the whole process. */
export function nativePieces(memory: KernelMemory, bind: Bind): PieceKernels {
  return {
    open(table) {
      if (!tellsApart(table)) return undefined;
      const bound = (name: Parameters<Bind>[0]) => bindToPieces(bind, name, memory, table);
      return rowsInPieces(table, bound("gatherRowsInPieces"), {
        sgd: bound("updateSgdInPieces"),
        momentum: bound("updateMomentumInPieces"),
        adagrad: bound("updateAdagradInPieces"),
        "rowwise-adagrad": bound("updateRowwiseAdagradInPieces"),
        adam: bound("updateAdamInPieces"),
      });
    },
  };
}

function rowsInPieces(
  { ld, D }: TableInPieces,
  gather: BoundKernel,
  updates: Readonly<Record<UpdateRule["kind"], BoundKernel>>,
): RowsInPieces {
  return {
    gatherRows(out, ldOut, indices, count) {
      const { words, run } = gather;
      words[FIRST_WORD + COPY_ARGUMENT.tableBytes] = 4 * ld;
      words[FIRST_WORD + COPY_ARGUMENT.indices] = indices;
      words[FIRST_WORD + COPY_ARGUMENT.rows] = out;
      words[FIRST_WORD + COPY_ARGUMENT.rowsBytes] = 4 * ldOut;
      words[FIRST_WORD + COPY_ARGUMENT.count] = count;
      words[FIRST_WORD + COPY_ARGUMENT.width] = 4 * D;
      words[FIRST_WORD + COPY_ARGUMENT.ahead] = rowsAhead(1, D);
      run();
    },

    updateRows(rule, indices, gradient, ldGradient, count) {
      const { words, floats, run } = updates[rule.kind];
      tellConstants(floats, rule, D);
      words[FIRST_WORD + UPDATE_ARGUMENT.rowBytes] = 4 * ld;
      words[FIRST_WORD + UPDATE_ARGUMENT.indices] = indices;
      words[FIRST_WORD + UPDATE_ARGUMENT.gradient] = gradient;
      words[FIRST_WORD + UPDATE_ARGUMENT.gradientBytes] = 4 * ldGradient;
      words[FIRST_WORD + UPDATE_ARGUMENT.count] = count;
      words[FIRST_WORD + UPDATE_ARGUMENT.width] = 4 * D;
      words[FIRST_WORD + UPDATE_ARGUMENT.ahead] = rowsAhead(TABLES[rule.kind], D);
      run();
    },
  };
}

/** ⌈2^PIECE_SHIFT / rowsPerPiece⌉, or one more: exact, as it is below 2^53. */
export function reciprocal(rowsPerPiece: number): number {
  return Math.floor(2 ** PIECE_SHIFT / rowsPerPiece) + 1;
}

/**
 * Whether ⌊r·reciprocal / 2^PIECE_SHIFT⌋ is the piece of every row r. With m = reciprocal = (2^s + e) / d and 0 < e ≤ d it is ⌊r/d + r·e / (d·2^s)⌋, which
 * no fraction of r/d reaches over as long as r·e < 2^s (Granlund and Montgomery, "Division by invariant integers using multiplication", 1994).
 */
function tellsApart({ rowsPerPiece, pieces }: TableInPieces): boolean {
  return pieces.length <= MOST_PIECES && pieces.length * rowsPerPiece * rowsPerPiece < 2 ** PIECE_SHIFT;
}

/** A kernel whose arguments say where the pieces are. */
function bindToPieces(bind: Bind, name: Parameters<Bind>[0], memory: KernelMemory, table: TableInPieces): BoundKernel {
  const { pieces, rowsPerPiece, ld, stateLd, secondStateLd } = table;
  const kernel = bind(name, wordsOfPieces(pieces.length));
  tell64(kernel.words, RECIPROCAL_WORD, reciprocal(rowsPerPiece));
  for (const [p, piece] of pieces.entries()) {
    const row = p * rowsPerPiece;
    const far = distance(memory, piece.memory);
    const tellTable = (k: number, address: number, stride: number) =>
      tell64(kernel.words, tableOfPieceWord(p, k), far + address - 4 * stride * row);
    tellTable(0, piece.table, ld);
    tellTable(1, piece.state, stateLd);
    tellTable(2, piece.secondState, secondStateLd);
  }
  return kernel;
}

/** An integer of 64 bits with sign, below 2^53 in size, into two words. */
function tell64(words: Uint32Array, at: number, value: number): void {
  words[at] = value;
  words[at + 1] = Math.floor(value / 2 ** 32);
}
