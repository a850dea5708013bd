import { keyFromSeed } from "@logq/core";
import {
  createSamplerState,
  createStatefulState,
  type Draw,
  type Sampler,
  type StatefulSampler,
  type StatefulSpec,
  samplerFrom,
  statefulSamplerFrom,
  statefulStateBytes,
} from "@logq/samplers";
import type { Layer } from "./layer.js";
import { type Candidates, type Proposal, TargetRejection } from "./proposal.js";

/** Batches of targets that a frequency is learned from, and how many targets each has. */
const LEARNED_BATCHES = 2000;
const LEARNED_LABELS = 1024;
/** Batches that `cross-batch` remembers here. */
export const RING_BATCHES = 3;
/** The item of batches that are learned from; those that are drawn have their context's. */
const LEARNING = 0xffff_ffff;

/** Targets of batches, drawn independently by the counts of the classes: what a shuffled epoch shows. */
class Labels {
  readonly ids: Int32Array;
  readonly #logQ: Float64Array;
  readonly #law: Sampler;
  readonly #key = keyFromSeed("targets of batches");

  constructor({ n, counts }: Layer, most: number) {
    this.ids = new Int32Array(most);
    this.#logQ = new Float64Array(most);
    this.#law = samplerFrom(createSamplerState({ name: "unigram" }, n, { counts }));
  }

  draw(step: number, item: number, count: number): Int32Array {
    this.#law.draw({ key: this.#key, step, item, S: count }, this.ids, this.#logQ);
    return this.ids;
  }
}

/**
 * Samplers that learn from targets, after they have seen 2,000 batches of 1,024 of them. A draw of S is: S targets of in-batch; S/2 and S/2 uniform draws of
 * mixed; S/4 targets of each of four batches of cross-batch.
 * @param most the greatest S
 */
export function statefulProposal(layer: Layer, spec: StatefulSpec, most: number): Proposal {
  const { n, targets } = layer;
  const { name, ...options } = spec;
  const ring = { batches: RING_BATCHES, labels: Math.max(LEARNED_LABELS, most) };
  const full: StatefulSpec = spec.name === "cross-batch" ? { ...spec, ...ring } : spec;
  const draws = new StatefulDraws(layer, full, most);
  const law = draws.law();
  const rejection = new TargetRejection(most);
  return {
    sampler: name,
    options: name === "cross-batch" ? { ...options, batches: RING_BATCHES } : options,
    bytes: statefulStateBytes(full, n),
    biased: false,
    law: (_, out) => out.set(law),
    draw(step, context, S, out) {
      const target = targets[context]!;
      return rejection.draw(step, S, target, Math.exp(law[target]!), out, (address, _, block) => {
        draws.draw(address, context, S, block);
        return S;
      });
    },
  };
}

/** A sampler that has learned, and batches for it to be shown. */
class StatefulDraws {
  readonly #layer: Layer;
  readonly #sampler: StatefulSampler;
  readonly #labels: Labels;
  readonly #out: Candidates;

  constructor(layer: Layer, spec: StatefulSpec, most: number) {
    const learned = spec.name === "learned-unigram";
    const inputs = learned ? { counts: layer.counts.map(Math.round) } : {};
    this.#layer = layer;
    this.#sampler = statefulSamplerFrom(createStatefulState(spec, layer.n, inputs));
    this.#labels = new Labels(layer, Math.max(LEARNED_LABELS, most));
    this.#out = { ids: new Int32Array(most), logQ: new Float64Array(most) };
    for (let step = 0; step < LEARNED_BATCHES && !learned; step++) this.#observe(LEARNED_LABELS);
  }

  draw(step: number, context: number, S: number, { ids, logQ }: Candidates): Draw {
    const { name } = this.#sampler;
    const count = { "learned-unigram": 0, "in-batch": S, mixed: S / 2, "cross-batch": S / (RING_BATCHES + 1) }[name];
    if (name === "cross-batch") for (let i = 0; i < RING_BATCHES; i++) this.#observe(count);
    const labels = count === 0 ? this.#labels.ids : this.#labels.draw(step, context, count);
    // The state does not look at the addresses of draws but for their order.
    const address = name === "cross-batch" ? this.#sampler.nextStep : LEARNED_BATCHES + step;
    const request = {
      key: this.#layer.key,
      step: address,
      item: context + 1,
      S: S - count,
      labels,
      from: 0,
      to: count,
    };
    const answer = this.#sampler.draw(request, ids, logQ);
    if (name === "mixed") interleave(ids, logQ, S);
    return answer;
  }

  /** log q (n): the expected counts of a draw over their sum. */
  law(): Float64Array {
    const draw = this.draw(0, 0, this.#out.ids.length, this.#out);
    const logs = Float64Array.from({ length: this.#layer.n }, (_, id) => draw.logQ(id));
    const logSum = Math.log(logs.reduce((sum, log) => sum + Math.exp(log), 0));
    return logs.map((log) => log - logSum);
  }

  #observe(count: number): void {
    const step = this.#sampler.nextStep;
    this.#sampler.observe(step, this.#labels.draw(step, LEARNING, count), 0, count);
  }
}

/** Targets stand before draws in what `mixed` writes: in turns, so that whoever takes a part of them takes of both. */
function interleave(ids: Int32Array, logQ: Float64Array, S: number): void {
  for (const values of [ids, logQ]) {
    const copy = values.slice(0, S);
    for (let i = 0; i < S / 2; i++) {
      values[2 * i] = copy[i]!;
      values[2 * i + 1] = copy[S / 2 + i]!;
    }
  }
}
