import type { DistinctSet } from "../distinct-set.js";
import { contains, NO_IDS } from "../exclusion.js";
import type { Draw, Law } from "../types.js";

/** log(1 − e^−x) for x ≥ 0 without cancellation at either end. */
export function logChance(x: number): number {
  return x > Math.LN2 ? Math.log1p(-Math.exp(-x)) : Math.log(-Math.expm1(-x));
}

/**
 * What is known after S distinct classes were drawn from a law. Reused from draw to draw; exactly one of `setAll`, `setTimes` and
 * `setTries` follows each `begin`.
 */
export class DistinctDraw implements Draw {
  S = 0;
  tries = 0;
  continued = false;
  excludedMass = 0;
  readonly #law: Law;
  readonly #drawn: DistinctSet;
  #rule: "all" | "times" | "tries" | "proportional" = "all";
  #excluded: Int32Array = NO_IDS;
  #start = 0;
  #end = 0;
  #timeInside = 0;
  #timeOutside = 0;
  #observedTries = 0;

  /** `drawn` holds the candidates of the draw at hand. */
  constructor(law: Law, drawn: DistinctSet) {
    this.#law = law;
    this.#drawn = drawn;
  }

  begin(S: number, excludedMass: number, excluded: Int32Array, start: number, end: number): void {
    this.S = S;
    this.tries = 0;
    this.continued = false;
    this.excludedMass = excludedMass;
    this.#excluded = excluded;
    this.#start = start;
    this.#end = end;
  }

  /** Every class that can be drawn was: Q = 1. */
  setAll(): void {
    this.#rule = "all";
  }

  /**
   * Exponential clocks: Q = 1 − e^(−p·t), where t is the S-th arrival among the *other* classes: for a candidate that is the (S + 1)-th
   * arrival of all, for another class the S-th.
   */
  setTimes(inside: number, outside: number): void {
    this.#rule = "times";
    this.#timeInside = inside;
    this.#timeOutside = outside;
  }

  /** TensorFlow's: Q = 1 − (1 − p)^T, but p·S if the T tries happen to be S. */
  setTries(observed: number): void {
    this.#rule = observed === this.S ? "proportional" : "tries";
    this.#observedTries = observed;
  }

  isExcluded(id: number): boolean {
    return contains(this.#excluded, this.#start, this.#end, id);
  }

  logQ(id: number): number {
    return this.isExcluded(id) ? -Infinity : this.targetLogQ(id);
  }

  targetLogQ(id: number): number {
    const p = this.#law.probability(id);
    if (p === 0) return -Infinity;
    switch (this.#rule) {
      case "all":
        return 0;
      case "times":
        return logChance(p * (this.#drawn.has(id) ? this.#timeInside : this.#timeOutside));
      case "tries":
        return logChance(-this.#observedTries * Math.log1p(-p / (1 - this.excludedMass)));
      case "proportional":
        return Math.log((p * this.S) / (1 - this.excludedMass));
    }
  }
}
