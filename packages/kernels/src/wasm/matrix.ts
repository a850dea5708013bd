import type { MatrixKernels } from "../interface/matrix.js";
import { sumOfProducts } from "../sum-of-products.js";
import type { WasmExports } from "./exports.js";

/** Columns of a panel of the packed right operand: PANEL in assembly/pack.ts. */
const PANEL = 8;

const FLOAT_BYTES = 4;

export function wasmMatrix({ packRight, packRightTransposed, multiply }: WasmExports): MatrixKernels {
  return {
    packedBytes: (K, N) => Math.ceil(N / PANEL) * PANEL * K * FLOAT_BYTES,
    packRight,
    packRightTransposed,
    packedColumn: (packed, K, column) => packed + FLOAT_BYTES * K * column,
    multiply,
    multiplySum: sumOfProducts(multiply),
  };
}
