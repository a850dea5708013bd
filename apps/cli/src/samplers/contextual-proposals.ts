import type { Backend } from "@logq/blas";
import type { ContextualSpec } from "@logq/samplers";
import { type ClassTable, KernelBench } from "./kernel-bench.js";
import type { Layer } from "./layer.js";
import { type Candidates, type Proposal, TargetRejection } from "./proposal.js";

/** Samplers that look at the hidden vector, built from the layer's class rows as they are. @param most the greatest S */
export function contextualProposal(layer: Layer, backend: Backend, spec: ContextualSpec, most: number): Proposal {
  const { name, ...options } = spec;
  const { n, targets } = layer;
  const bench = new KernelBench(backend, tableOf(layer), spec, Math.max(n, most));
  bench.sampler.build(bench.reader);
  const draws = new ContextDraws(bench, layer);
  const targetQ = Float64Array.from(targets, (target, context) => draws.probability(context, target));
  const rejection = new TargetRejection(most);
  const { biased } = bench.sampler;
  const all = Int32Array.from({ length: n }, (_, id) => id);
  return {
    sampler: name,
    options,
    bytes: bench.plan.tableBytes,
    biased,
    law: biased ? null : (context, out) => draws.law(context, all, out),
    draw(step, context, S, out) {
      if (biased) {
        draws.draw(step, context, S, out);
        return S;
      }
      return rejection.draw(step, S, targets[context]!, targetQ[context]!, out, (address, wanted, block) => {
        draws.draw(address, context, wanted, block);
        return wanted;
      });
    },
  };
}

/** Draws for one context at a time. */
class ContextDraws {
  readonly #bench: KernelBench;
  readonly #layer: Layer;

  constructor(bench: KernelBench, layer: Layer) {
    this.#bench = bench;
    this.#layer = layer;
  }

  draw(step: number, context: number, S: number, out: Candidates): void {
    this.#choose(context);
    this.#bench.draw(step, context, 1, S);
    this.#bench.read(S, out);
  }

  /** log q (n): with S = 1 the expected count is the probability. */
  law(context: number, all: Int32Array, out: Float64Array): void {
    this.#choose(context);
    this.#bench.draw(0, context, 1, 1);
    this.#bench.logQ(0, all, all.length, out);
  }

  probability(context: number, id: number): number {
    const out = new Float64Array(1);
    this.law(context, Int32Array.of(id), out);
    return Math.exp(out[0]!);
  }

  #choose(context: number): void {
    const { D, hidden } = this.#layer;
    this.#bench.setContexts(hidden.subarray(context * D, (context + 1) * D), 1);
  }
}

function tableOf({ n, D, rows, biases, scale, counts, key }: Layer): ClassTable {
  return {
    n,
    D,
    scale,
    counts,
    key,
    hasBiases: biases !== undefined,
    readRow: (id, out, at) => out.set(rows.subarray(id * D, (id + 1) * D), at),
    bias: (id) => biases?.[id] ?? 0,
  };
}
