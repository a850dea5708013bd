/** Matrix products, row-major: the truth in float64 and the naive way in float32. */

/** out (M, N) = left (M, K) · right (K, N), in float64. */
export function matmul(
  left: ArrayLike<number>,
  right: ArrayLike<number>,
  M: number,
  K: number,
  N: number,
): Float64Array {
  const out = new Float64Array(M * N);
  for (let m = 0; m < M; m++) {
    for (let j = 0; j < N; j++) {
      let sum = 0;
      for (let k = 0; k < K; k++) sum += left[m * K + k]! * right[k * N + j]!;
      out[m * N + j] = sum;
    }
  }
  return out;
}

/** The same, rounded to float32 after every operation, summed from the first k to the last. */
export function matmulFloat32(
  left: ArrayLike<number>,
  right: ArrayLike<number>,
  M: number,
  K: number,
  N: number,
): Float32Array {
  const out = new Float32Array(M * N);
  for (let m = 0; m < M; m++) {
    for (let j = 0; j < N; j++) {
      let sum = 0;
      for (let k = 0; k < K; k++) sum = Math.fround(sum + Math.fround(left[m * K + k]! * right[k * N + j]!));
      out[m * N + j] = sum;
    }
  }
  return out;
}

/** The transpose (columns, rows) of a row-major (rows, columns). */
export function transpose(values: ArrayLike<number>, rows: number, columns: number): Float64Array {
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) out[j * rows + i] = values[i * columns + j]!;
  }
  return out;
}
