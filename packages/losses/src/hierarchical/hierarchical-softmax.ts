import { requireAllFinite, requireInteger, requireLength } from "@logq/core";
import type { Address, CompiledKernels, Kernels, MemoryPlan } from "@logq/kernels";
import { leadingDimension } from "../adaptive/space.js";
import { requireTargets } from "../adaptive/target-rows.js";
import { openSpace, REFERENCE } from "../sized-kernels.js";
import { allPaths } from "./all-paths.js";
import { bestPaths } from "./best-paths.js";
import type { ClassTree } from "./class-tree.js";
import { type PathSpace, reservePaths } from "./path-space.js";
import { PathWalk } from "./path-walk.js";

/** Rows whose log-probabilities of all classes are computed at once. */
const EVALUATION_ROWS = 8;

export interface HierarchicalOptions {
  /** Width of the hidden vector. */
  readonly D: number;
  /** Most rows of a batch. */
  readonly B: number;
  /** Whether nodes have biases. Default false, like word2vec. */
  readonly bias?: boolean;
  /** From `compileKernels`. Default: the reference back-end. */
  readonly backend?: CompiledKernels;
}

/** Where everything lies in kernel memory. */
export interface HierarchicalSpace extends PathSpace {
  /** (n − 1, ld of 8 rows): logits of every node, for `logProbabilities` */
  readonly allLogits: Address;
  readonly packedHidden: Address;
}

/** Reserves everything for a tree. `sizing` is the back-end that will run here, bound to any memory. */
export function reserveHierarchical(
  plan: MemoryPlan,
  { n, depth }: ClassTree,
  { D, B, bias = false }: HierarchicalOptions,
  sizing: Kernels,
): HierarchicalSpace {
  requireInteger("D", D, 1);
  requireInteger("B", B, 1);
  return {
    ...reservePaths(plan, { D, B, nodes: n - 1, pairs: B * depth, bias }, sizing),
    allLogits: plan.reserve("logits of all nodes", 4 * (n - 1) * leadingDimension(EVALUATION_ROWS)),
    packedHidden: plan.reserve("packed hidden", sizing.matrix.packedBytes(D, EVALUATION_ROWS)),
  };
}

/** Gradients of the nodes that a batch touched; of all others they are 0. */
export interface NodeGradients {
  /** (U): nodes, ascending */
  readonly ids: Int32Array;
  /** (U, D): dloss/dV */
  readonly rows: Float32Array;
  /** (U): dloss/db; null without biases */
  readonly biases: Float32Array | null;
}

export interface HierarchicalTopK {
  /** (B, k): classes, the most probable first; of equal ones the lower id */
  readonly ids: Int32Array;
  /** (B, k): natural logs */
  readonly logProbabilities: Float64Array;
  /** (B): how many nodes were asked for each row */
  readonly nodesAsked: Int32Array;
}

/**
 * Hierarchical softmax over a ClassTree: a row costs one dot product for each decision on the path of its target, D·depth, whatever n is, and its
 * gradients touch the nodes of that path alone. Probabilities sum to 1 by construction.
 */
export class HierarchicalSoftmax {
  readonly kernels: Kernels;
  readonly space: HierarchicalSpace;
  readonly tree: ClassTree;
  readonly #walk: PathWalk;
  #touched = 0;

  /** Over a memory that `reserveHierarchical` has laid out for the same tree. */
  constructor(kernels: Kernels, space: HierarchicalSpace, tree: ClassTree) {
    this.kernels = kernels;
    this.space = space;
    this.tree = tree;
    this.#walk = new PathWalk(kernels, space);
  }

  /** In a memory of its own, parameters all 0. Throws OptionError or MemoryLimitError. */
  static create(tree: ClassTree, options: HierarchicalOptions): HierarchicalSoftmax {
    const { kernels, space } = openSpace(options.backend ?? REFERENCE, (plan, sizing) =>
      reserveHierarchical(plan, tree, options, sizing),
    );
    return new HierarchicalSoftmax(kernels, space, tree);
  }

  /** Copies in the node table (n − 1, D), and biases (n − 1) or null. Throws ShapeError or NotFiniteError. */
  setParameters(table: Float32Array, biases: Float32Array | null = null): void {
    const { D, nodes, bias, table: at, biases: biasesAt } = this.space;
    requireLength("table", table.length, nodes * D, "(n − 1, D)");
    requireLength("biases", biases?.length ?? 0, bias ? nodes : 0, bias ? "(n − 1)" : "none");
    requireAllFinite("table", table);
    if (biases) requireAllFinite("biases", biases);
    if (nodes === 0) return;
    this.kernels.vector.copyIn(at, table);
    if (biases) this.kernels.vector.copyIn(biasesAt, biases);
  }

  /** Copies the hidden vectors of a batch in: (B, D), B at most what the object was made for. Answers B. Throws OptionError or NotFiniteError. */
  setHidden(hidden: Float32Array): number {
    const B = requireInteger("rows of hidden", hidden.length / this.space.D, 1, this.space.B);
    requireAllFinite("hidden", hidden);
    this.kernels.vector.copyIn(this.space.hidden, hidden);
    return B;
  }

  /**
   * Log-probabilities of targets of the rows in space.hidden, and no gradients.
   * @param targets (B): classes, or −1 in rows that are left out
   * @param logP (B), written to: natural logs; 0 in rows that are left out
   * @throws NotFiniteError if logits overflow, with the row; ClassIdError
   */
  targetLogProbabilities(targets: Int32Array, logP: Float64Array): void {
    requireInteger("rows of targets", targets.length, 1, this.space.B);
    requireLength("logP", logP.length, targets.length, "(B)");
    requireTargets(targets, this.tree.n);
    this.#walk.load(this.tree, targets, (node) => node);
    this.#walk.forward(logP);
  }

  /** Log-probabilities of targets, and the gradients of −Σ_r coefficients[r]·logP[r]: see `gradients` and `hiddenGradient`. coefficients (B). */
  lossAndGradients(targets: Int32Array, coefficients: Float32Array, logP: Float64Array): void {
    requireLength("coefficients", coefficients.length, targets.length, "(B)");
    this.targetLogProbabilities(targets, logP);
    this.#touched = this.#walk.backward(coefficients);
  }

  /** A copy of the gradients of the last `lossAndGradients`. */
  gradients(): NodeGradients {
    const { memory } = this.kernels;
    const { D, keys, tableGradient, bias, biasGradient } = this.space;
    const U = this.#touched;
    return {
      ids: memory.ints(keys, U).slice(),
      rows: memory.floats(tableGradient, U * D).slice(),
      biases: bias ? memory.floats(biasGradient, U).slice() : null,
    };
  }

  /** A copy of dloss/dH of the last `lossAndGradients`, (B, D). */
  hiddenGradient(B: number): Float32Array {
    return this.kernels.memory.floats(this.space.hiddenGradient, B * this.space.D).slice();
  }

  /** Log-probabilities of every class for the first B rows in space.hidden: (B, n). O(B·n·D), for evaluation. */
  logProbabilities(B: number): Float32Array {
    const { n } = this.tree;
    const { f32 } = this.kernels.memory;
    const { allLogits, biases } = this.space;
    const out = new Float32Array(B * n);
    for (let r = 0; r < B; r++) {
      const block = r % EVALUATION_ROWS;
      const ld = leadingDimension(Math.min(EVALUATION_ROWS, B - r + block));
      if (block === 0) this.#allLogits(r, Math.min(EVALUATION_ROWS, B - r));
      const logitOf = (node: number) =>
        f32[(allLogits >>> 2) + node * ld + block] + (biases === 0 ? 0 : f32[(biases >>> 2) + node]);
      allPaths(this.tree, logitOf, out, r * n);
    }
    return out;
  }

  /** The k most probable classes of each of the first B rows in space.hidden, exactly, by best-first search from the root. k in [1, n]. */
  topK(B: number, k: number): HierarchicalTopK {
    requireInteger("B", B, 1, this.space.B);
    requireInteger("k", k, 1, this.tree.n);
    const answer = {
      ids: new Int32Array(B * k),
      logProbabilities: new Float64Array(B * k),
      nodesAsked: new Int32Array(B),
    };
    for (let r = 0; r < B; r++) {
      const best = bestPaths(this.tree, (node) => this.#logit(r, node), k);
      answer.ids.set(best.ids, r * k);
      answer.logProbabilities.set(best.logProbabilities, r * k);
      answer.nodesAsked[r] = best.nodesAsked;
    }
    return answer;
  }

  /** Logits of all nodes for R rows from `first` on, without biases: [node][row]. */
  #allLogits(first: number, R: number): void {
    const { matrix } = this.kernels;
    const { D, nodes, hidden, table, allLogits, packedHidden } = this.space;
    matrix.packRightTransposed(packedHidden, hidden + 4 * first * D, D, D, R);
    matrix.multiply(allLogits, leadingDimension(R), table, D, 1, packedHidden, nodes, D, R, false);
  }

  /** h·v + b, summed in float64. */
  #logit(row: number, node: number): number {
    const { f32 } = this.kernels.memory;
    const { D, hidden, table, biases } = this.space;
    const h = (hidden >>> 2) + row * D;
    const v = (table >>> 2) + node * D;
    let sum = biases === 0 ? 0 : f32[(biases >>> 2) + node];
    for (let d = 0; d < D; d++) sum += f32[h + d] * f32[v + d];
    return sum;
  }
}
