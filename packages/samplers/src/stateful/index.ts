export { BatchSampler } from "./batch-sampler.js";
export {
  BATCH_NAMES,
  type BatchSpec,
  type BatchTables,
  createBatchTables,
  OWN_LABELS,
  type OwnLabels,
  type ValidBatchSpec,
  validateBatchSpec,
} from "./batch-spec.js";
export { atLeastOnce, type MixedCounts, mixedExpectedCount, mixedProbability } from "./expected-counts.js";
export { frequencyFrom } from "./frequency.js";
export {
  createFrequencyTables,
  type FrequencySpec,
  type FrequencyTables,
  frequencyBytes,
  type ValidFrequencySpec,
  validateFrequencySpec,
} from "./frequency-tables.js";
export { type HardCandidates, hardest } from "./hardest.js";
export {
  type LearnedTables,
  type LearnedUnigramSpec,
  STRUCTURES,
  type Structure,
  type ValidLearnedUnigramSpec,
  validateLearnedUnigramSpec,
} from "./learned-tables.js";
export { createLearnedTables, LearnedUnigramSampler } from "./learned-unigram.js";
export {
  createStatefulState,
  type StatefulInputs,
  type StatefulSpec,
  type StatefulState,
  statefulSamplerFrom,
  statefulStateBytes,
} from "./stateful-state.js";
export { drawSystematically, type Resampled, resample } from "./two-pass.js";
export {
  FREQUENCY_KINDS,
  type FrequencyEstimator,
  type FrequencyKind,
  STATEFUL_NAMES,
  type StateArray,
  type Stateful,
  type StatefulName,
  type StatefulRequest,
  type StatefulSampler,
  type StateSnapshot,
} from "./types.js";
