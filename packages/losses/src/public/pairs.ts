import type { Workspace } from "./workspace.js";

/**
 * Adds Σ weight·hidden[row] of each panel row to its gradient, for `count` triples in space.pairs: keys (panel rows), hiddenRows, weights.
 * Triples are sorted by key, stably, so each sum runs in the order they were written. Keys are left sorted.
 */
export function addPairGradients(
  space: Workspace,
  count: number,
  D: number,
  U: number,
  bias: Float64Array | null,
): void {
  const { kernels, memory, pairs } = space;
  const values = memory.ints(pairs.values, count);
  for (let j = 0; j < count; j++) values[j] = j;
  kernels.indices.sortPairs(pairs.keys, pairs.values, count, U - 1, pairs.scratch);
  const hiddenRows = memory.ints(pairs.hiddenRows, count);
  const weights = memory.floats(pairs.weights, count);
  const sortedRows = values.map((j) => hiddenRows[j]);
  const sortedWeights = Float32Array.from(values, (j) => weights[j]);
  hiddenRows.set(sortedRows);
  weights.set(sortedWeights);
  const distinct = kernels.indices.uniqueRuns(pairs.keys, pairs.offsets, pairs.keys, count);
  const { offsets, sums } = pairs;
  kernels.rows.weightedRowSums(sums, D, space.hidden, D, offsets, pairs.hiddenRows, pairs.weights, distinct, D, false);
  addRows(space, sums, memory.ints(pairs.keys, distinct), D);
  if (!bias) return;
  const keys = memory.ints(pairs.keys, distinct);
  const starts = memory.ints(offsets, distinct + 1);
  for (let u = 0; u < distinct; u++) {
    for (let j = starts[u]; j < starts[u + 1]; j++) bias[keys[u]] += weights[j];
  }
}

/** panelGradient[rows[j]] += source[j] */
export function addRows({ memory, panelGradient }: Workspace, source: number, rows: Int32Array, D: number): void {
  const gradient = panelGradient >>> 2;
  for (let j = 0; j < rows.length; j++) {
    for (let d = 0; d < D; d++) memory.f32[gradient + rows[j] * D + d] += memory.f32[(source >>> 2) + j * D + d];
  }
}
