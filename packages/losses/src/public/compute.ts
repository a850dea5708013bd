import { candidateTerms, type TermVectors } from "../candidate-terms.js";
import { createTileLoss } from "../create.js";
import { type Answer, type BlockContext, type LabelTerms, NORM_EPSILON, walkBlock } from "./block.js";
import { type CheckedProblem, checkProblem } from "./check.js";
import { biasLogScale } from "./log-scale.js";
import { addRows } from "./pairs.js";
import { makePanel, type Panel } from "./panel.js";
import type { ComputeOptions, LossAnswer, LossProblem } from "./problem.js";
import { type ClassTerms, rowTiles, sharedTiles } from "./tiles.js";
import { createWorkspace, type Workspace } from "./workspace.js";

/**
 * The loss of (H, W) and its gradients with respect to H, W and b: ask once, get everything. It runs the same functions on tiles as
 * training does, in a memory of its own, block of rows by block of rows; a B x n matrix is never made. Candidate losses answer with
 * gradients of the rows they touched and never with n of them.
 *
 * Throws ShapeError, ClassIdError, NotFiniteError, MissingLogQError, EmptyInputError, OptionError or MemoryLimitError, each with the
 * values at fault.
 */
export function computeLoss(problem: LossProblem, options: ComputeOptions = {}): LossAnswer {
  const checked = checkProblem(problem);
  const panel = makePanel(checked);
  const space = createWorkspace(checked, panel, options);
  const { B, D } = checked;
  const answer: Answer = {
    perExample: new Float64Array(B),
    hiddenGradient: new Float32Array(B * D),
    bias: checked.bias ? new Float64Array(panel.U) : null,
  };
  loadPanel(checked, panel, space);
  const { labels, others } = termsOf(checked, panel);
  const loss = createTileLoss(space.kernels, checked.spec, checked.n, checked.candidates?.perRow);
  const tiles = checked.candidates?.perRow
    ? rowTiles(checked, panel, space, others)
    : sharedTiles(checked, panel, space, loss, others, answer.bias);
  const context: BlockContext = { problem: checked, panel, space, loss, tiles, labelTerms: labels, answer };
  let total = 0;
  let logScale = 0;
  for (let first = 0; first < B; first += space.R) {
    const sums = walkBlock(context, { first, R: Math.min(space.R, B - first) });
    total += sums.loss;
    logScale += sums.logScale;
  }
  finishPanel(checked, panel, space);
  return {
    loss: total,
    perExample: answer.perExample,
    hiddenGradient: answer.hiddenGradient,
    tableGradient: { ids: panel.ids, rows: space.memory.floats(space.panelGradient, panel.U * D).slice() },
    biasGradient: answer.bias && Float32Array.from(answer.bias),
    logScaleGradient: logScale + biasLogScale(checked, panel, answer.bias),
  };
}

interface Terms {
  /** (labels) */
  readonly labels: LabelTerms;
  /** (C), or (B, S) per row */
  readonly others: ClassTerms;
}

/** What is added to the logits of labels and candidates, and how often candidates count. */
function termsOf({ spec, bias, labels, candidates, n }: CheckedProblem, panel: Panel): Terms {
  const biasOf = (ids: Int32Array | null) => bias && (ids ? Float32Array.from(ids, (id) => bias[id]) : bias);
  const vectors = (ids: Int32Array | null, logQ: Float64Array | null): TermVectors & { inner: Float32Array } => {
    const to = ids ? ids.length : n;
    const empty = { add: new Float32Array(to), inner: new Float32Array(to), weight: new Float32Array(to) };
    return { from: 0, to, bias: biasOf(ids), logQ, multiplicity: null, ...empty };
  };
  const ofLabels = vectors(labels.ids, labels.logQ);
  const drawn = panel.merged ?? candidates;
  const others = vectors(drawn?.ids ?? null, drawn?.logQ ?? null);
  if (panel.merged) others.multiplicity = panel.merged.multiplicity;
  candidateTerms(spec, "label", ofLabels);
  candidateTerms(spec, "candidate", others);
  const { add, inner, weight } = others;
  return { labels: ofLabels, others: { add, inner, weight: drawn ? weight : null } };
}

/** Copies the class rows into the panel, at length 1 if logits are cosines. */
function loadPanel(
  { table, D, spec }: CheckedProblem,
  { ids, U }: Panel,
  { kernels, memory, ...space }: Workspace,
): void {
  const rows = memory.floats(space.panel, U * D);
  for (let u = 0; u < U; u++) {
    const id = ids ? ids[u] : u;
    rows.set(table.subarray(id * D, (id + 1) * D), u * D);
  }
  if (spec.normalize) {
    kernels.rows.normalizeRows(space.panel, D, space.panel, D, space.panelNorms, U, D, NORM_EPSILON);
  }
}

/** Joins the candidates' gradients to the panel's and carries them back through the normalisation. */
function finishPanel({ D, spec }: CheckedProblem, { U, candidateRows, merged }: Panel, space: Workspace): void {
  if (candidateRows && merged) addRows(space, space.classGradient, candidateRows, D);
  if (spec.normalize) {
    const { panelGradient, panel, panelNorms } = space;
    space.kernels.rows.normalizeRowsBackward(panelGradient, D, panel, D, panelNorms, U, D);
  }
}
