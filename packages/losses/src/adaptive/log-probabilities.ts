import type { Kernels } from "@logq/kernels";
import type { ClusterWalk } from "./cluster-walk.js";
import { type AdaptiveQueries, leadingDimension } from "./space.js";

/** Points the block of `queries` at rows of the batch, for questions that no label takes part in. Logits are not kept. */
export function openQuery({ memory }: Kernels, { block }: AdaptiveQueries, rows: Int32Array): void {
  memory.i32.set(rows, block.rows >>> 2);
  block.R = rows.length;
  block.ld = leadingDimension(rows.length);
  block.kept = false;
}

/** See AdaptiveSoftmax.logProbabilities. */
export function allLogProbabilities(
  kernels: Kernels,
  queries: AdaptiveQueries,
  walk: ClusterWalk,
  B: number,
): Float32Array {
  const { h, n, tails } = queries.clusters;
  const K = tails.length;
  const out = new Float32Array(B * n);
  const tailLogits = new Float64Array(B * K);
  for (let c = 0; c <= K; c++) {
    const [base, classes] = c === 0 ? [0, h] : [tails[c - 1].first, tails[c - 1].size];
    const put = (row: number, slot: number, value: number) => {
      if (c === 0 && slot >= h) tailLogits[row * K + slot - h] = value;
      else out[row * n + base + slot] = value;
    };
    eachRow(kernels, queries, walk, c, B, put, (row, lse) => {
      const shift = c === 0 ? -lse : tailLogits[row * K + c - 1] - lse;
      for (let id = base; id < base + classes; id++) out[row * n + id] += shift;
      if (c > 0) return;
      for (let i = 0; i < K; i++) tailLogits[row * K + i] -= lse;
    });
  }
  return out;
}

/** Shows every logit of cluster c of B rows to `put`, and then every row's log-sum-exp to `close`. */
function eachRow(
  kernels: Kernels,
  queries: AdaptiveQueries,
  walk: ClusterWalk,
  c: number,
  B: number,
  put: (row: number, slot: number, value: number) => void,
  close: (row: number, lse: number) => void,
): void {
  const { f32 } = kernels.memory;
  const { R: most, spaces, block } = queries;
  for (let first = 0; first < B; first += most) {
    const R = Math.min(most, B - first);
    openQuery(
      kernels,
      queries,
      Int32Array.from({ length: R }, (_, r) => first + r),
    );
    walk.load(spaces[c], block);
    walk.forward(spaces[c], block, (from, C, z, bias) => {
      for (let j = 0; j < C; j++) {
        const add = bias === 0 ? 0 : f32[(bias >>> 2) + j];
        for (let r = 0; r < R; r++) put(first + r, from + j, f32[(z >>> 2) + j * block.ld + r] + add);
      }
    });
    for (let r = 0; r < R; r++) close(first + r, walk.logPartition(block, r));
  }
}
