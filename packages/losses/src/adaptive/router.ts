import { type AdaptiveClusters, clusterOf } from "./clusters.js";

/** Sends the rows of a batch to their clusters. Keeps its arrays from batch to batch. */
export class Router {
  readonly #clusters: AdaptiveClusters;
  /** Rows by cluster of their target, ascending within each: [starts[c], starts[c + 1]) are cluster c's. */
  readonly #byCluster: Int32Array;
  readonly #starts: Int32Array;
  /** All rows with a target, ascending. */
  readonly #active: Int32Array;
  #count = 0;

  /** For batches of at most B rows. */
  constructor(clusters: AdaptiveClusters, B: number) {
    this.#clusters = clusters;
    this.#byCluster = new Int32Array(B);
    this.#starts = new Int32Array(clusters.tails.length + 2);
    this.#active = new Int32Array(B);
  }

  /** targets (B): a class, or −1 in rows that take no part. */
  route(targets: Int32Array): void {
    const starts = this.#starts.fill(0);
    this.#count = 0;
    for (let r = 0; r < targets.length; r++) {
      if (targets[r] < 0) continue;
      this.#active[this.#count++] = r;
      starts[clusterOf(this.#clusters, targets[r]) + 1]++;
    }
    for (let c = 1; c < starts.length; c++) starts[c] += starts[c - 1];
    // Each start moves on as its rows arrive, and is then where the next cluster's were.
    for (let i = 0; i < this.#count; i++) {
      const r = this.#active[i];
      this.#byCluster[starts[clusterOf(this.#clusters, targets[r])]++] = r;
    }
    starts.copyWithin(1, 0);
    starts[0] = 0;
  }

  /** The rows that cluster c's softmax sees: all in the head (0), their own in a tail. A view, good until the next `route`. */
  rowsOf(c: number): Int32Array {
    if (c === 0) return this.#active.subarray(0, this.#count);
    return this.#byCluster.subarray(this.#starts[c], this.#starts[c + 1]);
  }

  /** Where a target of cluster c's softmax stands in its table. */
  slotOf(c: number, target: number): number {
    const { h, tails } = this.#clusters;
    if (c > 0) return target - tails[c - 1].first;
    return target < h ? target : h + clusterOf(this.#clusters, target) - 1;
  }
}
