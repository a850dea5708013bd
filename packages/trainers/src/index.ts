export { TABLE_TYPES, type TableType } from "@logq/kernels";
export { isRun, type RunHead, readRun, type StoredTable } from "./checkpoint/format.js";
export { readNames } from "./checkpoint/names.js";
export { loadSamplerState } from "./checkpoint/sampler-state.js";
export { saveModel } from "./checkpoint/save.js";
export { PRODUCT_TYPES, type ProductType } from "./engine/products.js";
export type { EvaluationProgress, EvaluationRequest, EvaluationResult } from "./evaluate/evaluate.js";
export { type EvaluateRunOptions, evaluateRun } from "./evaluate/evaluate-run.js";
export {
  CUT_OFF_METRICS,
  type Metric,
  parseMetrics,
  RANKING_METRICS,
  type RankingMetricName,
  SOFTMAX_METRICS,
} from "./evaluate/metrics.js";
export {
  inversePropensities,
  type PropensityLaw,
  type TrainingCounts,
  USUAL_PROPENSITY,
} from "./evaluate/propensity.js";
export {
  type AdaptiveRun,
  type AdaptiveShape,
  lossNameOf,
  TRAIN_LOSSES,
  type TrainLossName,
} from "./model/adaptive.js";
export type { ModelShape } from "./model/engine-spec.js";
export {
  CLASS_WEIGHT_RULES,
  type ClassWeightRule,
  type ClassWeights,
  type FrequencyRule,
  type Propensities,
  type PropensityRule,
} from "./model/label-weights.js";
export {
  CLASS_BIASES,
  type ClassBias,
  ENCODERS,
  type EncoderName,
  EXAMPLES,
  type ExampleKind,
  REDUCTIONS,
  type Reduction,
  type RunOptions,
  type TrainOptions,
} from "./model/options.js";
export { RECIPES, type RecipeName } from "./model/recipes.js";
export {
  bringsTargets,
  drawsWithReplacement,
  isContextual,
  isPool,
  isStateful,
  type RunSampler,
  type SamplerOptions,
  TRAIN_SAMPLERS,
  type TrainSamplerName,
} from "./model/samplers.js";
export { TREES, type TreeName } from "./model/tree.js";
export { MANY_CLASSES } from "./model/warnings.js";
export { OPTIMIZERS, type OptimizerName, type OptimizerSpec } from "./optimize/optimizer.js";
export { SCHEDULES, type ScheduleName, type ScheduleSpec } from "./optimize/schedule.js";
export {
  ACTIVITIES,
  type Activity,
  KERNEL_KINDS,
  type KernelKind,
  PHASES,
  type PhaseName,
  type PhaseTimes,
  type WorkerProfile,
} from "./parallel/profile.js";
export type { ProbePoint, TrainEnd, TrainProgress, TrainReport, ValidationPoint } from "./run/report.js";
export { type TrainHooks, train } from "./run/train.js";
export { Trainer } from "./run/trainer.js";
export type { GivenCandidates, Targets } from "./serve/layer-batch.js";
export type { OutputLayerOptions } from "./serve/layer-spec.js";
export { loadModel, type Model, type Scored, type TableChoice, usualTable } from "./serve/model.js";
export type { ModelInput } from "./serve/model-input.js";
export { OutputLayer, type StepOptions, type StepResult } from "./serve/output-layer.js";
export { CONTEXT_MODES, type ContextMode } from "./sources/source.js";
export { classOfRow, DEFAULT_LANES, rowOfClass, type TableShape, tableShape } from "./table/lanes.js";
