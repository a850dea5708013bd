import { candidateTerms, describeLoss, type LossName, lossDefaults, type TermVectors } from "@logq/losses";
import { fillUniform } from "../data.js";
import type { Group, Variant } from "../measure/group.js";
import { requireClose } from "../measure/wrong-result.js";
import { PLAIN_LOSSES } from "./plain-loss.js";

/** Sampling losses: the others have no candidates to correct. */
const NAMES: readonly LossName[] = PLAIN_LOSSES.filter((name) => describeLoss(name).candidates);

const TEMPERATURE = 0.8;

/** What is added to the logits of S candidates, and how often each counts: bias, temperature, log Q and multiplicity. */
export function termsGroup(S: number): Group {
  return {
    name: `candidateTerms, S = ${S}`,
    variants: NAMES,
    async prepare(wanted) {
      return { variants: NAMES.filter((name) => wanted.includes(name)).map((name) => termsVariant(name, S)) };
    },
  };
}

function termsVariant(name: LossName, S: number): Variant {
  const spec = { ...lossDefaults(name).spec, temperature: TEMPERATURE };
  const vectors = {
    from: 0,
    to: S,
    bias: fillUniform(new Float32Array(S), 31, -1, 1),
    logQ: fillUniform(new Float64Array(S), 32, -9, 0),
    multiplicity: Int32Array.from({ length: S }, (_, i) => 1 + (i % 3)),
    add: new Float32Array(S),
    weight: new Float32Array(S),
  } satisfies TermVectors;
  const run = () => candidateTerms(spec, "candidate", vectors);
  return {
    name,
    work: { items: { name: "candidate", count: S } },
    run,
    check() {
      run();
      const { bias, logQ, multiplicity } = vectors;
      const softmax = name === "sampled-softmax";
      const corrects = name !== "negative-sampling" && name !== "sampled-one-vs-all";
      const add = Float64Array.from({ length: S }, (_, i) => {
        const correction = corrects ? -logQ[i]! : 0;
        return bias[i]! / TEMPERATURE + correction + (softmax ? Math.log(multiplicity[i]!) : 0);
      });
      requireClose(`${name}: add`, vectors.add, add, { absolute: 2e-6 });
      if (softmax) return;
      const weight = Float64Array.from({ length: S }, (_, i) => {
        return multiplicity[i]! * (name === "sampled-one-vs-all" ? Math.exp(-logQ[i]!) : 1);
      });
      requireClose(`${name}: weight`, vectors.weight, weight, { relative: 1e-6 });
    },
  };
}
