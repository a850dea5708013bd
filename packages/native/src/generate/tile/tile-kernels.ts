import { generateSumOverClasses } from "./class-sums.js";
import { generateSoftmaxExponentials } from "./exponentials.js";
import { generateSoftmaxFactors, generateSoftmaxGradient } from "./gradient.js";
import { generateHingeTile } from "./hinge.js";
import { generateLogisticTile } from "./logistic.js";
import { generateSoftmaxPartials } from "./partials.js";
import { generateScaleColumns, generateSubtractPerRow } from "./per-row.js";
import { generateSumOverTiles, generateWeightedSumOverTiles } from "./row-sums.js";
import { generateTopK } from "./top-k.js";

/** The kernels behind `TileKernels`. */
export const TILE_KERNELS = {
  softmaxPartials: generateSoftmaxPartials,
  softmaxGradient: generateSoftmaxGradient,
  softmaxExponentials: generateSoftmaxExponentials,
  softmaxFactors: generateSoftmaxFactors,
  logisticTile: generateLogisticTile,
  hingeTile: generateHingeTile,
  sumOverClasses: generateSumOverClasses,
  subtractPerRow: generateSubtractPerRow,
  sumOverTiles: generateSumOverTiles,
  scaleColumns: generateScaleColumns,
  weightedSumOverTiles: generateWeightedSumOverTiles,
  topK: generateTopK,
} as const;
