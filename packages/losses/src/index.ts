export { type AdaptiveGradients, type AdaptiveOptions, AdaptiveSoftmax } from "./adaptive/adaptive-softmax.js";
export {
  type ClusterBlock,
  ClusterWalk,
  clusterBlock,
  type HiddenRows,
  TILE_CLASSES,
  type WalkScratch,
} from "./adaptive/cluster-walk.js";
export {
  type AdaptiveClusters,
  type AdaptiveParameters,
  type AdaptiveSpec,
  type AdaptiveTail,
  type AdaptiveTailParameters,
  adaptiveClusters,
  clusterOf,
} from "./adaptive/clusters.js";
export { type AdaptiveAnswer, type AdaptiveProblem, computeAdaptiveLoss } from "./adaptive/compute.js";
export { type CutoffChoice, chooseCutoffs } from "./adaptive/cutoffs.js";
export { ADAPTIVE_SOFTMAX, adaptiveRowCost, type TreeSoftmaxFacts } from "./adaptive/facts.js";
export { allLogProbabilities } from "./adaptive/log-probabilities.js";
export type { AdaptiveCosts } from "./adaptive/product-cost.js";
export { planWalkScratch, widestTail } from "./adaptive/scratch.js";
export {
  type AdaptiveQueries,
  type AdaptiveSizes,
  type AdaptiveSpace,
  type ClusterSpace,
  leadingDimension,
  reserveAdaptive,
} from "./adaptive/space.js";
export { type AdaptiveTopK, type RankedTile, searchTopK } from "./adaptive/top-k.js";
export { candidateTerms, labelsNeedLogQ, type TermVectors, weighsByQ } from "./candidate-terms.js";
export { countsByLabels, countsDraws, tileFactorOf } from "./counts.js";
export { createFullLoss, createTileLoss } from "./create.js";
export { allPaths } from "./hierarchical/all-paths.js";
export { balancedTree, type Halve } from "./hierarchical/balanced.js";
export { type BestPaths, bestPaths } from "./hierarchical/best-paths.js";
export { type ClassTree, classTree, meanPathLength } from "./hierarchical/class-tree.js";
export {
  computeHierarchicalLoss,
  type HierarchicalAnswer,
  type HierarchicalProblem,
} from "./hierarchical/compute.js";
export { HIERARCHICAL_SOFTMAX, hierarchicalRowCost } from "./hierarchical/facts.js";
export {
  type HierarchicalOptions,
  HierarchicalSoftmax,
  type HierarchicalSpace,
  type HierarchicalTopK,
  type NodeGradients,
  reserveHierarchical,
} from "./hierarchical/hierarchical-softmax.js";
export { huffmanTree } from "./hierarchical/huffman.js";
export { nodeBiases } from "./hierarchical/node-biases.js";
export { twoMeansTree } from "./hierarchical/two-means.js";
export {
  effectiveNumberWeights,
  inverseFrequencyWeights,
  labelPropensities,
  type PropensityConstants,
  requireClassWeighted,
  requireClassWeights,
  requirePropensities,
  requirePropensityConstants,
} from "./label-weights.js";
export { describeLoss, type LossFacts, needsLogQ, sharesMass } from "./loss-facts.js";
export { type LossDefaults, lossDefaults, validateLossSpec } from "./loss-options.js";
export {
  type Correction,
  LOSS_NAMES,
  type LossName,
  type LossSpec,
  MARGIN_KINDS,
  type MarginKind,
  type TileLossName,
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
export { capped, capSlope } from "./soft-cap.js";
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
