import type { IndexKernels } from "../interface/indices.js";
import type { Kernels } from "../interface/kernels.js";
import type { RowKernels } from "../interface/rows.js";
import type { KernelMemory } from "../memory.js";
import { wasmDense } from "./dense.js";
import { wasmDraws } from "./draws.js";
import type { WasmExports } from "./exports.js";
import { wasmMatrix } from "./matrix.js";
import { wasmNarrow } from "./narrow.js";
import { wasmOptimizer } from "./optimizer.js";

/** Bytes of the radix sort's counters: 2^DIGIT_BITS of them, assembly/indices.ts. */
const SORT_COUNTER_BYTES = 3 * 4 * 2 ** 11;

/**
 * The WebAssembly SIMD back-end over one memory: an instance of the compiled module, its exports used as they are where the
 * signatures agree. The module's memory must be of the same kind (shared or not) as `memory`.
 */
export function createWasmKernels(module: WebAssembly.Module, memory: KernelMemory): Kernels {
  const instance = new WebAssembly.Instance(module, { env: { memory: memory.memory } });
  const wasm = instance.exports as unknown as WasmExports;
  return {
    name: "wasm",
    memory,
    matrix: wasmMatrix(wasm),
    bfloat16Matrix: undefined,
    tile: {
      clearPartials: wasm.clearPartials,
      softmaxPartials: wasm.softmaxPartials,
      foldPartials: wasm.foldPartials,
      logSumExp: wasm.logSumExp,
      softmaxGradient: wasm.softmaxGradient,
      softmaxExponentials: wasm.softmaxExponentials,
      softmaxFactors: wasm.softmaxFactors,
      settleSoftmax: wasm.settleSoftmax,
      logisticTile: wasm.logisticTile,
      logisticPairs: wasm.logisticPairs,
      hingeTile: wasm.hingeTile,
      softCap: wasm.softCap,
      softCapSlopes: wasm.softCapSlopes,
      sumOverClasses: wasm.sumOverClasses,
      subtractPerRow: wasm.subtractPerRow,
      sumOverRows: wasm.sumOverRows,
      sumOverTiles: wasm.sumOverTiles,
      scaleColumns: wasm.scaleColumns,
      topK: wasm.topK,
      clearTopK: wasm.clearTopK,
      mergeTopK: wasm.mergeTopK,
    },
    rows: wasmRows(wasm),
    pieces: undefined,
    narrow: wasmNarrow(wasm),
    dense: wasmDense(wasm),
    optimizer: wasmOptimizer(wasm),
    vector: {
      exp: wasm.exp,
      sigmoid: wasm.sigmoid,
      softplus: wasm.softplus,
      logSumExpOf: wasm.logSumExpOf,
      softmax: wasm.softmax,
      addScaled: wasm.addScaled,
      fill: wasm.fill,
      copyIn: (out, source) => memory.f32.set(source, out >>> 2),
    },
    indices: wasmIndices(wasm),
    draws: wasmDraws(wasm),
  };
}

function wasmRows(wasm: WasmExports): RowKernels {
  const { allFinite } = wasm;
  return {
    gatherRows: wasm.gatherRows,
    scatterRows: wasm.scatterRows,
    weightedRowSums: wasm.weightedRowSums,
    pairDots: wasm.pairDots,
    scaleRows: wasm.scaleRows,
    normalizeRows: wasm.normalizeRows,
    normalizeRowsBackward: wasm.normalizeRowsBackward,
    sumOfSquares: wasm.sumOfSquares,
    allFinite: (source, ld, rows, D) => allFinite(source, ld, rows, D) !== 0,
  };
}

function wasmIndices({ sortPairs, uniqueRuns, mergeKeys }: WasmExports): IndexKernels {
  return {
    sortScratchBytes: (count) => SORT_COUNTER_BYTES + 16 * count,
    sortPairs,
    uniqueRuns,
    mergeKeys,
  };
}
