export { candidateTerms, labelsNeedLogQ, type TermVectors, weighsByQ } from "./candidate-terms.js";
export { countsByLabels, countsDraws, tileFactorOf } from "./counts.js";
export { createFullLoss, createTileLoss } from "./create.js";
export { describeLoss, type LossFacts, needsLogQ } from "./loss-facts.js";
export { type LossDefaults, lossDefaults, validateLossSpec } from "./loss-options.js";
export {
  type Correction,
  LOSS_NAMES,
  type LossName,
  type LossSpec,
  MARGIN_KINDS,
  type MarginKind,
} from "./loss-spec.js";
export { NORM_EPSILON } from "./public/block.js";
export { computeLoss } from "./public/compute.js";
export type {
  ComputeOptions,
  LossAnswer,
  LossCandidates,
  LossProblem,
  RaggedIds,
  RaggedTargets,
} from "./public/problem.js";
export type {
  LossPositives,
  LossRows,
  LossTile,
  NormalisedLoss,
  PairwiseLoss,
  SeparableLoss,
  TileLoss,
  WalkedLoss,
} from "./tile-loss.js";
