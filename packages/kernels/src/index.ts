export {
  type CompiledKernels,
  compileKernels,
  instantiateKernels,
  type KernelsChoice,
  type KernelsName,
} from "./backend.js";
export { ACTIVATION, type ActivationCode, type DenseKernels, type DropoutDraw } from "./interface/dense.js";
export { ALIAS_RECORD_BYTES, type DrawAddress, type DrawKernels, type PermutationDraw } from "./interface/draws.js";
export type { IndexKernels } from "./interface/indices.js";
export type { BackendName, Kernels } from "./interface/kernels.js";
export type { MatrixKernels } from "./interface/matrix.js";
export { type NarrowKernels, type RoundingDraw, TABLE_TYPES, type TableType } from "./interface/narrow.js";
export type { OptimizerKernels, RowBlock, UpdateRule } from "./interface/optimizer.js";
export type { PieceKernels, PieceOfTable, RowsInPieces, TableInPieces } from "./interface/pieces.js";
export type { RowKernels } from "./interface/rows.js";
export type { TileKernels } from "./interface/tile.js";
export type { VectorKernels } from "./interface/vector.js";
export { type Address, KernelMemory, MAX_MEMORY_BYTES } from "./memory.js";
export { MemoryPlan, type Region } from "./memory-plan.js";
export { createReferenceKernels } from "./reference/index.js";
export { sumOfProducts } from "./sum-of-products.js";
