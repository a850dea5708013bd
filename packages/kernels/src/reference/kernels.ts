import type { Kernels } from "../interface/kernels.js";
import type { KernelMemory } from "../memory.js";
import { referenceBfloat16Matrix } from "./bfloat16-matrix.js";
import { referenceDense } from "./dense.js";
import { referenceDraws } from "./draws.js";
import { referenceIndices } from "./indices.js";
import { referenceMatrix } from "./matrix.js";
import { referenceNarrow } from "./narrow.js";
import { referenceOptimizer } from "./optimizer.js";
import { referenceRows } from "./rows.js";
import { referenceTile } from "./tile.js";
import { referenceVector } from "./vector.js";

/**
 * The plain back-end: every kernel as the loops its definition asks for, in TypeScript, summed in float64 and rounded to float32 once.
 * It runs wherever JavaScript runs, can be stepped through, and is what the fast back-end is compared with. Memory belongs to the caller.
 */
export function createReferenceKernels(memory: KernelMemory): Kernels {
  return {
    name: "reference",
    memory,
    matrix: referenceMatrix(memory),
    bfloat16Matrix: referenceBfloat16Matrix(memory),
    tile: referenceTile(memory),
    rows: referenceRows(memory),
    pieces: undefined,
    narrow: referenceNarrow(memory),
    dense: referenceDense(memory),
    optimizer: referenceOptimizer(memory),
    vector: referenceVector(memory),
    indices: referenceIndices(memory),
    draws: referenceDraws(memory),
  };
}
