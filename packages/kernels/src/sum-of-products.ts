import type { MatrixKernels } from "./interface/matrix.js";

/** `multiplySum` as one product after the other, for back-ends that have nothing better. */
export function sumOfProducts(multiply: MatrixKernels["multiply"]): MatrixKernels["multiplySum"] {
  return (out, ldOut, left, rowStride, leftStep, packed, packedStep, M, K, N, segments, accumulate) => {
    if (segments === 0) multiply(out, ldOut, left, rowStride, 1, packed, M, 0, N, accumulate);
    for (let s = 0; s < segments; s++) {
      const [leftOf, packedOf] = [left + 4 * leftStep * s, packed + packedStep * s];
      multiply(out, ldOut, leftOf, rowStride, 1, packedOf, M, K, N, accumulate || s > 0);
    }
  };
}
