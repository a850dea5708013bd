export { candidateTerms, labelsNeedLogQ, type TermVectors } from "./candidate-terms.js";
export { createTileLoss } from "./create.js";
export { describeLoss, type LossFacts, needsLogQ } from "./loss-facts.js";
export { type LossDefaults, lossDefaults, validateLossSpec } from "./loss-options.js";
export { type Correction, LOSS_NAMES, type LossName, type LossSpec } from "./loss-spec.js";
export type {
  LossPositives,
  LossRows,
  LossTile,
  NormalisedLoss,
  SeparableLoss,
  TileLoss,
} from "./tile-loss.js";
