import type { Draw, Law } from "../types.js";
import type { FrequencyEstimator } from "./types.js";

/** Q = L·f(id) + S'·p(id): L targets by the estimator, S' draws of a law. Reused from draw to draw. */
export class BatchDraw implements Draw {
  S = 0;
  tries = 0;
  readonly continued = false;
  readonly excludedMass = 0;
  readonly #frequency: FrequencyEstimator;
  readonly #law: Law | null;
  /** L */
  #labels = 0;
  /** S' */
  #drawn = 0;

  constructor(frequency: FrequencyEstimator, law: Law | null) {
    this.#frequency = frequency;
    this.#law = law;
  }

  set(S: number, labels: number, drawn: number, tries: number): void {
    this.S = S;
    this.tries = tries;
    this.#labels = labels;
    this.#drawn = drawn;
  }

  logQ(id: number): number {
    const ofLaw = this.#law === null ? 0 : this.#drawn * this.#law.probability(id);
    return Math.log(this.#frequency.expectedCount(id, this.#labels) + ofLaw);
  }

  targetLogQ(id: number): number {
    return this.logQ(id);
  }
}
