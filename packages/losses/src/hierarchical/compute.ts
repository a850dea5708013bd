import { requireAllFinite, requireInteger, requireLength } from "@logq/core";
import type { CompiledKernels } from "@logq/kernels";
import { checkTargetRows, countRows } from "../adaptive/target-rows.js";
import { openSpace, REFERENCE } from "../sized-kernels.js";
import type { ClassTree } from "./class-tree.js";
import type { NodeGradients } from "./hierarchical-softmax.js";
import { type PathSpace, reservePaths } from "./path-space.js";
import { PathWalk } from "./path-walk.js";

/** A hierarchical softmax on H (B, D). Nothing given is written to or kept. */
export interface HierarchicalProblem {
  readonly tree: ClassTree;
  readonly D: number;
  /** (B, D), finite */
  readonly hidden: Float32Array;
  /** (n − 1, D): a row for each node. Only rows on paths of targets are read, and must be finite. */
  readonly table: Float32Array;
  /** (n − 1), likewise. Absent: no biases. */
  readonly biases?: Float32Array;
  /** (B): one class a row, where `ignoreIndex` means that the row is ignored. */
  readonly targets: ArrayLike<number>;
  /** Default −1. */
  readonly ignoreIndex?: number;
  /** (B), >= 0. Default 1 each. The loss is the mean over rows that are not ignored, weighted by these. */
  readonly exampleWeights?: ArrayLike<number>;
}

export interface HierarchicalAnswer {
  /** The weighted mean of perExample, in nats; 0 if every row is ignored. e^loss is a perplexity. */
  readonly loss: number;
  /** (B): −log p(target) of each row, without its weight; 0 in rows that are ignored or weigh 0. */
  readonly perExample: Float64Array;
  /** (B, D): dloss/dH */
  readonly hiddenGradient: Float32Array;
  /** dloss/dV and dloss/db of the nodes on paths of targets. */
  readonly gradients: NodeGradients;
}

/**
 * The hierarchical softmax loss and its gradients with respect to H, V and b, in a memory of its own that holds the touched nodes alone: O(B·depth·D),
 * whatever n is.
 *
 * @throws ShapeError, ClassIdError, NotFiniteError, EmptyInputError, OptionError or MemoryLimitError, each with the values at fault
 */
export function computeHierarchicalLoss(
  problem: HierarchicalProblem,
  options: { readonly backend?: CompiledKernels } = {},
): HierarchicalAnswer {
  const { tree, hidden, table, biases } = problem;
  const D = requireInteger("D", problem.D, 1);
  const B = countRows("hidden", hidden, D);
  requireAllFinite("hidden", hidden);
  requireLength("table", table.length, (tree.n - 1) * D, "(n − 1, D)");
  if (biases) requireLength("biases", biases.length, tree.n - 1, "(n − 1)");
  const { ignoreIndex = -1, exampleWeights } = problem;
  const { targets, share } = checkTargetRows(problem.targets, exampleWeights, ignoreIndex, B, tree.n);
  const { ids, pairs } = touchedNodes(tree, targets);
  const sizes = { D, B, nodes: ids.length, pairs, bias: biases !== undefined };
  const { kernels, space } = openSpace(options.backend ?? REFERENCE, (plan, sizing) =>
    reservePaths(plan, sizes, sizing),
  );
  kernels.vector.copyIn(space.hidden, hidden);
  loadNodes(problem, ids, kernels.memory.f32, space);
  const rows = new Map(Array.from(ids, (node, row) => [node, row]));
  const walk = new PathWalk(kernels, space);
  walk.load(tree, targets, (node) => rows.get(node) as number);
  const logP = new Float64Array(B);
  walk.forward(logP);
  const U = walk.backward(share);
  const perExample = logP.map((value) => (value === 0 ? 0 : -value));
  return {
    loss: perExample.reduce((sum, value, r) => sum + share[r] * value, 0),
    perExample,
    hiddenGradient: kernels.memory.floats(space.hiddenGradient, B * D).slice(),
    gradients: {
      ids,
      rows: kernels.memory.floats(space.tableGradient, U * D).slice(),
      biases: biases ? kernels.memory.floats(space.biasGradient, U).slice() : null,
    },
  };
}

/** The distinct nodes on paths of targets, ascending, and how many (row, node) pairs there are. */
function touchedNodes({ offsets, nodes }: ClassTree, targets: Int32Array): { ids: Int32Array; pairs: number } {
  const touched = new Set<number>();
  let pairs = 0;
  for (const id of targets) {
    if (id < 0) continue;
    for (let i = offsets[id]; i < offsets[id + 1]; i++) touched.add(nodes[i]);
    pairs += offsets[id + 1] - offsets[id];
  }
  return { ids: Int32Array.from(touched).sort(), pairs };
}

function loadNodes({ table, biases, D }: HierarchicalProblem, ids: Int32Array, f32: Float32Array, to: PathSpace): void {
  ids.forEach((node, row) => {
    const values = table.subarray(node * D, (node + 1) * D);
    requireAllFinite(`row ${node} of table`, values);
    f32.set(values, (to.table >>> 2) + row * D);
    if (!biases) return;
    requireAllFinite(`the bias of node ${node}`, [biases[node]]);
    f32[(to.biases >>> 2) + row] = biases[node];
  });
}
