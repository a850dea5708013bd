import { SamplerError } from "@logq/core";
import { shareFloats, shareInts } from "../shared.js";
import { requireFitting, requireIds, requireValues, restore, snapshotOf, sumOf } from "./snapshot.js";
import type { StateSnapshot } from "./types.js";

/** The targets of the last M batches, made once and posted to threads. */
export interface RingTables {
  readonly n: number;
  /** (M, labels) */
  readonly ids: Int32Array;
  /** (M): how many targets a batch has; 0 while there is none. */
  readonly lengths: Int32Array;
  /** The place of the oldest batch, which the next one takes, and Σ lengths. */
  readonly clock: Float64Array;
}

const OLDEST = 0;
const HELD = 1;

/** An empty ring of M batches of at most `labels` targets each. @throws MemoryLimitError */
export function createRing(n: number, M: number, labels: number): RingTables {
  return { n, ids: shareInts(M * labels), lengths: shareInts(M), clock: shareFloats(2) };
}

/** A queue of batches of target ids, first in, first out. It holds ids only: rows are read from the table when they are used. */
export class TargetRing {
  readonly batches: number;
  /** The most targets of a batch. */
  readonly labels: number;
  readonly #tables: RingTables;

  constructor(tables: RingTables) {
    this.batches = tables.lengths.length;
    this.labels = tables.ids.length / this.batches;
    this.#tables = tables;
  }

  /** How many targets it holds. */
  get held(): number {
    return this.#tables.clock[HELD];
  }

  /** @throws SamplerError if a batch has more targets than a place of the ring */
  requireRoom(count: number): void {
    if (count <= this.labels) return;
    throw new SamplerError(`a batch has ${count} targets, but the ring keeps ${this.labels} a batch`, {
      count,
      labels: this.labels,
    });
  }

  /** Takes in a batch that fits, in the place of the oldest. */
  push(ids: Int32Array, from: number, to: number): void {
    const { ids: kept, lengths, clock } = this.#tables;
    const place = clock[OLDEST];
    clock[HELD] += to - from - lengths[place];
    lengths[place] = to - from;
    for (let i = from; i < to; i++) kept[place * this.labels + i - from] = ids[i];
    clock[OLDEST] = (place + 1) % this.batches;
  }

  /** Writes all `held` targets to out[at ..), the oldest batch first. */
  copyTo(out: Int32Array, at: number): void {
    const { ids, lengths, clock } = this.#tables;
    let next = at;
    for (let k = 0; k < this.batches; k++) {
      const place = (clock[OLDEST] + k) % this.batches;
      for (let i = 0; i < lengths[place]; i++) out[next++] = ids[place * this.labels + i];
    }
  }

  exportState(): StateSnapshot {
    return snapshotOf("ring", this.#head(), this.#arrays());
  }

  /** As `importState`, in two parts, so that a state of several structures is checked whole before it is written. */
  requireImportable(snapshot: StateSnapshot): void {
    requireFitting(snapshot, "ring", this.#head(), this.#arrays());
    const { ids, lengths, clock } = snapshot.arrays;
    requireIds(this.#tables.n, ids as Int32Array, 0, ids.length);
    requireValues("lengths", lengths, 0, this.labels);
    requireValues("oldest", [clock[OLDEST]], 0, this.batches - 1);
    const held = sumOf(lengths);
    requireValues("held", [clock[HELD]], held, held);
  }

  restore(snapshot: StateSnapshot): void {
    restore(snapshot, this.#arrays());
  }

  #head(): StateSnapshot["head"] {
    return { n: this.#tables.n, batches: this.batches, labels: this.labels };
  }

  #arrays() {
    const { ids, lengths, clock } = this.#tables;
    return { ids, lengths, clock };
  }
}
