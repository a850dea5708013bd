import type { Address, KernelMemory } from "@logq/kernels";

/** Bytes of the header in the shared table. */
export const GENERATIONS_BYTES = 64;

/** Between passes: the next pass begins at a step that is a multiple of its length. */
const NO_PASS = -1;

/**
 * Two copies of what draws read, and the walk that renews them. Draws read the active copy, the other is written: a pass of P steps first sorts all
 * classes anew, a share in each step (the assign steps), then brings them in the order that draws need, a share in each step (the place steps, a
 * quarter of the pass), and at the end of its last step the copies change places. So no step does work in proportion to n, the law is constant
 * between two swaps, and what is drawn from is between a quarter of a pass and two passes old. It is stale, never wrong: log Q is always that of
 * what is stored.
 *
 * Moving single classes between cells at once would be fresher by a pass, but needs cells that grow and factor sums that are subtracted from, which
 * drift; the codes of a class change rarely, and the law is as honest with the old ones.
 *
 * All state is in shared memory, so every thread sees it and a copy of the table is a checkpoint. A pass begins at steps that are multiples of P; a run
 * that starts within one waits for the next.
 */
export class Generations {
  readonly n: number;
  /** Steps of a pass, at least 1. */
  readonly steps: number;
  readonly placeSteps: number;
  readonly assignSteps: number;
  readonly #i32: Int32Array;
  readonly #at: number;

  constructor({ i32 }: KernelMemory, header: Address, n: number, steps: number) {
    this.n = n;
    this.steps = steps;
    this.placeSteps = steps < 2 ? 0 : Math.ceil(steps / 4);
    this.assignSteps = steps - this.placeSteps;
    this.#i32 = i32;
    this.#at = header >>> 2;
  }

  /** The copy that draws read: 0 or 1. */
  get active(): number {
    return this.#i32[this.#at];
  }

  /** The copy that is being written. */
  get next(): number {
    return 1 - this.active;
  }

  /** After the first build: copy 0 is drawn from, and no pass runs. */
  reset(): void {
    this.#i32[this.#at] = 0;
    this.#i32[this.#at + 1] = NO_PASS;
  }

  phase(step: number): number {
    return step % this.steps;
  }

  /** Whether the pass that this phase belongs to was begun at its beginning. */
  runs(phase: number): boolean {
    return phase === 0 || this.#i32[this.#at + 1] === phase;
  }

  /** The first class that assign step `phase` looks at; the step ends where the next one begins. */
  assignFrom(phase: number): number {
    return share(this.n, Math.min(phase, this.assignSteps), this.assignSteps);
  }

  /** The first class that step `phase` puts in order. A pass of one step does everything in it. */
  placeFrom(phase: number): number {
    if (this.placeSteps === 0) return share(this.n, phase, 1);
    return share(this.n, Math.max(0, phase - this.assignSteps), this.placeSteps);
  }

  /** Ends a step of a pass; after the last the copies change places. */
  finish(phase: number): void {
    const last = phase === this.steps - 1;
    if (last) this.#i32[this.#at] = this.next;
    this.#i32[this.#at + 1] = last ? NO_PASS : phase + 1;
  }
}

function share(n: number, part: number, parts: number): number {
  return Math.floor((n * part) / parts);
}
