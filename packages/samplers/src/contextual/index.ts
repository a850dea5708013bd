export {
  type ContextualInputs,
  type ContextualSpec,
  contextualFrom,
  planContextual,
  requireContextualFits,
} from "./create.js";
export { type Divergence, divergenceFromSoftmax } from "./divergence.js";
export { kernelTreeFrom, planKernelTree } from "./kernel-tree.js";
export {
  BLOCK_LAWS,
  type BlockLaw,
  CLASS_FACTORS,
  type ClassFactor,
  FEATURE_KINDS,
  type FeatureKind,
  type KernelTreeInputs,
  type QuadraticKernelOptions,
  type RandomFeaturesOptions,
  type ValidKernelTreeOptions,
  validateKernelTreeOptions,
} from "./kernel-tree-options.js";
export { type Clustering, type KmeansSpace, kmeans, type Points } from "./kmeans.js";
export { lshFrom, planLsh } from "./lsh.js";
export {
  LSH_CANDIDATES,
  LSH_CLASS_FACTORS,
  LSH_HASHES,
  type LshCandidates,
  type LshClassFactor,
  type LshHash,
  type LshInputs,
  type LshOptions,
  type ValidLshOptions,
  validateLshOptions,
} from "./lsh-options.js";
export { midxFrom, planMidx } from "./midx.js";
export {
  MIDX_CODES,
  type MidxCodes,
  type MidxInputs,
  type MidxOptions,
  type ValidMidxOptions,
  validateMidxOptions,
} from "./midx-options.js";
export {
  type ClassReader,
  CONTEXTUAL_NAMES,
  type Contexts,
  type ContextualName,
  type ContextualPlan,
  type ContextualRequest,
  type ContextualSampler,
  MAX_CONTEXTS,
} from "./types.js";
