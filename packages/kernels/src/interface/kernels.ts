import type { KernelMemory } from "../memory.js";
import type { DenseKernels } from "./dense.js";
import type { DrawKernels } from "./draws.js";
import type { IndexKernels } from "./indices.js";
import type { MatrixKernels } from "./matrix.js";
import type { NarrowKernels } from "./narrow.js";
import type { OptimizerKernels } from "./optimizer.js";
import type { RowKernels } from "./rows.js";
import type { TileKernels } from "./tile.js";
import type { VectorKernels } from "./vector.js";

/**
 * `native` is machine code of this processor, written when the program starts (@logq/native); `blas` is WebAssembly with matrix products by a native
 * library (@logq/blas). Both in Node only.
 */
export type BackendName = "native" | "blas" | "wasm" | "reference";

/**
 * Everything the layer computes, bound to one memory. Arguments are byte addresses into that memory and plain numbers; kernels own no
 * memory, allocate nothing and check nothing: callers check at the border. Float32 tables and tiles start at multiples of 16 bytes;
 * leading dimensions may be anything >= the width.
 */
export interface Kernels {
  readonly name: BackendName;
  readonly memory: KernelMemory;
  readonly matrix: MatrixKernels;
  readonly tile: TileKernels;
  readonly rows: RowKernels;
  readonly narrow: NarrowKernels;
  readonly dense: DenseKernels;
  readonly optimizer: OptimizerKernels;
  readonly vector: VectorKernels;
  readonly indices: IndexKernels;
  readonly draws: DrawKernels;
}
