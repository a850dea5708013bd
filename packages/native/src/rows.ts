import type { RowKernels } from "@logq/kernels";
import { rowsAhead } from "./ahead.js";
import type { Bind } from "./bind.js";
import { RESULT_DOUBLE } from "./generate/rows/squares.js";

/** Kernels on rows of tables, over one memory. */
export function nativeRows(bind: Bind): RowKernels {
  return {
    ...nativeCopies(bind),
    ...nativeSums(bind),
    ...nativeNorms(bind),
    ...nativeBlocks(bind),
  };
}

function nativeCopies(bind: Bind): Pick<RowKernels, "gatherRows" | "scatterRows"> {
  const gather = bind("gatherRows");
  const scatter = bind("scatterRows");
  const copy = (
    { words, run }: typeof gather,
    table: number,
    ldTable: number,
    indices: number,
    rows: number,
    ldRows: number,
    count: number,
    D: number,
  ) => {
    words[2] = table;
    words[3] = 4 * ldTable;
    words[4] = indices;
    words[5] = rows;
    words[6] = 4 * ldRows;
    words[7] = count;
    words[8] = 4 * D;
    words[9] = rowsAhead(1, D);
    run();
  };
  return {
    gatherRows: (out, ldOut, table, ldTable, indices, count, D) =>
      copy(gather, table, ldTable, indices, out, ldOut, count, D),
    scatterRows: (table, ldTable, indices, source, ldSource, count, D) =>
      copy(scatter, table, ldTable, indices, source, ldSource, count, D),
  };
}

function nativeSums(bind: Bind): Pick<RowKernels, "weightedRowSums" | "pairDots"> {
  const sums = bind("weightedRowSums");
  const dots = bind("pairDots");
  const { words: s } = sums;
  const { words: d } = dots;
  return {
    weightedRowSums(out, ldOut, source, ldSource, offsets, indices, weights, count, D, accumulate) {
      s[2] = out;
      s[3] = 4 * ldOut;
      s[4] = source;
      s[5] = 4 * ldSource;
      s[6] = offsets;
      s[7] = indices;
      s[8] = weights;
      s[9] = count;
      s[10] = 4 * D;
      s[11] = rowsAhead(1, D);
      s[12] = accumulate ? 1 : 0;
      sums.run();
    },

    pairDots(out, a, ldA, aIndices, b, ldB, bIndices, count, D) {
      d[2] = out;
      d[3] = a;
      d[4] = 4 * ldA;
      d[5] = aIndices;
      d[6] = b;
      d[7] = 4 * ldB;
      d[8] = bIndices;
      d[9] = count;
      d[10] = 4 * D;
      d[11] = rowsAhead(aIndices !== 0 && bIndices !== 0 ? 2 : 1, D);
      dots.run();
    },
  };
}

function nativeNorms(bind: Bind): Pick<RowKernels, "scaleRows" | "normalizeRows" | "normalizeRowsBackward"> {
  const scale = bind("scaleRows");
  const forward = bind("normalizeRows");
  const backward = bind("normalizeRowsBackward");
  /** What all three are told: two blocks of rows, a vector with an element a row, and sizes. */
  const tell = (
    { words }: typeof scale,
    first: number,
    ldFirst: number,
    second: number,
    ldSecond: number,
    perRow: number,
    rows: number,
    D: number,
  ) => {
    words[2] = first;
    words[3] = 4 * ldFirst;
    words[4] = second;
    words[5] = 4 * ldSecond;
    words[6] = perRow;
    words[7] = rows;
    words[8] = 4 * D;
  };
  return {
    scaleRows(out, ldOut, source, ldSource, factor, rows, D) {
      tell(scale, out, ldOut, source, ldSource, factor, rows, D);
      scale.run();
    },

    normalizeRows(out, ldOut, source, ldSource, norms, rows, D, epsilon) {
      tell(forward, out, ldOut, source, ldSource, norms, rows, D);
      forward.floats[9] = epsilon;
      forward.run();
    },

    normalizeRowsBackward(gradient, ld, unit, ldUnit, norms, rows, D) {
      tell(backward, gradient, ld, unit, ldUnit, norms, rows, D);
      backward.run();
    },
  };
}

function nativeBlocks(bind: Bind): Pick<RowKernels, "sumOfSquares" | "allFinite"> {
  const squares = bind("sumOfSquares");
  const finite = bind("allFinite");
  /** Rows without gaps are one long row. */
  const tell = ({ words }: typeof squares, source: number, ld: number, rows: number, D: number) => {
    const flat = ld === D;
    words[2] = source;
    words[3] = 4 * ld;
    words[4] = flat ? 1 : rows;
    words[5] = flat ? 4 * D * rows : 4 * D;
  };
  return {
    sumOfSquares(source, ld, rows, D) {
      tell(squares, source, ld, rows, D);
      squares.run();
      return squares.doubles[RESULT_DOUBLE]!;
    },

    allFinite(source, ld, rows, D) {
      tell(finite, source, ld, rows, D);
      return finite.run() !== 0;
    },
  };
}
