export {
  type CompareOptions,
  type Comparison,
  compareArrays,
  expectAllClose,
  expectNoWorse,
  largestError,
  type Mismatch,
  type Tolerance,
} from "./compare.js";
export { checkGradient, type GradientCheck } from "./gradient.js";
export {
  type CandidateAnswer,
  type CandidateLossName,
  type CandidateProblem,
  candidateLoss,
} from "./oracles/candidates.js";
export { matmul, matmulFloat32, transpose } from "./oracles/matrix.js";
export {
  type FullSoftmaxAnswer,
  type FullSoftmaxProblem,
  fullSoftmax,
  logSumExp,
  type RaggedTargets,
  ragged,
  softmax,
} from "./oracles/softmax.js";
export { Printed } from "./printed.js";
export { TestRandom } from "./random.js";
export { AWKWARD_SIZES, type Case, crossSparsely, SMALL_AWKWARD_SIZES } from "./sizes.js";
export { binomialBounds, expectBinomial } from "./statistics/binomial.js";
export {
  type ChiSquareOptions,
  type ChiSquareResult,
  chiSquareTest,
  chiSquareUpperTail,
  expectChiSquare,
} from "./statistics/chi-square.js";
export { gammaP, gammaQ, logGamma } from "./statistics/gamma.js";
export {
  type KolmogorovResult,
  kolmogorovTest,
  kolmogorovTwoSampleTest,
  kolmogorovUpperTail,
} from "./statistics/kolmogorov.js";
export { expectMean, type MeanOptions, Moments } from "./statistics/moments.js";
export { normalCdf, normalUpperTail, zBound } from "./statistics/normal.js";
