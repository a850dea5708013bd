import { SamplerError } from "@logq/core";
import { Decay } from "./decay.js";
import { CLOCK, type FrequencyTables } from "./frequency-tables.js";
import { Slots } from "./slots.js";
import { requireFitting, requireObservation, requireValues, restore, snapshotOf } from "./snapshot.js";
import type { FrequencyEstimator, FrequencyKind, StateSnapshot } from "./types.js";

/** The estimator of shared tables, in any thread. O(1). */
export function frequencyFrom(tables: FrequencyTables): FrequencyEstimator {
  if (tables.spec.kind === "given") return new GivenFrequency(tables);
  return tables.spec.kind === "average" ? new AverageFrequency(tables) : new StreamingFrequency(tables);
}

/** What all estimators do alike: checks, clock and snapshots. */
abstract class TableFrequency implements FrequencyEstimator {
  abstract readonly kind: FrequencyKind;
  protected readonly tables: FrequencyTables;
  protected readonly slots: Slots;

  constructor(tables: FrequencyTables) {
    const { spec, n } = tables;
    this.tables = tables;
    this.slots = new Slots(spec.slots ?? n!, spec.arrays, spec.slots !== null);
  }

  abstract share(id: number): number;
  /** Takes in checked targets of a step; `first` is the first step that was ever observed. */
  protected abstract learn(step: number, first: number, ids: Int32Array, from: number, to: number): void;

  get nextStep(): number {
    return this.tables.clock[CLOCK.next];
  }

  expectedCount(id: number, labels: number): number {
    return labels * this.share(id);
  }

  observe(step: number, ids: Int32Array, from: number, to: number): void {
    const { clock, n } = this.tables;
    requireObservation(this.nextStep, n, step, ids, from, to);
    const first = clock[CLOCK.observed] === 0 ? step : clock[CLOCK.first];
    this.learn(step, first, ids, from, to);
    clock[CLOCK.first] = first;
    clock[CLOCK.observed]++;
    clock[CLOCK.next] = step + 1;
  }

  exportState(): StateSnapshot {
    return snapshotOf(`frequency ${this.kind}`, this.#head(), this.#arrays());
  }

  importState(snapshot: StateSnapshot): void {
    const arrays = this.#arrays();
    requireFitting(snapshot, `frequency ${this.kind}`, this.#head(), arrays);
    for (const name of Object.keys(arrays)) {
      requireValues(name, snapshot.arrays[name], 0, name === "value" ? Infinity : Number.MAX_SAFE_INTEGER);
    }
    restore(snapshot, arrays);
  }

  #head(): StateSnapshot["head"] {
    const { rate, slots, arrays, floor, smoothing } = this.tables.spec;
    return { n: this.tables.n, rate, slots, arrays, floor, smoothing };
  }

  #arrays() {
    const { value, last, clock } = this.tables;
    return { value, last, clock };
  }
}

/**
 * Exponential moving average of multiplicities: f ← (1 − α)·f + α·count, for every class at every step, where classes that did not come decay when they
 * are looked at: f(t) = (1 − α)^(t − last)·f(last). So an update costs O(targets). The number of targets a step is averaged alike, M ← (1 − α)·M + α·B,
 * and the share is f/M: both started at 0, and 1 − (1 − α)^t, the weight of what was seen, cancels. E[f/M] is the share of the class exactly, from the
 * first step on, for batches of one size drawn independently.
 *
 * Hash arrays: a slot averages all classes that share it, so the least of the m slots is taken (count-min: Cormode, Muthukrishnan, "An improved data
 * stream summary", J. Algorithms 55(1), 2005). It never says too little.
 *
 * One mean is not enough for rare classes: one that comes less often than every 1/α steps has decayed to nothing when it comes again; `floor` bounds that.
 */
export class AverageFrequency extends TableFrequency {
  readonly kind = "average";
  readonly #decay: Decay;

  constructor(tables: FrequencyTables) {
    super(tables);
    this.#decay = new Decay(tables.spec.rate);
  }

  share(id: number): number {
    const { value, last, clock, spec } = this.tables;
    const M = clock[CLOCK.labels];
    if (M === 0) return 1 / this.slots.size;
    const now = clock[CLOCK.next] - 1;
    let least = Infinity;
    for (let array = 0; array < this.slots.arrays; array++) {
      const slot = this.slots.of(id, array);
      const f = value[slot];
      if (f === 0) return spec.floor;
      least = Math.min(least, f * this.#decay.after(now - last[slot]));
    }
    return Math.max(least / M, spec.floor);
  }

  protected override learn(step: number, first: number, ids: Int32Array, from: number, to: number): void {
    const { value, last, clock, spec } = this.tables;
    for (let array = 0; array < this.slots.arrays; array++) {
      for (let i = from; i < to; i++) {
        const slot = this.slots.of(ids[i], array);
        // Repeats within the step find last === step and only add.
        if (last[slot] !== step) {
          value[slot] *= this.#decay.after(step - last[slot]);
          last[slot] = step;
        }
        value[slot] += spec.rate;
      }
    }
    const elapsed = step + 1 - Math.max(clock[CLOCK.next], first);
    clock[CLOCK.labels] = clock[CLOCK.labels] * this.#decay.after(elapsed) + spec.rate * (to - from);
  }
}

/**
 * Streaming estimate of Yi et al., "Sampling-bias-corrected neural modeling for large corpus item recommendations" (RecSys 2019), algorithm 2:
 * when a class comes, δ ← (1 − α)·δ + α·(step − last), last ← step; it comes in a share 1/δ of the steps. With hash arrays 1/max_m δ_m: a slot that
 * classes share has too short a gap.
 *
 * The gap is between steps, so 1/δ is at most 1 and means "comes in a batch at all": a class that comes 50 times in every batch counts as 1
 * (saturation; `average` does not). For classes with an expected count well below 1 both agree.
 *
 * Where the paper starts δ from a constant, the first gap here counts from the first observed step and is taken whole: a waiting time has the mean of a
 * gap, so the start is unbiased for δ. A class that was never seen gets 1/(steps + 1). The share is 1/δ over the mean number of targets a step.
 */
export class StreamingFrequency extends TableFrequency {
  readonly kind = "streaming";

  share(id: number): number {
    const { value, clock, spec } = this.tables;
    const observed = clock[CLOCK.observed];
    const labels = clock[CLOCK.labels];
    if (labels === 0) return 1 / this.slots.size;
    let longest = 0;
    for (let array = 0; array < this.slots.arrays; array++) {
      const gap = value[this.slots.of(id, array)];
      longest = Math.max(longest, gap === 0 ? clock[CLOCK.next] - clock[CLOCK.first] + 1 : gap);
    }
    return Math.max(Math.min(1, observed / (longest * labels)), spec.floor);
  }

  protected override learn(step: number, first: number, ids: Int32Array, from: number, to: number): void {
    const { value, last, clock, spec } = this.tables;
    for (let array = 0; array < this.slots.arrays; array++) {
      for (let i = from; i < to; i++) {
        const slot = this.slots.of(ids[i], array);
        const gap = value[slot];
        if (gap === 0) value[slot] = step - first + 1;
        else if (last[slot] === step) continue;
        else value[slot] = (1 - spec.rate) * gap + spec.rate * (step - last[slot]);
        last[slot] = step;
      }
    }
    clock[CLOCK.labels] += to - from;
  }
}

/** Shares of fixed counts; observations only move the clock. A class of count 0 without smoothing has share 0 and cannot be corrected. */
export class GivenFrequency extends TableFrequency {
  readonly kind = "given";

  share(id: number): number {
    return this.tables.value[id];
  }

  protected override learn(_step: number, _first: number, ids: Int32Array, from: number, to: number): void {
    for (let i = from; i < to; i++) {
      if (this.tables.value[ids[i]] > 0) continue;
      throw new SamplerError(`target ${i} is class ${ids[i]}, whose given count is 0; smoothing > 0 gives it mass`, {
        index: i,
        id: ids[i],
      });
    }
  }
}
