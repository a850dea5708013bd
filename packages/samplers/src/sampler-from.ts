import { LogUniformLaw } from "./laws/log-uniform.js";
import { UniformLaw } from "./laws/uniform.js";
import { UnigramLaw } from "./laws/unigram.js";
import { DistinctSampler } from "./samplers/distinct.js";
import { GivenSampler } from "./samplers/given.js";
import { IndependentSampler } from "./samplers/independent.js";
import { UniformSampler } from "./samplers/uniform.js";
import type { SamplerState } from "./state.js";
import type { Law, Sampler } from "./types.js";

/** The sampler of a state, in any thread. O(1): tables are used where they lie. */
export function samplerFrom(state: SamplerState): Sampler {
  if (state.given !== null) return new GivenSampler(state.n, state.given);
  const { replacement, expectedCount } = state.spec;
  const law = lawFrom(state);
  if (law instanceof UniformLaw && (replacement || expectedCount === "exact")) {
    return new UniformSampler(law, replacement);
  }
  return replacement ? new IndependentSampler(law) : new DistinctSampler(law, expectedCount);
}

function lawFrom(state: SamplerState): Law {
  if (state.unigram !== null) return new UnigramLaw(state.unigram);
  return state.spec.name === "uniform" ? new UniformLaw(state.n) : new LogUniformLaw(state.n);
}
