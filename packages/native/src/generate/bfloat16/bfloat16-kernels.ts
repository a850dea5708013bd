import { generateBfloat16PackRight, generateBfloat16PackRightTransposed } from "./pack.js";
import { generatePairProduct } from "./pairs.js";
import { generateTileProduct } from "./tiles.js";

const PACKING = {
  bfloat16PackRight: generateBfloat16PackRight,
  bfloat16PackRightTransposed: generateBfloat16PackRightTransposed,
} as const;

/** The kernels behind `Kernels.bfloat16Matrix`, by the unit of the processor that multiplies: tiles, or vectors of pairs. */
export const BFLOAT16_KERNELS = {
  amx: { bfloat16Multiply: generateTileProduct, ...PACKING },
  avx512_bf16: { bfloat16Multiply: generatePairProduct, ...PACKING },
} as const;

/** What multiplies in bfloat16: tiles (AMX), or AVX512_BF16's products of pairs. */
export type Bfloat16Unit = keyof typeof BFLOAT16_KERNELS;
