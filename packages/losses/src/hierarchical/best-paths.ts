import type { ClassTree } from "./class-tree.js";

/** The most probable classes of one row, and how many nodes had to be asked. */
export interface BestPaths {
  /** (k), the most probable first; of equal ones the lower id; −1 at the end where not as many are left */
  readonly ids: Int32Array;
  /** (k): natural logs; −∞ where there is no class */
  readonly logProbabilities: Float64Array;
  readonly nodesAsked: number;
}

/**
 * The k most probable classes, by best-first search: what lies under a node is never more probable than the node, so the most probable open node or
 * class is always next, and the first k classes that come are the best. Exact.
 * @param logitOf h·v + b of a node; asked once for each node that is opened
 * @param k in [1, n]
 * @param isLeftOut whether a class takes no part
 */
export function bestPaths(
  tree: ClassTree,
  logitOf: (node: number) => number,
  k: number,
  isLeftOut: (id: number) => boolean = () => false,
): BestPaths {
  const { n, children } = tree;
  const ids = new Int32Array(k).fill(-1);
  const logProbabilities = new Float64Array(k).fill(-Infinity);
  const open = new OpenPaths();
  open.push(0, n === 1 ? ~0 : n - 2);
  let found = 0;
  let nodesAsked = 0;
  while (found < k && open.size > 0) {
    const { logP, child } = open.pop();
    if (child < 0 && isLeftOut(~child)) continue;
    if (child < 0) {
      ids[found] = ~child;
      logProbabilities[found++] = logP;
      continue;
    }
    const logit = logitOf(child);
    nodesAsked++;
    open.push(logP + logSigmoid(logit), children[2 * child]);
    open.push(logP + logSigmoid(-logit), children[2 * child + 1]);
  }
  return { ids, logProbabilities, nodesAsked };
}

/** log σ(x), never above 0. */
export function logSigmoid(x: number): number {
  return Math.min(0, x) - Math.log1p(Math.exp(-Math.abs(x)));
}

/** A heap of nodes and classes, the most probable on top; of equal ones nodes first, because classes with lower ids may be under them. */
class OpenPaths {
  readonly #logP: number[] = [];
  readonly #child: number[] = [];

  get size(): number {
    return this.#child.length;
  }

  push(logP: number, child: number): void {
    this.#logP.push(logP);
    this.#child.push(child);
    let i = this.#logP.length - 1;
    while (i > 0 && this.#before(i, (i - 1) >>> 1)) {
      this.#swap(i, (i - 1) >>> 1);
      i = (i - 1) >>> 1;
    }
  }

  pop(): { logP: number; child: number } {
    const top = { logP: this.#logP[0], child: this.#child[0] };
    this.#swap(0, this.#logP.length - 1);
    this.#logP.pop();
    this.#child.pop();
    const count = this.#logP.length;
    for (let i = 0; ; ) {
      let first = i;
      for (const j of [2 * i + 1, 2 * i + 2]) if (j < count && this.#before(j, first)) first = j;
      if (first === i) return top;
      this.#swap(i, first);
      i = first;
    }
  }

  /** ~id falls as the id rises, so among classes and among nodes the greater number goes first. */
  #before(i: number, j: number): boolean {
    const difference = this.#logP[i] - this.#logP[j];
    return difference > 0 || (difference === 0 && this.#child[i] > this.#child[j]);
  }

  #swap(i: number, j: number): void {
    [this.#logP[i], this.#logP[j]] = [this.#logP[j], this.#logP[i]];
    [this.#child[i], this.#child[j]] = [this.#child[j], this.#child[i]];
  }
}
