import type { Address, Kernels } from "@logq/kernels";
import type { ClusterWalk } from "./cluster-walk.js";
import { openQuery } from "./log-probabilities.js";
import type { AdaptiveQueries } from "./space.js";

export interface AdaptiveTopK {
  /** (B, k): classes, the most probable first; of equal ones the lower id */
  readonly ids: Int32Array;
  /** (B, k): natural logs */
  readonly logProbabilities: Float64Array;
  /** (K): how many rows each tail was computed for */
  readonly tailRows: Int32Array;
}

/** Which rows of the batch are ranked, and how many classes of each. */
export interface RankedRows {
  readonly first: number;
  readonly count: number;
  readonly k: number;
  /** Is shown each tile before its classes are offered: sets logits of classes that may not be ranked to −∞, and answers what puts them back. */
  readonly leaveOut?: (tile: RankedTile) => () => void;
}

/** Logits of classes [firstId, firstId + C) at z, [class][column], ld apart; column r is row rows[r] of the batch. */
export interface RankedTile {
  readonly firstId: number;
  readonly C: number;
  readonly z: Address;
  readonly ld: number;
  readonly rows: Int32Array;
}

/** See AdaptiveSoftmax.topK. */
export function searchTopK(
  kernels: Kernels,
  queries: AdaptiveQueries,
  walk: ClusterWalk,
  ranked: RankedRows,
): AdaptiveTopK {
  const { clusters, spaces, R, block } = queries;
  const { first, count, k } = ranked;
  const K = clusters.tails.length;
  const lists = new RowLists(count, k);
  const tailRows = new Int32Array(K);
  const tailLogP = new Float64Array(count * K);
  for (let c = 0; c <= K; c++) {
    // A class of the tail that only equals the k-th best would stand behind it: its id is higher.
    const all = Int32Array.from({ length: count }, (_, r) => r).filter(
      (row) => c === 0 || tailLogP[row * K + c - 1] > lists.worst(row),
    );
    if (c > 0) tailRows[c - 1] = all.length;
    for (let from = 0; from < all.length; from += R) {
      const own = all.subarray(from, Math.min(all.length, from + R));
      const rows = own.map((row) => first + row);
      openQuery(kernels, queries, rows);
      walk.load(spaces[c], block);
      offerCluster(kernels, queries, walk, c, rows, ranked, own, tailLogP, lists);
    }
  }
  return { ids: lists.ids, logProbabilities: lists.values, tailRows };
}

/** The cluster's own k best of each row of the block, into the rows' lists. In the head also: log p of each tail, to tailLogP (rows, K). */
function offerCluster(
  { tile, memory }: Kernels,
  { clusters, spaces, block, topValues, topIds }: AdaptiveQueries,
  walk: ClusterWalk,
  c: number,
  rows: Int32Array,
  { k, leaveOut }: RankedRows,
  own: Int32Array,
  tailLogP: Float64Array,
  lists: RowLists,
): void {
  const { h, tails } = clusters;
  const K = tails.length;
  const { R, ld } = block;
  const { f32 } = memory;
  const [base, classes] = c === 0 ? [0, h] : [tails[c - 1].first, tails[c - 1].size];
  tile.clearTopK(topValues, topIds, k, R);
  walk.forward(spaces[c], block, (from, C, z, bias) => {
    const offered = Math.min(C, classes - from);
    if (offered > 0) {
      const putBack = leaveOut?.({ firstId: base + from, C: offered, z, ld, rows });
      tile.topK(topValues, topIds, k, z, ld, offered, R, 1, bias, 0, base + from, 1);
      putBack?.();
    }
    // In the head, what stands behind the classes is the tails.
    for (let j = Math.max(0, offered); j < C; j++) {
      const add = bias === 0 ? 0 : f32[(bias >>> 2) + j];
      for (let r = 0; r < R; r++) tailLogP[own[r] * K + from + j - h] = f32[(z >>> 2) + j * ld + r] + add;
    }
  });
  for (let r = 0; r < R; r++) {
    const row = own[r];
    const lse = walk.logPartition(block, r);
    if (c === 0) for (let i = 0; i < K; i++) tailLogP[row * K + i] -= lse;
    const shift = c === 0 ? -lse : tailLogP[row * K + c - 1] - lse;
    lists.merge(row, memory.floats(topValues + 4 * r * k, k), memory.ints(topIds + 4 * r * k, k), shift);
  }
}

/** The k best of each row, best first. */
class RowLists {
  readonly values: Float64Array;
  readonly ids: Int32Array;
  readonly #k: number;
  readonly #oldValues: Float64Array;
  readonly #oldIds: Int32Array;

  constructor(B: number, k: number) {
    this.values = new Float64Array(B * k).fill(-Infinity);
    this.ids = new Int32Array(B * k).fill(-1);
    this.#k = k;
    this.#oldValues = new Float64Array(k);
    this.#oldIds = new Int32Array(k);
  }

  /** The k-th best value so far; −∞ while there are fewer. */
  worst(row: number): number {
    return this.values[(row + 1) * this.#k - 1];
  }

  /** Merges a sorted list, its values shifted. Its ids are above those already here, so equal values go behind. Unused entries hold id −1. */
  merge(row: number, values: Float32Array, ids: Int32Array, shift: number): void {
    const k = this.#k;
    const at = row * k;
    this.#oldValues.set(this.values.subarray(at, at + k));
    this.#oldIds.set(this.ids.subarray(at, at + k));
    let old = 0;
    let fresh = 0;
    for (let j = 0; j < k; j++) {
      const value = ids[fresh] < 0 ? -Infinity : values[fresh] + shift;
      const takesFresh = ids[fresh] >= 0 && (this.#oldIds[old] < 0 || value > this.#oldValues[old]);
      this.values[at + j] = takesFresh ? value : this.#oldValues[old];
      this.ids[at + j] = takesFresh ? ids[fresh++] : this.#oldIds[old++];
    }
  }
}
