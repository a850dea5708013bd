import type { RowKernels } from "../interface/rows.js";
import type { KernelMemory } from "../memory.js";

/** Rows of tables, one element after the other. Element numbers are plain numbers, so tables may lie anywhere in 4 GiB. */
export function referenceRows({ f32, i32 }: KernelMemory): RowKernels {
  /** The row that position j of an optional index vector names. */
  function rowAt(indices: number, j: number): number {
    return indices === 0 ? j : i32[(indices >>> 2) + j]!;
  }

  function dot(a: number, b: number, D: number): number {
    let sum = 0;
    for (let d = 0; d < D; d++) sum += f32[a + d]! * f32[b + d]!;
    return sum;
  }

  function copyRow(to: number, from: number, D: number): void {
    for (let d = 0; d < D; d++) f32[to + d] = f32[from + d]!;
  }

  return {
    gatherRows(out, ldOut, table, ldTable, indices, count, D) {
      for (let j = 0; j < count; j++) {
        copyRow((out >>> 2) + j * ldOut, (table >>> 2) + rowAt(indices, j) * ldTable, D);
      }
    },

    scatterRows(table, ldTable, indices, source, ldSource, count, D) {
      for (let j = 0; j < count; j++) {
        copyRow((table >>> 2) + rowAt(indices, j) * ldTable, (source >>> 2) + j * ldSource, D);
      }
    },

    weightedRowSums(out, ldOut, source, ldSource, offsets, indices, weights, count, D, accumulate) {
      for (let u = 0; u < count; u++) {
        const start = i32[(offsets >>> 2) + u]!;
        const end = i32[(offsets >>> 2) + u + 1]!;
        for (let d = 0; d < D; d++) {
          const at = (out >>> 2) + u * ldOut + d;
          let sum = accumulate ? f32[at]! : 0;
          for (let j = start; j < end; j++) {
            const weight = weights === 0 ? 1 : f32[(weights >>> 2) + j]!;
            sum += weight * f32[(source >>> 2) + rowAt(indices, j) * ldSource + d]!;
          }
          f32[at] = sum;
        }
      }
    },

    pairDots(out, a, ldA, aIndices, b, ldB, bIndices, count, D) {
      for (let j = 0; j < count; j++) {
        const rowA = (a >>> 2) + rowAt(aIndices, j) * ldA;
        const rowB = (b >>> 2) + rowAt(bIndices, j) * ldB;
        f32[(out >>> 2) + j] = dot(rowA, rowB, D);
      }
    },

    scaleRows(out, ldOut, source, ldSource, factor, rows, D) {
      for (let i = 0; i < rows; i++) {
        const by = f32[(factor >>> 2) + i]!;
        for (let d = 0; d < D; d++) {
          f32[(out >>> 2) + i * ldOut + d] = by * f32[(source >>> 2) + i * ldSource + d]!;
        }
      }
    },

    normalizeRows(out, ldOut, source, ldSource, norms, rows, D, epsilon) {
      for (let i = 0; i < rows; i++) {
        const from = (source >>> 2) + i * ldSource;
        const norm = Math.max(Math.sqrt(dot(from, from, D)), epsilon);
        f32[(norms >>> 2) + i] = norm;
        for (let d = 0; d < D; d++) f32[(out >>> 2) + i * ldOut + d] = f32[from + d]! / norm;
      }
    },

    normalizeRowsBackward(gradient, ld, unit, ldUnit, norms, rows, D) {
      for (let i = 0; i < rows; i++) {
        const g = (gradient >>> 2) + i * ld;
        const u = (unit >>> 2) + i * ldUnit;
        const along = dot(u, g, D);
        const norm = f32[(norms >>> 2) + i]!;
        for (let d = 0; d < D; d++) f32[g + d] = (f32[g + d]! - f32[u + d]! * along) / norm;
      }
    },

    sumOfSquares(source, ld, rows, D) {
      let sum = 0;
      for (let i = 0; i < rows; i++) {
        const row = (source >>> 2) + i * ld;
        sum += dot(row, row, D);
      }
      return sum;
    },

    allFinite(source, ld, rows, D) {
      for (let i = 0; i < rows; i++) {
        for (let d = 0; d < D; d++) {
          if (!Number.isFinite(f32[(source >>> 2) + i * ld + d])) return false;
        }
      }
      return true;
    },
  };
}
