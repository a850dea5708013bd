import { OptionError, requireAllFinite, requireInteger, requireLength } from "@logq/core";
import type { CompiledKernels, Kernels } from "@logq/kernels";
import { openSpace, REFERENCE } from "../sized-kernels.js";
import { ClusterWalk } from "./cluster-walk.js";
import {
  type AdaptiveClusters,
  type AdaptiveParameters,
  type AdaptiveSpec,
  type AdaptiveTailParameters,
  adaptiveClusters,
  requireAdaptiveParameters,
} from "./clusters.js";
import { Router } from "./router.js";
import { type AdaptiveSizes, type AdaptiveSpace, type ClusterSpace, reserveAdaptive } from "./space.js";
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
  readonly #slots: Int32Array;
  readonly #logP: Float64Array;
  readonly #coefficients: Float32Array;
  readonly #touched: Uint8Array;

  /** Over a memory that `reserveAdaptive` has laid out; parameters and hidden vectors are read where they lie. */
  constructor(kernels: Kernels, space: AdaptiveSpace) {
    this.kernels = kernels;
    this.space = space;
    this.clusters = space.clusters;
    this.#walk = new ClusterWalk(kernels, space);
    this.#router = new Router(space.clusters, space.B);
    this.#slots = new Int32Array(space.R);
    this.#logP = new Float64Array(space.R);
    this.#coefficients = new Float32Array(space.R);
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
    this.#eachBlock(targets, logP, () => {});
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
    this.#eachBlock(targets, logP, (c, rows, slots) => {
      const own = this.#coefficients.subarray(0, rows.length);
      for (let r = 0; r < rows.length; r++) own[r] = coefficients[rows[r]];
      this.#walk.backward(spaces[c], slots, own, this.#touched[c] === 0);
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
    const { h, n, tails } = this.clusters;
    const { spaces } = this.space;
    const out = new Float32Array(B * n);
    const tailLogits = new Float64Array(B * tails.length);
    for (let c = 0; c < spaces.length; c++) {
      const base = c === 0 ? 0 : tails[c - 1].first;
      const put = (row: number, slot: number, value: number) => {
        if (c === 0 && slot >= h) tailLogits[row * tails.length + slot - h] = value;
        else out[row * n + base + slot] = value;
      };
      const classes = c === 0 ? h : tails[c - 1].size;
      this.#eachRow(c, B, put, (row, lse) => {
        const shift = c === 0 ? -lse : tailLogits[row * tails.length + c - 1] - lse;
        for (let id = base; id < base + classes; id++) out[row * n + id] += shift;
        if (c > 0) return;
        for (let i = 0; i < tails.length; i++) tailLogits[row * tails.length + i] -= lse;
      });
    }
    return out;
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
    return searchTopK(this.kernels, this.space, this.#walk, B, k);
  }

  /** Forward through every block of every cluster that has rows; `then` may walk it back. */
  #eachBlock(
    targets: Int32Array,
    logP: Float64Array,
    then: (c: number, rows: Int32Array, slots: Int32Array) => void,
  ): void {
    const B = requireInteger("rows of targets", targets.length, 1, this.space.B);
    requireLength("logP", logP.length, B, "(B)");
    requireTargets(targets, this.clusters.n);
    const { R, spaces } = this.space;
    logP.fill(0);
    this.#router.route(targets);
    for (let c = 0; c < spaces.length; c++) {
      const all = this.#router.rowsOf(c);
      for (let first = 0; first < all.length; first += R) {
        const rows = all.subarray(first, Math.min(all.length, first + R));
        const slots = this.#slots.subarray(0, rows.length);
        for (let r = 0; r < rows.length; r++) slots[r] = this.#router.slotOf(c, targets[rows[r]]);
        this.#walk.load(spaces[c], rows);
        this.#walk.logProbabilities(spaces[c], slots, this.#logP);
        for (let r = 0; r < rows.length; r++) {
          requireLogProbability(rows[r], this.#logP[r]);
          logP[rows[r]] += this.#logP[r];
        }
        then(c, rows, slots);
      }
    }
  }

  /** Shows every logit of cluster c of B rows to `put`, and then every row's log-sum-exp to `close`. */
  #eachRow(
    c: number,
    B: number,
    put: (row: number, slot: number, value: number) => void,
    close: (row: number, lse: number) => void,
  ): void {
    const { memory } = this.kernels;
    const { R: most, spaces, z, max, sum } = this.space;
    for (let first = 0; first < B; first += most) {
      const R = Math.min(most, B - first);
      this.#walk.load(
        spaces[c],
        Int32Array.from({ length: R }, (_, r) => first + r),
      );
      this.#walk.forward(spaces[c], R, (from, C, ld) => {
        for (let j = 0; j < C; j++) {
          for (let r = 0; r < R; r++) put(first + r, from + j, memory.f32[(z >>> 2) + j * ld + r]);
        }
      });
      for (let r = 0; r < R; r++) {
        close(first + r, memory.f32[(max >>> 2) + r] + Math.log(memory.f64[(sum >>> 3) + r]));
      }
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
