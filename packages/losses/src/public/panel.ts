import { OptionError } from "@logq/core";
import type { CheckedCandidates, CheckedProblem } from "./check.js";

/** Candidates shared by all rows with duplicates merged: C distinct classes, ascending. */
export interface MergedCandidates {
  readonly ids: Int32Array;
  readonly multiplicity: Int32Array;
  readonly logQ: Float64Array | null;
}

/** The class rows that a problem touches, in one panel: U distinct classes, ascending. Everything else names rows of the panel. */
export interface Panel {
  readonly U: number;
  /** null: the panel is the whole table. */
  readonly ids: Int32Array | null;
  /** Panel row of each label. */
  readonly labelRows: Int32Array;
  /** Shared candidates; null for full losses and per-row candidates. */
  readonly merged: MergedCandidates | null;
  /** Panel rows of merged candidates (C) or of per-row candidates (B, S); null for full losses. */
  readonly candidateRows: Int32Array | null;
}

export function makePanel({ labels, candidates, n }: CheckedProblem): Panel {
  if (!candidates) return { U: n, ids: null, labelRows: labels.ids, merged: null, candidateRows: null };
  const merged = candidates.perRow ? null : mergeCandidates(candidates);
  const wanted = merged ? merged.ids : candidates.ids;
  const ids = sortedDistinct([...labels.ids, ...wanted]);
  const rowOf = new Map(Array.from(ids, (id, row) => [id, row]));
  const rowsOf = (list: Int32Array) => list.map((id) => rowOf.get(id) as number);
  return { U: ids.length, ids, labelRows: rowsOf(labels.ids), merged, candidateRows: rowsOf(wanted) };
}

/** Throws OptionError if two draws of one class differ in log Q: it is a fact of the class, not of the draw. */
function mergeCandidates({ ids: drawn, logQ }: CheckedCandidates): MergedCandidates {
  const ids = sortedDistinct(drawn);
  const at = new Map(Array.from(ids, (id, c) => [id, c]));
  const multiplicity = new Int32Array(ids.length);
  const mergedLogQ = logQ ? new Float64Array(ids.length) : null;
  for (let j = 0; j < drawn.length; j++) {
    const c = at.get(drawn[j]) as number;
    if (logQ && mergedLogQ) {
      if (multiplicity[c] > 0 && mergedLogQ[c] !== logQ[j]) {
        throw new OptionError(`class ${drawn[j]} was drawn with log Q ${mergedLogQ[c]} and with ${logQ[j]}`, {
          id: drawn[j],
          logQ: [mergedLogQ[c], logQ[j]],
        });
      }
      mergedLogQ[c] = logQ[j];
    }
    multiplicity[c]++;
  }
  return { ids, multiplicity, logQ: mergedLogQ };
}

function sortedDistinct(ids: Iterable<number>): Int32Array {
  return Int32Array.from(new Set(ids)).sort();
}
