import { RandomStream, STREAM } from "@logq/core";
import { createSamplerState, hardest, resample, samplerFrom } from "@logq/samplers";
import type { Layer } from "./layer.js";
import type { Candidates, Proposal } from "./proposal.js";

/** Entries of the pool for each candidate that is taken. */
export const POOL_SHARE = 4;

/**
 * Candidates that are chosen by their logits from a pool of 4·S draws of the unigram without the target. `hard` takes distinct ones, and answers with log Q 0:
 * there is none to correct by. There is no law to compare with the softmax.
 * @param most the greatest S
 */
export function poolProposal(layer: Layer, sampler: "hard" | "two-pass", most: number): Proposal {
  const { n, key, counts, targets, logSoftmax } = layer;
  const first = samplerFrom(createSamplerState({ name: "unigram" }, n, { counts }));
  const pool = { ids: new Int32Array(POOL_SHARE * most), logQ: new Float64Array(POOL_SHARE * most) };
  const choose = sampler === "hard" ? takeHardest : takeResampled;
  return {
    sampler,
    options: { pool: `${POOL_SHARE}S of unigram` },
    bytes: 0,
    biased: true,
    law: null,
    draw(step, context, S, out) {
      const P = POOL_SHARE * S;
      first.drawExcluding({ key, step, item: context + 1, S: P }, targets, context, context + 1, pool.ids, pool.logQ);
      const ids = pool.ids.subarray(0, P);
      const logits = Float64Array.from(ids, (id) => logSoftmax[context]![id]!);
      const uniforms = new RandomStream(key, STREAM.measurement, step, context);
      return choose({ ids, logits, logQ: pool.logQ.subarray(0, P) }, S, uniforms, out);
    },
  };
}

/** A pool with the logits of its entries. */
interface Pool extends Candidates {
  readonly logits: Float64Array;
}

/** Repeated entries give way: they are the same class with the same logit. */
function takeHardest({ ids, logits }: Pool, S: number, _: RandomStream, out: Candidates): number {
  const logitOf = new Map(Array.from(ids, (id, i) => [id, logits[i]!] as const));
  const distinct = Int32Array.from(logitOf.keys());
  const taken = Math.min(S, distinct.length);
  const { positions } = hardest([...logitOf.values()], 1, distinct.length, distinct, taken);
  for (let i = 0; i < taken; i++) out.ids[i] = distinct[positions[i]!]!;
  out.logQ.fill(0, 0, taken);
  return taken;
}

function takeResampled({ ids, logits, logQ }: Pool, S: number, stream: RandomStream, out: Candidates): number {
  resample(logits, logQ, S, stream.uniform(0), out.ids, out.logQ);
  for (let i = 0; i < S; i++) out.ids[i] = ids[out.ids[i]!]!;
  return S;
}
