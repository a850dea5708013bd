import { generateColumnSums } from "./column-sums.js";
import { generateGatherRows, generateGatherRowsInPieces, generateScatterRows } from "./copy.js";
import { generatePairDots } from "./dots.js";
import { generateAllFinite } from "./finite.js";
import { generateNormalizeRows, generateNormalizeRowsBackward } from "./normalize.js";
import { generateAddScaled, generateFill, generateScaleRows } from "./scale.js";
import { generateSumOfSquares } from "./squares.js";
import { generateWeightedRowSums } from "./weighted-sums.js";

/** The kernels behind `RowKernels`, and those of `VectorKernels` and `DenseKernels` that are nothing but sums and copies. */
export const ROW_KERNELS = {
  gatherRows: generateGatherRows,
  scatterRows: generateScatterRows,
  gatherRowsInPieces: generateGatherRowsInPieces,
  weightedRowSums: generateWeightedRowSums,
  pairDots: generatePairDots,
  scaleRows: generateScaleRows,
  normalizeRows: generateNormalizeRows,
  normalizeRowsBackward: generateNormalizeRowsBackward,
  sumOfSquares: generateSumOfSquares,
  allFinite: generateAllFinite,
  addScaled: generateAddScaled,
  fill: generateFill,
  columnSums: generateColumnSums,
} as const;
