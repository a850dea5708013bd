import type { Kernels } from "@logq/kernels";
import {
  bestPaths,
  type ClassTree,
  createTileLoss,
  type LossPositives,
  type LossRows,
  lossDefaults,
  type SeparableLoss,
} from "@logq/losses";
import { rowOfClass } from "../table/lanes.js";
import type { TableRows } from "../table/table-rows.js";
import { Evaluation, type EvaluationGoals } from "./evaluation.js";
import type { FullWalk } from "./full-walk.js";
import type { EngineLayout } from "./layout.js";
import { lossRows } from "./loss-state.js";
import { firstNotBelow } from "./mask.js";
import { type EngineSpec, rowsPerBlock } from "./spec.js";

/**
 * Evaluation where classes hang in a tree, without a walk over them: the loss of a label is that of its path, and the best classes are found by best-first
 * search from the root. Exact, both; a row costs the nodes that are asked.
 */
export class PathEvaluation extends Evaluation {
  readonly #kernels: Kernels;
  readonly #spec: EngineSpec;
  readonly #layout: EngineLayout;
  readonly #walk: FullWalk;
  readonly #table: TableRows;
  readonly #tree: ClassTree;
  readonly #loss: SeparableLoss;
  readonly #rows: LossRows;
  readonly #positives: LossPositives = { offsets: 0, dot: 0, add: 0, inner: 0, mass: 0, pull: 0 };

  constructor(
    kernels: Kernels,
    spec: EngineSpec,
    layout: EngineLayout,
    walk: FullWalk,
    table: TableRows,
    tree: ClassTree,
  ) {
    super(kernels, spec, layout, walk);
    this.#kernels = kernels;
    this.#spec = spec;
    this.#layout = layout;
    this.#walk = walk;
    this.#table = table;
    this.#tree = tree;
    const { spec: loss } = lossDefaults("hierarchical-softmax");
    this.#loss = createTileLoss(kernels, loss, tree.n) as SeparableLoss;
    this.#rows = lossRows(spec.scale);
  }

  /** No class is walked past. */
  override classUnits(): number {
    return 0;
  }

  override fold(unit: number, goals: EvaluationGoals): void {
    const { evaluationBatch: batch } = this.#layout;
    const size = rowsPerBlock(this.#spec.evaluationRows);
    const first = unit * size;
    const R = Math.min(size, this.rowsOfBatch - first);
    if (goals.loss) {
      this.#walk.pointAtLane(this.#rows, 0, first, R, batch);
      this.#walk.pointAtLabels(this.#positives, first, batch);
      this.#loss.settle(this.#positives, this.#rows);
    }
    if (goals.k > 0) for (let r = first; r < first + R; r++) this.#rank(r, goals);
  }

  /** Log-probabilities stand where others have logits. */
  #rank(row: number, { k, maskExcluded }: EvaluationGoals): void {
    const { i32, f32 } = this.#kernels.memory;
    const { evaluationBatch, rankedIds, rankedValues } = this.#layout;
    const offsets = evaluationBatch.maskOffsets >>> 2;
    const masked = maskExcluded && offsets !== 0;
    const from = masked ? i32[offsets + row] : 0;
    const count = masked ? i32[offsets + row + 1] - from : 0;
    const excluded = (evaluationBatch.maskPositions >>> 2) + from;
    const isLeftOut = (id: number) => {
      const at = firstNotBelow(i32, excluded, count, id);
      return at < count && i32[excluded + at] === id;
    };
    const best = bestPaths(this.#tree, (node) => this.#logit(row, node), k, isLeftOut);
    i32.set(best.ids, (rankedIds >>> 2) + row * k);
    f32.set(best.logProbabilities, (rankedValues >>> 2) + row * k);
  }

  #logit(row: number, node: number): number {
    const { i32, f32 } = this.#kernels.memory;
    const { address, ld } = this.#walk.hidden;
    const { add } = this.#walk.scratch;
    const place = rowOfClass(this.#spec.table, node);
    // The place of the node, and behind it the product.
    i32[add >>> 2] = place;
    this.#table.dots(add + 16, address + 4 * ld * row, add, 1);
    const { bias } = this.#layout.table;
    return this.#spec.scale * (f32[(add + 16) >>> 2] + (bias === 0 ? 0 : f32[(bias >>> 2) + place]));
  }
}
