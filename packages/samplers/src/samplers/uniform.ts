import { DistinctSet } from "../distinct-set.js";
import { NO_IDS } from "../exclusion.js";
import { type UniformLaw, uniformInteger } from "../laws/uniform.js";
import { candidateStream, requireCandidates, requireDistinct, requireRoom } from "../requests.js";
import type { DrawRequest, Sampler } from "../types.js";
import { AddressedUniforms } from "../uniforms.js";
import { ScaledDraw } from "./scaled-draw.js";

/**
 * The uniform law, with or without replacement: Q = S/(n − |A|) exactly in both. It draws ranks among the classes that are not excluded,
 * so nothing is rejected however many are. Distinct ranks come from a Fisher–Yates shuffle of which only the displaced entries are
 * kept, O(S) for any n; so every prefix of the candidates is itself such a draw.
 */
export class UniformSampler implements Sampler {
  readonly name = "uniform";
  readonly n: number;
  readonly replacement: boolean;
  readonly contextual = false;
  readonly hasLogQ = true;
  readonly hasTargetLogQ = true;
  readonly law: UniformLaw;
  readonly #uniforms = new AddressedUniforms();
  readonly #displaced = new DistinctSet();
  readonly #draw: ScaledDraw;

  constructor(law: UniformLaw, replacement: boolean) {
    this.n = law.n;
    this.replacement = replacement;
    this.law = law;
    this.#draw = new ScaledDraw(law);
  }

  requireDrawable(S: number): void {
    requireCandidates(S);
    if (!this.replacement) requireDistinct(S, this.n, this.n);
  }

  draw(request: DrawRequest, ids: Int32Array, logQ: Float64Array, at = 0): ScaledDraw {
    return this.drawExcluding(request, NO_IDS, 0, 0, ids, logQ, at);
  }

  drawExcluding(
    request: DrawRequest,
    excluded: Int32Array,
    start: number,
    end: number,
    ids: Int32Array,
    logQ: Float64Array,
    at = 0,
  ): ScaledDraw {
    const { S } = request;
    const available = this.n - (end - start);
    requireCandidates(S);
    requireDistinct(this.replacement ? 1 : S, available, this.n);
    requireRoom(S, ids, logQ, at);
    this.#uniforms.address(request.key, candidateStream(request.item), request.step, request.item);
    if (this.replacement) this.#drawRanks(S, available, ids, at);
    else if (S === available) for (let i = 0; i < S; i++) ids[at + i] = i;
    else this.#drawDistinctRanks(S, available, ids, at);
    if (end > start) for (let i = at; i < at + S; i++) ids[i] = unrank(ids[i], excluded, start, end);
    this.#draw.set(S, (end - start) / this.n, available / this.n, excluded, start, end);
    logQ.fill(this.#draw.targetLogQ(0), at, at + S);
    return this.#draw;
  }

  #drawRanks(S: number, available: number, ids: Int32Array, at: number): void {
    const { pairs } = this.#uniforms;
    for (let drawn = 0; drawn < S; ) {
      const count = this.#uniforms.fill(drawn, S - drawn);
      for (let i = 0; i < count; i++) ids[at + drawn + i] = uniformInteger(pairs[2 * i], available);
      drawn += count;
    }
  }

  /** Fisher–Yates on 0 … available−1: place i takes what stands at a random place j ≥ i, and what stood at i goes to j. */
  #drawDistinctRanks(S: number, available: number, ids: Int32Array, at: number): void {
    const { pairs } = this.#uniforms;
    const displaced = this.#displaced;
    displaced.reset(S, true);
    for (let drawn = 0; drawn < S; ) {
      const count = this.#uniforms.fill(drawn, S - drawn);
      for (let k = 0; k < count; k++) {
        const i = drawn + k;
        const j = i + uniformInteger(pairs[2 * k], available - i);
        ids[at + i] = displaced.get(j, j);
        displaced.set(j, displaced.get(i, i));
      }
      drawn += count;
    }
  }
}

/** The rank-th (from 0) of the ids not in excluded[start .. end): rank + the number of excluded ids below the answer. */
function unrank(rank: number, excluded: Int32Array, start: number, end: number): number {
  let low = 0;
  let high = end - start;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (excluded[start + middle] - middle <= rank) low = middle + 1;
    else high = middle;
  }
  return rank + low;
}
