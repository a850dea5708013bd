import { SamplerError } from "@logq/core";
import { requireRoom } from "../requests.js";
import { samplerFrom } from "../sampler-from.js";
import type { Draw, Sampler } from "../types.js";
import { BatchDraw } from "./batch-draw.js";
import type { BatchTables, OwnLabels } from "./batch-spec.js";
import { frequencyFrom } from "./frequency.js";
import { requireUnseenStep } from "./learned-unigram.js";
import { joinSnapshots, partOf, requireFitting, requireIds, requireObservation } from "./snapshot.js";
import { TargetRing } from "./target-ring.js";
import type { FrequencyEstimator, StatefulName, StatefulRequest, StatefulSampler, StateSnapshot } from "./types.js";

/**
 * Candidates that are targets: those of the batch at hand (`in-batch`), with S' draws of a static law beside them (`mixed`: Yang et al., "Mixed negative
 * sampling for learning two-tower neural networks in recommendations", WWW 2020 companion), or with the targets of the last M batches (`cross-batch`: Wang,
 * Zhu, He, "Cross-batch negative sampling for training two-tower recommenders", SIGIR 2021). In this order: the batch's, the ring's, the draws.
 *
 * The law. Targets of a batch are B draws from the data's own law f, with replacement: a class with three rows is there three times. So the expected count
 * of a class is Q = B·f; a ring that holds R targets makes it (B + R)·f, and S' draws of p add S'·p, for expectations add.
 * Merging equal candidates keeps Q and gives a multiplicity. f comes from an estimator that has seen the steps before, not this one.
 *
 * The row's own label. It is always among the candidates, as an accidental hit that is removed or kept as the loss says. Removed, what is left of the batch
 * are B − 1 draws: `own: "left-out"` states Q = (B − 1)·f + … instead (rows of one label). For `in-batch` and losses that correct target and candidates
 * alike it is the same, a constant factor.
 *
 * Cross-batch here keeps ids and no vectors: rows are read from the table of today, so nothing in the ring goes stale but the frequency with which its
 * classes were met. The estimator has seen exactly the batches of the ring, so its errors and the ring's content go together: a class that is by chance
 * often in the ring has a share that is a little too high. With averages over many more steps than M it does not matter.
 */
export class BatchSampler implements StatefulSampler {
  readonly name: StatefulName;
  readonly n: number;
  readonly replacement = true;
  readonly contextual = false;
  readonly hasLogQ = true;
  readonly hasTargetLogQ = true;
  readonly law = null;
  readonly frequency: FrequencyEstimator;
  readonly #own: OwnLabels;
  readonly #ring: TargetRing | null;
  readonly #extra: Sampler | null;
  readonly #draw: BatchDraw;

  constructor(tables: BatchTables) {
    this.name = tables.spec.name;
    this.n = tables.n;
    this.frequency = frequencyFrom(tables.frequency);
    this.#own = tables.spec.own;
    this.#ring = tables.ring === null ? null : new TargetRing(tables.ring);
    this.#extra = tables.extra === null ? null : samplerFrom(tables.extra);
    this.#draw = new BatchDraw(this.frequency, this.#extra?.law ?? null);
  }

  get nextStep(): number {
    return this.frequency.nextStep;
  }

  count(S: number, labels: number): number {
    return labels + (this.#ring?.held ?? 0) + (this.#extra === null ? 0 : S);
  }

  most(S: number, labels: number): number {
    const ring = this.#ring === null ? 0 : this.#ring.batches * this.#ring.labels;
    return labels + ring + (this.#extra === null ? 0 : S);
  }

  requireDrawable(S: number): void {
    this.#extra?.requireDrawable(S);
  }

  /** @throws SamplerError also for a candidate of expected count 0 (a given frequency without mass) */
  draw(request: StatefulRequest, ids: Int32Array, logQ: Float64Array, at = 0): Draw {
    const { labels, from, to } = request;
    requireUnseenStep(this, request.step);
    requireIds(this.n, labels, from, to);
    const held = this.#ring?.held ?? 0;
    const targets = to - from + held - (this.#own === "left-out" ? 1 : 0);
    if (targets < 1 && this.#extra === null) {
      throw new SamplerError(`${this.name} has no candidate: the batch has ${to - from} targets, the ring ${held}`, {
        labels: to - from,
        held,
        own: this.#own,
      });
    }
    const all = this.count(request.S, to - from);
    requireRoom(all, ids, logQ, at);
    for (let i = from; i < to; i++) ids[at + i - from] = labels[i];
    this.#ring?.copyTo(ids, at + to - from);
    const tries = this.#extra?.draw(request, ids, logQ, at + to - from + held).tries ?? 0;
    this.#draw.set(all, Math.max(0, targets), this.#extra === null ? 0 : request.S, tries);
    for (let i = at; i < at + all; i++) {
      logQ[i] = this.#draw.logQ(ids[i]);
      if (logQ[i] === -Infinity) throw impossible(this.name, ids[i]);
    }
    return this.#draw;
  }

  observe(step: number, ids: Int32Array, from: number, to: number): void {
    requireObservation(this.nextStep, this.n, step, ids, from, to);
    this.#ring?.requireRoom(to - from);
    this.frequency.observe(step, ids, from, to);
    this.#ring?.push(ids, from, to);
  }

  exportState(): StateSnapshot {
    const frequency = this.frequency.exportState();
    return joinSnapshots(
      this.name,
      {},
      this.#ring === null ? { frequency } : { frequency, ring: this.#ring.exportState() },
    );
  }

  importState(snapshot: StateSnapshot): void {
    requireFitting(snapshot, this.name, {}, {});
    const ring = partOf(snapshot, "ring");
    this.#ring?.requireImportable(ring);
    this.frequency.importState(partOf(snapshot, "frequency"));
    this.#ring?.restore(ring);
  }
}

function impossible(name: string, id: number): SamplerError {
  return new SamplerError(
    `${name} has candidate ${id}, whose expected count is said to be 0 (log Q = −∞); smoothing or floor > 0 gives it mass`,
    { id },
  );
}
