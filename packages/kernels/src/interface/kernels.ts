import type { KernelMemory } from "../memory.js";
import type { DenseKernels } from "./dense.js";
import type { DrawKernels } from "./draws.js";
import type { IndexKernels } from "./indices.js";
import type { MatrixKernels } from "./matrix.js";
import type { NarrowKernels } from "./narrow.js";
import type { OptimizerKernels } from "./optimizer.js";
import type { PieceKernels } from "./pieces.js";
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
  /**
   * The same products with both operands rounded to bfloat16 (nearest, ties to even) on the way and sums in float32: several times as fast where the
   * processor has a unit for them, and a named approximation that whoever wants it asks for; undefined where there is none. A product of two rounded
   * numbers is exact in float32; each operand is off by up to 2^−8 of itself. Numbers below 2^−126 in size may count as zeros. Operands lie in memory
   * as float32; a packed one is of use to these kernels alone, and parts that `multiply` gets may be packed by another thread of the same back-end.
   */
  readonly bfloat16Matrix: MatrixKernels | undefined;
  readonly tile: TileKernels;
  readonly rows: RowKernels;
  /** undefined where a back-end reaches its own memory alone. */
  readonly pieces: PieceKernels | undefined;
  readonly narrow: NarrowKernels;
  readonly dense: DenseKernels;
  readonly optimizer: OptimizerKernels;
  readonly vector: VectorKernels;
  readonly indices: IndexKernels;
  readonly draws: DrawKernels;
}
