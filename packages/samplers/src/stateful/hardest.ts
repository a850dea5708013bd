import { NotFiniteError, requireInteger, ShapeError } from "@logq/core";

/** Hard candidates are not draws: no log Q corrects them. Losses that correct refuse them, and reports say `biased`. */
export interface HardCandidates {
  readonly biased: true;
  readonly hasLogQ: false;
  /** (rows, m) positions in the pool, by falling logit. The caller's buffer. */
  readonly positions: Int32Array;
}

/**
 * The m entries of a pool with the greatest logits, for each row. Of equal logits the lower class id comes first, of equal ids the earlier position.
 * Biased by definition: a loss over the hardest candidates is not an estimate of the loss over all classes, whatever the pool was drawn by. Put −∞ in the
 * place of logits that must come last (the row's own labels); they come after all others, still by id. O(rows·P·log m).
 * @param logits (rows, ld ≥ P), finite or −∞
 * @param pool (P) class ids, distinct unless entries are to compete with their own copies
 * @param m in [1, P]
 * @param positions room for rows·m
 * @throws OptionError, ShapeError, NotFiniteError (NaN or +∞)
 */
export function hardest(
  logits: ArrayLike<number>,
  rows: number,
  ld: number,
  pool: Int32Array,
  m: number,
  positions: Int32Array = new Int32Array(rows * m),
): HardCandidates {
  const P = pool.length;
  requireInteger("m", m, 1, P);
  requireInteger("rows", rows, 1);
  requireInteger("ld", ld, P);
  if (logits.length < (rows - 1) * ld + P || positions.length < rows * m) {
    throw new ShapeError(`${rows} rows of ${P} logits, ${ld} apart, or ${m} positions each, do not fit the buffers`, {
      rows,
      P,
      ld,
      m,
      logits: logits.length,
      positions: positions.length,
    });
  }
  for (let row = 0; row < rows; row++) {
    requireLogits(logits, row, ld, P);
    selectRow(logits, row * ld, pool, m, positions, row * m);
  }
  return { biased: true, hasLogQ: false, positions };
}

/** Keeps the m best so far in a heap whose root is the worst of them, then takes it apart from the back. */
function selectRow(
  logits: ArrayLike<number>,
  first: number,
  pool: Int32Array,
  m: number,
  heap: Int32Array,
  at: number,
): void {
  /** True if position a comes after position b. */
  const after = (a: number, b: number): boolean => {
    const [za, zb] = [logits[first + a], logits[first + b]];
    if (za !== zb) return za < zb;
    return pool[a] !== pool[b] ? pool[a] > pool[b] : a > b;
  };
  for (let k = 0; k < m; k++) heap[at + k] = k;
  for (let k = Math.floor(m / 2) - 1; k >= 0; k--) sink(heap, at, k, m, after);
  for (let position = m; position < pool.length; position++) {
    if (after(position, heap[at])) continue;
    heap[at] = position;
    sink(heap, at, 0, m, after);
  }
  for (let size = m - 1; size > 0; size--) {
    const worst = heap[at];
    heap[at] = heap[at + size];
    heap[at + size] = worst;
    sink(heap, at, 0, size, after);
  }
}

function sink(
  heap: Int32Array,
  at: number,
  start: number,
  size: number,
  after: (a: number, b: number) => boolean,
): void {
  let parent = start;
  for (;;) {
    let child = 2 * parent + 1;
    if (child >= size) return;
    if (child + 1 < size && after(heap[at + child + 1], heap[at + child])) child++;
    if (!after(heap[at + child], heap[at + parent])) return;
    const moved = heap[at + parent];
    heap[at + parent] = heap[at + child];
    heap[at + child] = moved;
    parent = child;
  }
}

function requireLogits(logits: ArrayLike<number>, row: number, ld: number, P: number): void {
  for (let position = 0; position < P; position++) {
    const value = logits[row * ld + position];
    if (value < Infinity) continue;
    throw new NotFiniteError(`the logit of row ${row} at position ${position} is ${value}`, { row, position, value });
  }
}
