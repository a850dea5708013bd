import { DistinctSet } from "../distinct-set.js";
import { massOf, NO_IDS, requireRemainingMass, supportOf } from "../exclusion.js";
import { candidateStream, requireCandidates, requireDistinct, requireRoom } from "../requests.js";
import type { DrawRequest, ExpectedCount, Law, Sampler, SamplerName } from "../types.js";
import { AddressedUniforms, CHUNK_PAIRS } from "../uniforms.js";
import { Clocks } from "./clocks.js";
import { DistinctDraw } from "./distinct-draw.js";
import { Earliest } from "./earliest.js";

/**
 * S distinct classes of a law: tries are drawn until S classes have come, in O(S) for any n. The candidates are the same whichever
 * expected count is stated, and every prefix of them is itself such a draw.
 *
 * `exact`: the tries are arrivals at rate 1, so the first arrival of class i is an Exp(p_i) clock, independent of the others; one more
 * class is awaited, and Q = P(clock < t) given t, the S-th arrival among the other classes. Then E[Σ f_i/Q_i over the candidates] is
 * Σ f_i over all classes: priority sampling (Duffield, Lund, Thorup, JACM 54(6), 2007) with exponential instead of uniform ranks,
 * the Gumbel-top-k estimator of Kool et al. 2019 in another guise. Q is a random variable, conditional on t.
 *
 * `tensorflow`: Q = 1 − (1 − p)^T after T tries (range_sampler.cc). Biased: T was chosen by what was drawn.
 *
 * A law so skewed that n + 4S tries do not suffice is continued exactly: clocks have no memory, so each class that has not come
 * still needs an Exp(p_i) time, and the earliest of these are found in O(n). The Draw says so (`continued`).
 */
export class DistinctSampler implements Sampler {
  readonly name: SamplerName;
  readonly n: number;
  readonly replacement = false;
  readonly contextual = false;
  readonly hasLogQ = true;
  readonly hasTargetLogQ = true;
  readonly law: Law;
  readonly #exact: boolean;
  readonly #uniforms = new AddressedUniforms();
  readonly #tried = new Int32Array(CHUNK_PAIRS);
  readonly #clocks = new Clocks();
  readonly #drawn = new DistinctSet();
  readonly #earliest = new Earliest();
  readonly #draw: DistinctDraw;
  // The draw at hand: classes wanted and found, tries made, tries that met an excluded class, tries when the last candidate came.
  #goal = 0;
  #found = 0;
  #tries = 0;
  #passedOver = 0;
  #triesAtLast = 0;

  constructor(law: Law, expectedCount: ExpectedCount) {
    this.name = law.name;
    this.n = law.n;
    this.law = law;
    this.#exact = expectedCount === "exact";
    this.#draw = new DistinctDraw(law, this.#drawn);
  }

  requireDrawable(S: number): void {
    requireCandidates(S);
    requireDistinct(S, this.law.support, this.n);
  }

  draw(request: DrawRequest, ids: Int32Array, logQ: Float64Array, at = 0): DistinctDraw {
    return this.drawExcluding(request, NO_IDS, 0, 0, ids, logQ, at);
  }

  /** Tries that meet an excluded class count as arrivals but are passed over: clocks of the other classes do not notice. */
  drawExcluding(
    request: DrawRequest,
    excluded: Int32Array,
    start: number,
    end: number,
    ids: Int32Array,
    logQ: Float64Array,
    at = 0,
  ): DistinctDraw {
    const { S } = request;
    const draw = this.#draw;
    const available = this.law.support - supportOf(this.law, excluded, start, end);
    requireCandidates(S);
    requireDistinct(S, available, this.n);
    requireRoom(S, ids, logQ, at);
    const excludedMass = massOf(this.law, excluded, start, end);
    if (!this.#exact) requireRemainingMass(excludedMass, end - start);
    draw.begin(S, excludedMass, excluded, start, end);
    if (S === available) {
      this.#takeAll(ids, at);
    } else {
      this.#uniforms.address(request.key, candidateStream(request.item), request.step, request.item);
      this.#clocks.address(request.key, request.step, request.item);
      this.#collect(S, ids, at);
      if (this.#found < this.#goal) this.#continue(S, ids, at);
      else this.#conclude();
    }
    for (let i = at; i < at + S; i++) logQ[i] = draw.targetLogQ(ids[i]);
    return draw;
  }

  /** All classes that can be drawn, in order of id. */
  #takeAll(ids: Int32Array, at: number): void {
    let next = at;
    for (let id = 0; id < this.n; id++) {
      if (this.law.probability(id) > 0 && !this.#draw.isExcluded(id)) ids[next++] = id;
    }
    this.#draw.setAll();
  }

  /** Tries until the goal is met: S classes, and for exact counts one more, which only tells the time. Gives up after n + 4S tries. */
  #collect(S: number, ids: Int32Array, at: number): void {
    const drawn = this.#drawn;
    const { pairs } = this.#uniforms;
    const tried = this.#tried;
    const limit = this.n + 4 * S;
    drawn.reset(S);
    this.#goal = this.#exact ? S + 1 : S;
    this.#found = 0;
    this.#tries = 0;
    this.#passedOver = 0;
    while (this.#found < this.#goal && this.#tries < limit) {
      // No more than could be needed, so that no try is made in vain.
      const count = this.#uniforms.fill(this.#tries, Math.min(this.#goal - this.#found, limit - this.#tries));
      // A loop of its own: reads of the tables that do not wait for each other overlap.
      for (let i = 0; i < count; i++) tried[i] = this.law.draw(pairs[2 * i], pairs[2 * i + 1]);
      for (let i = 0; i < count; i++) {
        const id = tried[i];
        this.#tries++;
        if (this.#draw.isExcluded(id)) {
          this.#passedOver++;
        } else if (this.#found === S) {
          if (!drawn.has(id)) this.#found++;
        } else if (drawn.add(id)) {
          ids[at + this.#found++] = id;
          this.#triesAtLast = this.#tries;
        }
      }
    }
    this.#draw.tries = this.#tries;
  }

  /** The goal was met by tries alone. */
  #conclude(): void {
    if (this.#exact) {
      const outside = this.#clocks.elapse(this.#triesAtLast);
      this.#draw.setTimes(outside + this.#clocks.elapse(this.#tries - this.#triesAtLast), outside);
    } else {
      this.#draw.setTries(this.#tries - this.#passedOver);
    }
  }

  /** The tries gave out: the classes that come next are those whose fresh clocks ring first. */
  #continue(S: number, ids: Int32Array, at: number): void {
    this.#draw.continued = true;
    const missing = S - this.#found;
    const remaining = this.#ringRemaining();
    if (this.#exact) this.#continueTimes(missing);
    else this.#continueTries(remaining);
    for (let k = 0; k < missing; k++) {
      const id = this.#earliest.id(k);
      this.#drawn.add(id);
      ids[at + this.#found++] = id;
    }
  }

  /** Finds the earliest fresh clocks of the classes that have not come; answers the mass of all these classes. */
  #ringRemaining(): number {
    const { law } = this;
    const earliest = this.#earliest;
    earliest.reset(this.#goal - this.#found);
    let mass = 0;
    for (let id = 0; id < this.n; id++) {
      const p = law.probability(id);
      if (p === 0 || this.#drawn.has(id) || this.#draw.isExcluded(id)) continue;
      mass += p;
      earliest.offer(this.#clocks.ofClass(id) / p, id);
    }
    earliest.sort();
    return mass;
  }

  /** Times of the S-th and the (S + 1)-th class, `missing` of the S still to come: what the tries took, and the fresh clocks after. */
  #continueTimes(missing: number): void {
    const last = this.#clocks.elapse(missing === 0 ? this.#triesAtLast : this.#tries);
    const now = missing === 0 ? last + this.#clocks.elapse(this.#tries - this.#triesAtLast) : last;
    const outside = missing === 0 ? last : now + this.#earliest.time(missing - 1);
    this.#draw.setTimes(now + this.#earliest.time(missing), outside);
  }

  /** How many tries it would have taken: a Geometric number for each class that comes, by the mass that has not come yet. */
  #continueTries(remainingMass: number): void {
    const possible = 1 - this.#draw.excludedMass;
    let tries = this.#tries - this.#passedOver;
    let remaining = remainingMass;
    for (let k = 0; k < this.#earliest.size; k++) {
      const id = this.#earliest.id(k);
      const p = this.law.probability(id);
      const success = Math.min(1, Math.max(remaining, p) / possible);
      tries += 1 + Math.floor(Math.log1p(-this.#clocks.uniformOfClass(id)) / Math.log1p(-success));
      remaining -= p;
    }
    this.#draw.setTries(tries);
  }
}
