import { generateMultiply } from "./multiply.js";
import { generatePackRight, generatePackRightTransposed } from "./pack.js";

/** The kernels behind `MatrixKernels`. */
export const MATRIX_KERNELS = {
  multiply: generateMultiply,
  packRight: generatePackRight,
  packRightTransposed: generatePackRightTransposed,
} as const;
