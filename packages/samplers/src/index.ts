export * from "./contextual/index.js";
export { massOf, NO_IDS, requireRemainingMass, writeExclusion } from "./exclusion.js";
export { type FrequencyOrder, frequencyOrder } from "./frequency-order.js";
export type { GivenLists, GivenTables } from "./given-lists.js";
export { HitFinder } from "./hit-finder.js";
export {
  ACCIDENTAL_HITS,
  type AccidentalHits,
  EXCLUSIONS,
  type Exclusion,
  type HitOptions,
  validateHitOptions,
} from "./hit-options.js";
export { LogUniformLaw } from "./laws/log-uniform.js";
export { UniformLaw } from "./laws/uniform.js";
export { UnigramLaw, type UnigramTables } from "./laws/unigram.js";
export { requireMass } from "./mass.js";
export { type MemorySampler, memorySamplerFrom, memoryTableBytes, writeMemoryTable } from "./memory-sampler.js";
export {
  DESCRIBED_SAMPLERS,
  type DescribedSampler,
  describedBytes,
  describeSampler,
  POOL_NAMES,
  type PoolName,
  type SamplerFacts,
  type SamplerKind,
} from "./sampler-facts.js";
export { samplerFrom } from "./sampler-from.js";
export { validateSamplerSpec } from "./spec.js";
export { createSamplerState, MAX_CLASSES, type SamplerInputs, type SamplerState, samplerStateBytes } from "./state.js";
export * from "./stateful/index.js";
export {
  type Draw,
  type DrawRequest,
  EXPECTED_COUNTS,
  type ExpectedCount,
  type Law,
  MAX_CANDIDATES,
  SAMPLER_NAMES,
  type Sampler,
  type SamplerName,
  type SamplerSpec,
  type ValidSamplerSpec,
} from "./types.js";
