import { type Key, RandomStream, STREAM } from "@logq/core";

/** Which matrix of a sampler: a step of the stream's item 0, which no row draws from (rows are items from 1 on). */
export const MATRIX = { projection: 0, frequencies: 1 } as const;

/**
 * Rows (count, D) of standard normal numbers, made orthogonal within each run of D rows: every row alone is still a standard normal vector, but
 * estimates over the rows vary less (Yu et al., "Orthogonal Random Features", NeurIPS 2016). Float64, by Gram and Schmidt, twice for the sake of rounding.
 * @param unit true: rows of length √D instead of a normal vector's
 */
export function orthogonalRows(key: Key, matrix: number, count: number, D: number, unit: boolean): Float64Array {
  const stream = new RandomStream(key, STREAM.rowCandidates, matrix, 0);
  const rows = new Float64Array(count * D);
  for (let i = 0; i < rows.length; i++) rows[i] = stream.normal(i);
  for (let i = 0; i < count; i++) {
    const row = rows.subarray(i * D, (i + 1) * D);
    const length = unit ? Math.sqrt(D) : Math.sqrt(dot(row, row));
    const firstOfRun = i - (i % D);
    for (let pass = 0; pass < 2; pass++) {
      for (let j = firstOfRun; j < i; j++) {
        const other = rows.subarray(j * D, (j + 1) * D);
        addScaled(row, other, -dot(row, other) / dot(other, other));
      }
    }
    const by = length / Math.sqrt(dot(row, row));
    for (let d = 0; d < D; d++) row[d] *= by;
  }
  return rows;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += a[d] * b[d];
  return sum;
}

function addScaled(y: Float64Array, x: Float64Array, a: number): void {
  for (let d = 0; d < y.length; d++) y[d] += a * x[d];
}
