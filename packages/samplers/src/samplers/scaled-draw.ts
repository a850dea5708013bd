import { contains, NO_IDS } from "../exclusion.js";
import type { Draw, Law } from "../types.js";

/**
 * Q = S·p(id)/(1 − Σ_A p): S independent draws of any law, and also S distinct classes of the uniform law, for which it is exactly
 * S/(n − |A|). Reused from draw to draw.
 */
export class ScaledDraw implements Draw {
  S = 0;
  tries = 0;
  readonly continued = false;
  excludedMass = 0;
  readonly #law: Law;
  /** log S − log(1 − Σ_A p) */
  #offset = 0;
  #excluded: Int32Array = NO_IDS;
  #start = 0;
  #end = 0;

  constructor(law: Law) {
    this.#law = law;
  }

  /**
   * S draws from the law without excluded[start .. end), in S tries unless the caller says otherwise afterwards. The remaining mass is
   * 1 − excludedMass, asked for because the caller may know it without cancellation.
   */
  set(S: number, excludedMass: number, remainingMass: number, excluded: Int32Array, start: number, end: number): void {
    this.S = S;
    this.tries = S;
    this.excludedMass = excludedMass;
    this.#offset = Math.log(S / remainingMass);
    this.#excluded = excluded;
    this.#start = start;
    this.#end = end;
  }

  logQ(id: number): number {
    return contains(this.#excluded, this.#start, this.#end, id) ? -Infinity : this.targetLogQ(id);
  }

  targetLogQ(id: number): number {
    return this.#offset + this.#law.logProbability(id);
  }
}
