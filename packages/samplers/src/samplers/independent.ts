import { contains, massOf, NO_IDS, requireRemainingMass } from "../exclusion.js";
import { candidateStream, requireCandidates, requireRoom } from "../requests.js";
import type { DrawRequest, Law, Sampler, SamplerName } from "../types.js";
import { AddressedUniforms } from "../uniforms.js";
import { ScaledDraw } from "./scaled-draw.js";

/** S independent draws of a law, with replacement: Q = S·p exactly. Try i uses pair i of the address. */
export class IndependentSampler implements Sampler {
  readonly name: SamplerName;
  readonly n: number;
  readonly replacement = true;
  readonly contextual = false;
  readonly hasLogQ = true;
  readonly hasTargetLogQ = true;
  readonly law: Law;
  readonly #uniforms = new AddressedUniforms();
  readonly #draw: ScaledDraw;

  constructor(law: Law) {
    this.name = law.name;
    this.n = law.n;
    this.law = law;
    this.#draw = new ScaledDraw(law);
  }

  requireDrawable(S: number): void {
    requireCandidates(S);
  }

  draw(request: DrawRequest, ids: Int32Array, logQ: Float64Array, at = 0): ScaledDraw {
    return this.drawExcluding(request, NO_IDS, 0, 0, ids, logQ, at);
  }

  /** By rejection: tries that meet an excluded class are passed over, which leaves the conditional law. */
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
    requireCandidates(S);
    requireRoom(S, ids, logQ, at);
    const excludedMass = massOf(this.law, excluded, start, end);
    requireRemainingMass(excludedMass, end - start);
    const uniforms = this.#uniforms;
    const draw = this.#draw;
    draw.set(S, excludedMass, 1 - excludedMass, excluded, start, end);
    uniforms.address(request.key, candidateStream(request.item), request.step, request.item);
    let tries = 0;
    for (let drawn = 0; drawn < S; ) {
      const count = uniforms.fill(tries, S - drawn);
      for (let i = 0; i < count; i++) {
        const id = this.law.draw(uniforms.pairs[2 * i], uniforms.pairs[2 * i + 1]);
        if (contains(excluded, start, end, id)) continue;
        ids[at + drawn++] = id;
      }
      tries += count;
    }
    // A loop of its own: reads of the tables that do not wait for each other overlap.
    for (let i = at; i < at + S; i++) logQ[i] = draw.targetLogQ(ids[i]);
    draw.tries = tries;
    return draw;
  }
}
