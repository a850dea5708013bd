import { NotFiniteError } from "@logq/core";
import { tileFactorOf } from "../counts.js";
import type { LossTile, TileLoss } from "../tile-loss.js";
import type { CheckedProblem } from "./check.js";
import { marginsLogScale, rowsLogScale } from "./log-scale.js";
import { addPairGradients } from "./pairs.js";
import type { Panel } from "./panel.js";
import type { Tiles } from "./tiles.js";
import type { Workspace } from "./workspace.js";

/** Rows shorter than this are divided by it instead of by their length when logits are cosines: they have no direction to speak of. */
export const NORM_EPSILON = 1e-6;

/** Rows [first, first + R) of the batch. */
export interface Block {
  readonly first: number;
  readonly R: number;
}

/** What blocks fill in. The table's gradient gathers in the workspace. */
export interface Answer {
  readonly perExample: Float64Array;
  readonly hiddenGradient: Float32Array;
  /** (U), or null without bias */
  readonly bias: Float64Array | null;
}

/** What is added to the logit of each label, and before a soft cap. */
export interface LabelTerms {
  readonly add: Float32Array;
  readonly inner: Float32Array;
}

/** What all blocks of a computation share. */
export interface BlockContext {
  readonly problem: CheckedProblem;
  readonly panel: Panel;
  readonly space: Workspace;
  readonly loss: TileLoss;
  readonly tiles: Tiles;
  readonly labelTerms: LabelTerms;
  readonly answer: Answer;
}

/** What a block adds to sums over all rows. */
export interface BlockSums {
  readonly loss: number;
  /** All but the biases' part of the derivative by log(1/τ). */
  readonly logScale: number;
}

/** One block of rows through the loss, forward and backward. */
export function walkBlock(context: BlockContext, block: Block): BlockSums {
  const { problem, panel, space, loss, tiles, answer } = context;
  const { D, spec } = problem;
  const { kernels, memory, hidden, hiddenGradient, hiddenNorms } = space;
  const { first, R } = block;
  loadHidden(problem, space, block);
  const labels = loadLabels(context, block);
  const dots = memory.floats(space.positives.dot, labels).slice();
  applyLoss(loss, space, tiles.forward(first, R));
  const total = takeLosses(problem, space, block, answer.perExample);
  tiles.backward(first, R);
  const { offsets, dot } = space.positives;
  kernels.rows.weightedRowSums(hiddenGradient, D, space.panel, D, offsets, space.positiveRows, dot, R, D, true);
  const margins = marginsLogScale(spec, dots, memory.floats(dot, labels));
  const logScale = rowsLogScale(space, R, D) + margins;
  const pairs = collectPairs(problem, panel, space, block, labels);
  addPairGradients(space, pairs, D, panel.U, answer.bias);
  if (spec.normalize) kernels.rows.normalizeRowsBackward(hiddenGradient, D, hidden, D, hiddenNorms, R, D);
  answer.hiddenGradient.set(memory.floats(hiddenGradient, R * D), first * D);
  return { loss: total, logScale };
}

function loadHidden({ hidden, share, D, spec }: CheckedProblem, space: Workspace, { first, R }: Block): void {
  const { kernels, memory, hiddenNorms } = space;
  space.rows.R = R;
  space.rows.first = first;
  memory.floats(space.hidden, R * D).set(hidden.subarray(first * D, (first + R) * D));
  memory.floats(space.rows.weight, R).set(share.subarray(first, first + R));
  if (spec.normalize) {
    kernels.rows.normalizeRows(space.hidden, D, space.hidden, D, hiddenNorms, R, D, NORM_EPSILON);
  }
}

/** Copies the block's labels and computes their dot products. Answers how many there are; their hidden rows are in pairs.hiddenRows. */
function loadLabels({ problem, panel, space, labelTerms }: BlockContext, { first, R }: Block): number {
  const { labels, D } = problem;
  const { kernels, memory, positives, pairs } = space;
  const from = labels.offsets[first];
  const to = labels.offsets[first + R];
  const offsets = memory.ints(positives.offsets, R + 1);
  for (let r = 0; r <= R; r++) offsets[r] = labels.offsets[first + r] - from;
  memory.floats(positives.add, to - from).set(labelTerms.add.subarray(from, to));
  memory.floats(positives.inner, to - from).set(labelTerms.inner.subarray(from, to));
  memory.floats(positives.mass, to - from).set(labels.mass.subarray(from, to));
  memory.ints(space.positiveRows, to - from).set(panel.labelRows.subarray(from, to));
  const hiddenRows = memory.ints(pairs.hiddenRows, to - from);
  for (let r = 0; r < R; r++) hiddenRows.fill(r, offsets[r], offsets[r + 1]);
  countByLabels(problem, space, R);
  const { hidden, positiveRows } = space;
  kernels.rows.pairDots(positives.dot, hidden, D, pairs.hiddenRows, space.panel, D, positiveRows, to - from, D);
  return to - from;
}

/** How often the candidates of each row count, where that follows from its labels. */
function countByLabels({ spec, candidates }: CheckedProblem, { memory, positives, rows }: Workspace, R: number): void {
  if (rows.tileFactor === 0) return;
  const factors = memory.floats(rows.tileFactor, R);
  const offsets = memory.ints(positives.offsets, R + 1);
  const masses = memory.floats(positives.mass, offsets[R]);
  for (let r = 0; r < R; r++) {
    let mass = 0;
    for (let l = offsets[r]; l < offsets[r + 1]; l++) mass += masses[l];
    factors[r] = tileFactorOf(spec, candidates?.S ?? 1) * mass;
  }
}

/** The order of calls that a loss asks for. */
function applyLoss(loss: TileLoss, { rows, positives }: Workspace, tiles: readonly LossTile[]): void {
  if (loss.kind === "pairwise") {
    loss.pairs(tiles[0], positives, rows);
    return;
  }
  loss.begin(rows);
  if (loss.kind === "separable") {
    for (const tile of tiles) loss.tile(tile, rows);
    loss.settle(positives, rows);
    return;
  }
  for (const tile of tiles) loss.partials(tile, rows);
  loss.settle(positives, rows);
  for (const tile of tiles) loss.gradient(tile, rows);
}

function takeLosses(
  { share }: CheckedProblem,
  { memory, rows }: Workspace,
  { first, R }: Block,
  perExample: Float64Array,
): number {
  const losses = memory.doubles(rows.loss, R);
  let sum = 0;
  for (let r = 0; r < R; r++) {
    if (!Number.isFinite(losses[r])) {
      const row = first + r;
      throw new NotFiniteError(`the loss of row ${row} is ${losses[r]}: its logits are too large for float32`, {
        row,
        value: losses[r],
      });
    }
    perExample[first + r] = share[first + r] === 0 ? 0 : losses[r] / share[first + r];
    sum += losses[r];
  }
  return sum;
}

/** Gradients of classes that come from single (row, class) pairs: the labels', and those of per-row candidates. Answers how many. */
function collectPairs(
  problem: CheckedProblem,
  panel: Panel,
  space: Workspace,
  { first, R }: Block,
  labels: number,
): number {
  const { memory, pairs, positives } = space;
  const S = problem.candidates?.perRow ? problem.candidates.S : 0;
  const count = labels + R * S;
  const keys = memory.ints(pairs.keys, count);
  const hiddenRows = memory.ints(pairs.hiddenRows, count);
  const weights = memory.floats(pairs.weights, count);
  const offsets = memory.ints(positives.offsets, R + 1);
  keys.set(memory.ints(space.positiveRows, labels));
  weights.set(memory.floats(positives.dot, labels));
  for (let r = 0; r < R; r++) {
    hiddenRows.fill(r, offsets[r], offsets[r + 1]);
    hiddenRows.fill(r, labels + r * S, labels + (r + 1) * S);
  }
  if (S > 0 && panel.candidateRows) {
    keys.set(panel.candidateRows.subarray(first * S, (first + R) * S), labels);
    weights.set(memory.floats(pairs.slotWeights, R * S), labels);
  }
  return count;
}
