import { DistinctSet } from "./distinct-set.js";

const NONE = -1;

/**
 * Finds, for candidates shared by a batch, the pairs (candidate, row) that must be masked: a candidate that is a target of the row, or
 * that the row has seen. Every occurrence of a class that was drawn several times is found. Masking a pair leaves the log Q of all
 * others as it is, S·q: the draw was made without looking at the row.
 *
 * `prepare` once for a draw, `find` for any block of rows. Scratch is kept and only grows; not to be shared between threads.
 */
export class HitFinder {
  /** Of the pairs found last: positions among the candidates, [0 .. count). Valid until the next `find`. */
  positions = new Int32Array(64);
  /** Of the pairs found last: rows, ascending, [0 .. count). */
  rows = new Int32Array(64);
  readonly #first = new DistinctSet();
  #next = new Int32Array(0);
  /** The visit in which a class was met last, at its first position: a class listed twice by a row is still one. */
  #visited = new Float64Array(0);
  #visit = 0;

  /** Takes the candidates ids[at .. at+S), each ≥ 0, in any order, repeated or not. */
  prepare(ids: Int32Array, S: number, at = 0): void {
    if (S > this.#next.length) {
      this.#next = new Int32Array(S);
      this.#visited = new Float64Array(S);
    }
    this.#first.reset(S, true);
    // Backwards, so that each chain runs through ascending positions.
    for (let position = S - 1; position >= 0; position--) {
      const id = ids[at + position];
      this.#next[position] = this.#first.get(id, NONE);
      this.#first.set(id, position);
    }
  }

  /**
   * Finds the hits of rows [firstRow, endRow): row r lists the classes listed[offsets[r] .. offsets[r + 1]). A negative id is padding.
   * Answers how many pairs there are; they stand in `positions` and `rows`, in row order.
   */
  find(offsets: ArrayLike<number>, listed: Int32Array, firstRow: number, endRow: number): number {
    let count = 0;
    for (let row = firstRow; row < endRow; row++) {
      const visit = ++this.#visit;
      for (let i = offsets[row]; i < offsets[row + 1]; i++) {
        const first = listed[i] < 0 ? NONE : this.#first.get(listed[i], NONE);
        if (first === NONE || this.#visited[first] === visit) continue;
        this.#visited[first] = visit;
        for (let position = first; position !== NONE; position = this.#next[position]) {
          if (count === this.rows.length) this.#grow();
          this.positions[count] = position;
          this.rows[count++] = row;
        }
      }
    }
    return count;
  }

  #grow(): void {
    const positions = new Int32Array(2 * this.positions.length);
    const rows = new Int32Array(2 * this.rows.length);
    positions.set(this.positions);
    rows.set(this.rows);
    this.positions = positions;
    this.rows = rows;
  }
}
