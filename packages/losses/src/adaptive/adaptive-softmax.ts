import { OptionError, requireAllFinite, requireInteger, requireLength } from "@logq/core";
import type { CompiledKernels, Kernels } from "@logq/kernels";
import { openSpace, REFERENCE } from "../sized-kernels.js";
import { type ClusterBlock, ClusterWalk } from "./cluster-walk.js";
import {
  type AdaptiveClusters,
  type AdaptiveParameters,
  type AdaptiveSpec,
  type AdaptiveTailParameters,
  adaptiveClusters,
  requireAdaptiveParameters,
} from "./clusters.js";
import { allLogProbabilities } from "./log-probabilities.js";
import { Router } from "./router.js";
import {
  type AdaptiveSizes,
  type AdaptiveSpace,
  type ClusterSpace,
  leadingDimension,
  reserveAdaptive,
} from "./space.js";
import { requireLogProbability, requireTargets } from "./target-rows.js";
import { type AdaptiveTopK, searchTopK } from "./top-k.js";

/** What an adaptive softmax is made for. */
export interface AdaptiveOptions extends AdaptiveSizes {
  /** From `compileKernels`. Default: the reference back-end. */
  readonly backend?: CompiledKernels;
}

/** Gradients of a batch. A tail that no row went to is null: its gradient is 0, and was not computed. */
export interface AdaptiveGradients {
  readonly headTable: Float32Array;
  readonly headBias: Float32Array | null;
  readonly tails: readonly (AdaptiveTailParameters | null)[];
}

/**
 * Adaptive softmax: Grave, Joulin, Cissé, Grangier and Jégou, "Efficient softmax approximation for GPUs" (2017). With the classes sorted by
 * frequency, the head decides between its h classes and the K tails, and a tail between its own:
 *
 *     log p(c | x) = log head(c | x)                             c in the head
 *     log p(c | x) = log head(tail i | x) + log tail_i(c | P_i·x)   c in tail i
 *
 * The sum over all classes is 1 by construction, and a row costs h + K logits of width D and, if its target is in tail i, the narrower ones of
 * that tail. Rows of a batch are routed: each cluster sees its own, gathered, in blocks, and sums their gradients in the order of the batch. Results
 * depend on the inputs, the sizes and the back-end alone.
 */
export class AdaptiveSoftmax {
  readonly kernels: Kernels;
  readonly space: AdaptiveSpace;
  readonly clusters: AdaptiveClusters;
  readonly #walk: ClusterWalk;
  readonly #router: Router;
  /** (B) of 1s: without gradients nobody reads what labels weigh. */
  readonly #ones: Float32Array;
  readonly #touched: Uint8Array;

  /** Over a memory that `reserveAdaptive` has laid out; parameters and hidden vectors are read where they lie. */
  constructor(kernels: Kernels, space: AdaptiveSpace) {
    this.kernels = kernels;
    this.space = space;
    this.clusters = space.clusters;
    const { D } = space.clusters;
    const hidden = { address: space.hidden, ld: D, D };
    this.#walk = new ClusterWalk(kernels, hidden, space.scratch, space.tileClasses);
    this.#router = new Router(space.clusters, space.B);
    this.#ones = new Float32Array(space.B).fill(1);
    this.#touched = new Uint8Array(space.spaces.length);
  }

  /** In a memory of its own, parameters all 0. Throws OptionError or MemoryLimitError. */
  static create(spec: AdaptiveSpec, { backend = REFERENCE, ...sizes }: AdaptiveOptions): AdaptiveSoftmax {
    const clusters = adaptiveClusters(spec);
    const { kernels, space } = openSpace(backend, (plan, sizing) => reserveAdaptive(plan, clusters, sizes, sizing));
    return new AdaptiveSoftmax(kernels, space);
  }

  /** Copies parameters in. Throws ShapeError or NotFiniteError. */
  setParameters(parameters: AdaptiveParameters): void {
    requireAdaptiveParameters(this.clusters, parameters);
    const { vector } = this.kernels;
    const [head, ...tails] = this.space.spaces;
    vector.copyIn(head.table, parameters.headTable);
    if (parameters.headBias) vector.copyIn(head.bias, parameters.headBias);
    tails.forEach((tail, i) => {
      vector.copyIn(tail.table, parameters.tails[i].table);
      vector.copyIn(tail.projection, parameters.tails[i].projection);
    });
  }

  /** A copy of the parameters. */
  parameters(): AdaptiveParameters {
    const [head, ...tails] = this.space.spaces;
    return {
      ...this.#headArrays(head.table, head.bias),
      tails: tails.map((tail) => this.#tailArrays(tail, tail.projection, tail.table)),
    };
  }

  /** A copy of the gradients of the last `lossAndGradients`. */
  gradients(): AdaptiveGradients {
    const [head, ...tails] = this.space.spaces;
    return {
      ...this.#headArrays(head.tableGradient, head.biasGradient),
      tails: tails.map((tail, i) =>
        this.#touched[i + 1] ? this.#tailArrays(tail, tail.projectionGradient, tail.tableGradient) : null,
      ),
    };
  }

  /** Copies the hidden vectors of a batch in: (B, D), B at most what the object was made for. Answers B. Throws OptionError or NotFiniteError. */
  setHidden(hidden: Float32Array): number {
    const { D } = this.clusters;
    const B = requireInteger("rows of hidden", hidden.length / D, 1, this.space.B);
    requireAllFinite("hidden", hidden);
    this.kernels.vector.copyIn(this.space.hidden, hidden);
    return B;
  }

  /** A copy of dloss/dH of the last `lossAndGradients`, (B, D). */
  hiddenGradient(B: number): Float32Array {
    return this.kernels.memory.floats(this.space.hiddenGradient, B * this.clusters.D).slice();
  }

  /**
   * Log-probabilities of targets of the rows in space.hidden, and no gradients.
   * @param targets (B): classes, or −1 in rows that are left out
   * @param logP (B), written to: natural logs; 0 in rows that are left out
   * @throws NotFiniteError if logits overflow, with the row; ClassIdError
   */
  targetLogProbabilities(targets: Int32Array, logP: Float64Array): void {
    this.#eachBlock(targets, this.#ones, logP, () => {});
  }

  /**
   * Log-probabilities of targets as `targetLogProbabilities` gives them, and the gradients of −Σ_r coefficients[r]·logP[r]. The hidden gradient of a row
   * that is left out is 0. Gradients of tails that no row went to stay as they were: see `touches`.
   * @param coefficients (B): the weight of each row over their sum, for a mean. A row of coefficient 0 should have target −1, which saves its products.
   */
  lossAndGradients(targets: Int32Array, coefficients: Float32Array, logP: Float64Array): void {
    const { vector } = this.kernels;
    const { hiddenGradient, spaces } = this.space;
    requireLength("coefficients", coefficients.length, targets.length, "(B)");
    vector.fill(hiddenGradient, 0, targets.length * this.clusters.D);
    this.#touched.fill(0);
    this.#eachBlock(targets, coefficients, logP, (c) => {
      this.#backward(spaces[c], this.#touched[c] === 1);
      this.#touched[c] = 1;
    });
    if (this.#touched[0] === 0) this.#clearHead();
  }

  /** Whether any row of the last `lossAndGradients` went to tail i: whether its gradients are anything but 0. */
  touches(i: number): boolean {
    return this.#touched[i + 1] === 1;
  }

  /** Log-probabilities of every class for the first B rows in space.hidden: (B, n). O(B·n), for evaluation. */
  logProbabilities(B: number): Float32Array {
    return allLogProbabilities(this.kernels, this.space, this.#walk, B);
  }

  /**
   * The k most probable classes of each of the first B rows in space.hidden, exactly. The head is computed for all rows; a tail only for those whose
   * probability of the whole tail is above that of the k-th best class so far, because no class in it can be more probable than the tail.
   * @param k in [1, n], at most the `k` the object was made for
   */
  topK(B: number, k: number): AdaptiveTopK {
    requireInteger("B", B, 1, this.space.B);
    requireInteger("k", k, 1, this.clusters.n);
    if (k > this.space.k) {
      throw new OptionError(`k is ${k}, but the object was made for at most ${this.space.k}`, {
        k,
        most: this.space.k,
      });
    }
    return searchTopK(this.kernels, this.space, this.#walk, { first: 0, count: B, k });
  }

  /** Forward through every block of every cluster that has rows; `then` may walk it back. */
  #eachBlock(targets: Int32Array, weights: Float32Array, logP: Float64Array, then: (c: number) => void): void {
    const B = requireInteger("rows of targets", targets.length, 1, this.space.B);
    requireLength("logP", logP.length, B, "(B)");
    requireTargets(targets, this.clusters.n);
    const { R, spaces, labelled: block } = this.space;
    const { f64 } = this.kernels.memory;
    logP.fill(0);
    this.#router.route(targets);
    for (let c = 0; c < spaces.length; c++) {
      const all = this.#router.rowsOf(c);
      for (let first = 0; first < all.length; first += R) {
        const rows = all.subarray(first, Math.min(all.length, first + R));
        this.#openBlock(c, rows, targets, weights);
        this.#walk.load(spaces[c], block);
        this.#walk.forward(spaces[c], block);
        for (let r = 0; r < rows.length; r++) {
          const own = f64[(block.logP >>> 3) + r];
          requireLogProbability(rows[r], own);
          logP[rows[r]] += own;
        }
        then(c);
      }
    }
  }

  /** Points the block at rows of a cluster, each with one label. */
  #openBlock(c: number, rows: Int32Array, targets: Int32Array, weights: Float32Array): void {
    const { i32, f32 } = this.kernels.memory;
    const { labelled: block, spaces, keptLogits } = this.space;
    const R = rows.length;
    block.R = R;
    block.ld = leadingDimension(R);
    block.kept = spaces[c].C * block.ld <= keptLogits;
    i32.set(rows, block.rows >>> 2);
    for (let r = 0; r < R; r++) {
      i32[(block.offsets >>> 2) + r] = r;
      i32[(block.slots >>> 2) + r] = this.#router.slotOf(c, targets[rows[r]]);
      f32[(block.masses >>> 2) + r] = weights[rows[r]];
      f32[(block.coefficient >>> 2) + r] = weights[rows[r]];
    }
    i32[(block.offsets >>> 2) + R] = R;
  }

  /** Gradients of the block's loss: adds to those of the cluster's parameters, or begins them anew; adds to those of the hidden vectors. */
  #backward(cluster: ClusterSpace, add: boolean): void {
    const { labelled: block } = this.space;
    const { width, tableGradient } = cluster;
    this.#walk.packRows(cluster, block.input, block.R);
    this.#walk.backward(cluster, block, (from, C, z) => {
      this.#walk.tableGradient(cluster, tableGradient + 4 * from * width, z, block.ld, C, block.R, add);
      this.#biasGradient(cluster, from, C, z, add);
    });
    if (cluster.projection !== 0) this.#walk.projectionGradient(cluster, block, cluster.projectionGradient, add);
    this.#addShare(block);
  }

  #biasGradient({ biasGradient }: ClusterSpace, from: number, C: number, z: number, add: boolean): void {
    if (biasGradient === 0) return;
    const { tile, vector } = this.kernels;
    const { labelled: block, rowSums } = this.space;
    const own = biasGradient + 4 * from;
    tile.sumOverRows(add ? rowSums : own, z, block.ld, C, block.R, 0);
    if (add) vector.addScaled(own, rowSums, 1, C);
  }

  #addShare({ rows, share, R }: ClusterBlock): void {
    const { vector, memory } = this.kernels;
    const { D } = this.clusters;
    for (let r = 0; r < R; r++) {
      const row = memory.i32[(rows >>> 2) + r];
      vector.addScaled(this.space.hiddenGradient + 4 * D * row, share + 4 * D * r, 1, D);
    }
  }

  #clearHead(): void {
    const [{ tableGradient, biasGradient, C, width }] = this.space.spaces;
    this.kernels.vector.fill(tableGradient, 0, C * width);
    if (biasGradient !== 0) this.kernels.vector.fill(biasGradient, 0, C);
  }

  #headArrays(table: number, bias: number): { headTable: Float32Array; headBias: Float32Array | null } {
    const { memory } = this.kernels;
    const [{ C, width }] = this.space.spaces;
    return {
      headTable: memory.floats(table, C * width).slice(),
      headBias: bias === 0 ? null : memory.floats(bias, C).slice(),
    };
  }

  #tailArrays({ C, width }: ClusterSpace, projection: number, table: number): AdaptiveTailParameters {
    const { memory } = this.kernels;
    return {
      projection: memory.floats(projection, width * this.clusters.D).slice(),
      table: memory.floats(table, C * width).slice(),
    };
  }
}
