import { SamplerError } from "@logq/core";
import { DistinctSampler } from "../samplers/distinct.js";
import { IndependentSampler } from "../samplers/independent.js";
import type { Draw, DrawRequest, Sampler } from "../types.js";
import { LearnedLaw } from "./learned-law.js";
import { allocateLearnedTables, LEARNED_CLOCK, type LearnedTables, type LearnedUnigramSpec } from "./learned-tables.js";
import { requireFitting, requireObservation, requireValues, restore, snapshotOf, sumOf } from "./snapshot.js";
import type { StatefulSampler, StateSnapshot } from "./types.js";

const KIND = "learned-unigram";

/** Tables that are ready to draw from. @throws as allocateLearnedTables */
export function createLearnedTables(spec: LearnedUnigramSpec, n: number, seen?: ArrayLike<number>): LearnedTables {
  const tables = allocateLearnedTables(spec, n, seen);
  new LearnedLaw(tables).rebuild();
  return tables;
}

/**
 * Candidates from the counts of the targets seen so far. Q = S·p with replacement; without, as `DistinctSampler`. Targets never influence the draw of their
 * own step.
 */
export class LearnedUnigramSampler implements StatefulSampler {
  readonly name = KIND;
  readonly n: number;
  readonly replacement: boolean;
  readonly contextual = false;
  readonly hasLogQ = true;
  readonly hasTargetLogQ = true;
  readonly law: LearnedLaw;
  readonly #tables: LearnedTables;
  readonly #sampler: Sampler;

  constructor(tables: LearnedTables) {
    this.n = tables.n;
    this.replacement = tables.spec.replacement;
    this.law = new LearnedLaw(tables);
    this.#tables = tables;
    this.#sampler = this.replacement ? new IndependentSampler(this.law) : new DistinctSampler(this.law, "exact");
  }

  get nextStep(): number {
    return this.#tables.clock[LEARNED_CLOCK.next];
  }

  count(S: number, _labels: number): number {
    return S;
  }

  most(S: number, _labels: number): number {
    return S;
  }

  requireDrawable(S: number): void {
    this.#sampler.requireDrawable(S);
  }

  draw(request: DrawRequest, ids: Int32Array, logQ: Float64Array, at = 0): Draw {
    requireUnseenStep(this, request.step);
    return this.#sampler.draw(request, ids, logQ, at);
  }

  /** As `Sampler.drawExcluding`: the law conditional on none of the excluded classes. */
  drawExcluding(
    request: DrawRequest,
    excluded: Int32Array,
    start: number,
    end: number,
    ids: Int32Array,
    logQ: Float64Array,
    at = 0,
  ): Draw {
    requireUnseenStep(this, request.step);
    return this.#sampler.drawExcluding(request, excluded, start, end, ids, logQ, at);
  }

  observe(step: number, ids: Int32Array, from: number, to: number): void {
    requireObservation(this.nextStep, this.n, step, ids, from, to);
    this.law.observe(ids, from, to);
    this.#tables.clock[LEARNED_CLOCK.next] = step + 1;
  }

  /** 8 bytes a class, and 4 for each target the journal can hold: tree and table are made anew from them. */
  exportState(): StateSnapshot {
    return snapshotOf(KIND, this.#head(), this.#arrays());
  }

  importState(snapshot: StateSnapshot): void {
    const arrays = this.#arrays();
    const { spec } = this.#tables;
    requireFitting(snapshot, KIND, this.#head(), arrays);
    const saved = snapshot.arrays;
    requireValues("counts", saved.counts.subarray(0, this.n), spec.initial, Number.MAX_SAFE_INTEGER);
    requireValues("counts", saved.counts.subarray(this.n), 0, 0);
    requireValues("clock", saved.clock, 0, Number.MAX_SAFE_INTEGER);
    requireValues("journal", saved.journal, 0, this.n - 1);
    requireValues("noted", [saved.clock[LEARNED_CLOCK.noted]], 0, spec.journal);
    const sum = sumOf(saved.counts);
    requireValues("total", [saved.clock[LEARNED_CLOCK.total]], sum, sum);
    restore(snapshot, arrays);
    this.law.rebuild();
  }

  #head(): StateSnapshot["head"] {
    const { structure, initial, increment, journal } = this.#tables.spec;
    return { n: this.n, structure, initial, increment, journal };
  }

  #arrays() {
    const { counts, clock, alias } = this.#tables;
    return { counts, clock, journal: alias?.journal ?? new Int32Array(0) };
  }
}

/** @throws SamplerError: a state that has seen the targets of a step would tell them to the draw of that step */
export function requireUnseenStep(sampler: { readonly nextStep: number }, step: number): void {
  if (step >= sampler.nextStep) return;
  throw new SamplerError(`step ${step} was observed already; the next draw is for step ${sampler.nextStep} or later`, {
    step,
    nextStep: sampler.nextStep,
  });
}
