import { weighsByQ } from "../candidate-terms.js";
import { capped, capSlope } from "../soft-cap.js";
import type { LossTile, TileLoss } from "../tile-loss.js";
import type { CheckedProblem } from "./check.js";
import type { Panel } from "./panel.js";
import { leadingDimension, type Workspace } from "./workspace.js";

/** Where the logits of a block come from, and where their gradients go. The block's hidden rows are in space.hidden. */
export interface Tiles {
  /** Fills space.z for the block of R rows that starts at `first`; masked pairs are −∞. Answers the tiles it consists of. */
  forward(first: number, R: number): readonly LossTile[];
  /** From gradients in space.z: writes space.hiddenGradient (R, D) and adds to the gradients of classes. */
  backward(first: number, R: number): void;
}

/** What is added to logits, before a soft cap and in the end, and how often classes count. */
export interface ClassTerms {
  readonly add: Float32Array;
  readonly inner: Float32Array;
  readonly weight: Float32Array | null;
}

/**
 * Every row against the same classes: all of them, or the merged candidates. Two matrix products a block. Labels among them are masked if
 * they are hits to be removed, or if the loss sees them apart although tiles hold every class.
 */
export function sharedTiles(
  problem: CheckedProblem,
  panel: Panel,
  space: Workspace,
  loss: TileLoss,
  terms: ClassTerms,
  classBias: Float64Array | null,
): Tiles {
  const { kernels, memory, C, z } = space;
  const { D } = problem;
  const ids = panel.merged?.ids ?? null;
  const at = ids && new Map(Array.from(ids, (id, c) => [id, c]));
  const positionOf = (id: number): number | undefined => (at ? at.get(id) : id);
  memory.floats(space.add, C).set(terms.add);
  memory.floats(space.inner, C).set(terms.inner);
  if (terms.weight) memory.floats(space.weight, C).set(terms.weight);
  if (panel.candidateRows) {
    memory.ints(space.candidateRows, C).set(panel.candidateRows);
    kernels.rows.gatherRows(space.classes, D, space.panel, D, space.candidateRows, C, D);
  }
  const masksLabels = ids ? problem.spec.accidentalHits === "remove" : !loss.labelsInTiles;
  kernels.matrix.packRight(space.packedClasses, space.classes, D, C, D);

  function mask(first: number, R: number, ld: number): void {
    const { labels, seen } = problem;
    for (let r = 0; r < R; r++) {
      const own = labels.ids.subarray(labels.offsets[first + r], labels.offsets[first + r + 1]);
      const hits = masksLabels ? own : [];
      const others = seen ? seen.ids.subarray(seen.offsets[first + r], seen.offsets[first + r + 1]) : [];
      for (const id of [...hits, ...Array.from(others).filter((id) => !own.includes(id))]) {
        const c = positionOf(id);
        if (c !== undefined) memory.f32[(z >>> 2) + c * ld + r] = -Infinity;
      }
    }
  }

  return {
    forward(first, R) {
      const ld = leadingDimension(R);
      kernels.matrix.packRightTransposed(space.packedColumns, space.hidden, D, D, R);
      kernels.matrix.multiply(z, ld, space.classes, D, 1, space.packedColumns, C, D, R, false);
      mask(first, R, ld);
      const tiles: LossTile[] = [];
      for (let c = 0; c < C; c += space.tileClasses) {
        tiles.push({
          z: z + 4 * c * ld,
          ld,
          C: Math.min(space.tileClasses, C - c),
          scale: space.rows.scale,
          add: space.add + 4 * c,
          inner: space.inner + 4 * c,
          weight: terms.weight ? space.weight + 4 * c : 0,
        });
      }
      return tiles;
    },

    backward(_first, R) {
      const ld = leadingDimension(R);
      kernels.matrix.multiply(space.hiddenGradient, D, z, 1, ld, space.packedClasses, R, C, D, false);
      kernels.matrix.packRight(space.packedRows, space.hidden, D, R, D);
      kernels.matrix.multiply(space.classGradient, D, z, ld, 1, space.packedRows, C, R, D, true);
      if (!classBias) return;
      kernels.tile.sumOverRows(space.rowSums, z, ld, C, R, 0);
      const sums = memory.floats(space.rowSums, C);
      for (let c = 0; c < C; c++) classBias[panel.candidateRows ? panel.candidateRows[c] : c] += sums[c];
    },
  };
}

/** Every row against candidates of its own, slot by slot: one dot product a pair. Terms are (B, S), added element by element. */
export function rowTiles(problem: CheckedProblem, panel: Panel, space: Workspace, terms: ClassTerms): Tiles {
  const { kernels, memory, C: S, z, pairs } = space;
  const { D } = problem;
  const candidateRows = panel.candidateRows as Int32Array;
  const classWeights = weighsByQ(problem.spec) ? terms.weight : null;
  const { softCap } = problem.spec;
  /** (R, S) of the block, with a soft cap: its derivatives. */
  const slopes = softCap > 0 ? new Float32Array(space.R * S) : null;

  function takesPart(row: number, id: number): boolean {
    const { labels, seen, spec } = problem;
    const isLabel = labels.ids.subarray(labels.offsets[row], labels.offsets[row + 1]).includes(id);
    if (isLabel) return spec.accidentalHits === "keep";
    return !seen?.ids.subarray(seen.offsets[row], seen.offsets[row + 1]).includes(id);
  }

  return {
    forward(first, R) {
      const keys = memory.ints(pairs.keys, R * S);
      const hiddenRows = memory.ints(pairs.hiddenRows, R * S);
      for (let j = 0; j < R * S; j++) {
        const r = j % R;
        const slot = (j - r) / R;
        keys[j] = candidateRows[(first + r) * S + slot];
        hiddenRows[j] = r;
      }
      kernels.rows.pairDots(z, space.hidden, D, pairs.hiddenRows, space.panel, D, pairs.keys, R * S, D);
      const logits = memory.floats(z, R * S);
      for (let j = 0; j < R * S; j++) {
        const r = j % R;
        const at = (first + r) * S + (j - r) / R;
        const id = problem.candidates?.ids[at] ?? -1;
        const score = capped(space.rows.scale * logits[j] + terms.inner[at], softCap);
        if (slopes) slopes[r * S + (j - r) / R] = capSlope(score, softCap);
        logits[j] = takesPart(first + r, id) ? score + terms.add[at] : -Infinity;
      }
      if (classWeights) memory.floats(space.weight, S).set(classWeights.subarray(first * S, (first + 1) * S));
      return [{ z, ld: R, C: S, scale: 1, add: 0, inner: 0, weight: classWeights ? space.weight : 0 }];
    },

    backward(first, R) {
      const gradients = memory.floats(z, R * S);
      const weights = memory.floats(pairs.slotWeights, R * S);
      memory.ints(pairs.slotRows, R * S).set(candidateRows.subarray(first * S, (first + R) * S));
      memory.ints(pairs.slotOffsets, R + 1).forEach((_, r, offsets) => {
        offsets[r] = r * S;
      });
      for (let r = 0; r < R; r++) {
        for (let slot = 0; slot < S; slot++) {
          const gradient = gradients[slot * R + r];
          weights[r * S + slot] = slopes && gradient !== 0 ? gradient * slopes[r * S + slot] : gradient;
        }
      }
      const { slotOffsets, slotRows, slotWeights } = pairs;
      const { hiddenGradient } = space;
      kernels.rows.weightedRowSums(hiddenGradient, D, space.panel, D, slotOffsets, slotRows, slotWeights, R, D, false);
    },
  };
}
