import { type AliasTable, buildAliasTable, drawAlias, RandomStream, STREAM } from "@logq/core";
import { createSamplerState, type Sampler, type SamplerSpec, samplerFrom, samplerStateBytes } from "@logq/samplers";
import type { Layer } from "./layer.js";
import type { Proposal } from "./proposal.js";

/** Laws that do not look at the context. Targets are excluded by the samplers themselves. */
export function staticProposal(layer: Layer, spec: SamplerSpec): Proposal {
  const { name, ...options } = spec;
  const { n, key, targets } = layer;
  const sampler = samplerFrom(createSamplerState(spec, n, name === "unigram" ? { counts: layer.counts } : {}));
  return {
    sampler: name,
    options,
    bytes: samplerStateBytes(spec, n),
    biased: false,
    law: (_, out) => writeLaw(sampler, out),
    draw(step, context, S, { ids, logQ }) {
      const request = { key, step, item: context + 1, S };
      return sampler.drawExcluding(request, targets, context, context + 1, ids, logQ).S;
    },
  };
}

function writeLaw(sampler: Sampler, out: Float64Array): void {
  const law = sampler.law!;
  for (let id = 0; id < out.length; id++) out[id] = law.logProbability(id);
}

/** The softmax itself, without the target: every weight is equal, so what is left of the error is the best that S draws can do. */
export function exactProposal(layer: Layer): Proposal {
  const { key, targets, logSoftmax } = layer;
  const tables: (AliasTable | undefined)[] = [];
  const uniforms = new Float64Array(2);
  return {
    sampler: "exact softmax",
    options: {},
    bytes: 0,
    biased: false,
    law: (context, out) => out.set(logSoftmax[context]!),
    draw(step, context, S, { ids, logQ }) {
      const logs = logSoftmax[context]!;
      const target = targets[context]!;
      tables[context] ??= buildAliasTable(Float64Array.from(logs, (log, id) => (id === target ? 0 : Math.exp(log))));
      const stream = new RandomStream(key, STREAM.measurement, step, context);
      const offset = Math.log(S) - Math.log1p(-Math.exp(logs[target]!));
      for (let i = 0; i < S; i++) {
        stream.fillUniform(uniforms, 2, 2 * i);
        const id = drawAlias(tables[context], uniforms[0]!, uniforms[1]!);
        ids[i] = id;
        logQ[i] = logs[id]! + offset;
      }
      return S;
    },
  };
}
