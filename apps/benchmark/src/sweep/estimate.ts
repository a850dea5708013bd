import type { Cell } from "../measure/types.js";

/**
 * Guesses how long a sweep still takes. A cell costs its training time, which is known, and an overhead (data, warm-up, evaluation), which is
 * learned from the cells that are done: from those of the same class count, else from those of the nearest.
 */
export class TimeLeft {
  readonly #seconds: number;
  readonly #overheads = new Map<number, number[]>();

  /** @param seconds training time of each cell. */
  constructor(seconds: number) {
    this.#seconds = seconds;
  }

  /** Learns that `cell` took `elapsed` seconds in all. */
  learn(cell: Cell, elapsed: number): void {
    const known = this.#overheads.get(cell.classes) ?? [];
    known.push(Math.max(0, elapsed - this.#seconds));
    this.#overheads.set(cell.classes, known);
  }

  /** Seconds that `cells` will take. */
  of(cells: readonly Cell[]): number {
    return cells.reduce((sum, cell) => sum + this.#seconds + this.#overhead(cell.classes), 0);
  }

  #overhead(classes: number): number {
    let nearest: number | undefined;
    for (const known of this.#overheads.keys()) {
      if (nearest === undefined || distance(known, classes) < distance(nearest, classes)) nearest = known;
    }
    if (nearest === undefined) return this.#seconds / 4;
    const overheads = this.#overheads.get(nearest)!;
    return overheads.reduce((sum, value) => sum + value, 0) / overheads.length;
  }
}

function distance(a: number, b: number): number {
  return Math.abs(Math.log(a / b));
}
