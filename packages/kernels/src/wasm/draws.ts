import { stepLow, streamWord } from "@logq/core";
import type { DrawKernels } from "../interface/draws.js";
import type { WasmExports } from "./exports.js";

/** Uniforms of one group of draws, assembly/draws.ts: GROUP of them. */
const SCRATCH_BYTES = 8 * 32;

export function wasmDraws(wasm: WasmExports): DrawKernels {
  const { uniformPairs, uniformIds, logUniformIds, aliasIds, permuted } = wasm;
  return {
    scratchBytes: SCRATCH_BYTES,

    uniformPairs(out, count, { key, stream, step, item }, first) {
      uniformPairs(out, count, first, item, stepLow(step), streamWord(stream, step), key.low, key.high);
    },

    uniformIds(ids, count, range, { key, stream, step, item }, first) {
      uniformIds(ids, count, range, first, item, stepLow(step), streamWord(stream, step), key.low, key.high);
    },

    logUniformIds(ids, count, n, logRange, { key, stream, step, item }, first) {
      const word = streamWord(stream, step);
      logUniformIds(ids, count, n, logRange, first, item, stepLow(step), word, key.low, key.high);
    },

    logUniformLogs: wasm.logUniformLogs,

    aliasIds(ids, count, table, n, { key, stream, step, item }, first, scratch) {
      const word = streamWord(stream, step);
      aliasIds(ids, count, table, n, first, item, stepLow(step), word, key.low, key.high, scratch);
    },

    aliasLogs: wasm.aliasLogs,

    permuted(out, count, { size, halfBits, roundKeys: k }, first, scratch) {
      permuted(out, count, size, halfBits, first, scratch, k[0]!, k[1]!, k[2]!, k[3]!, k[4]!, k[5]!, k[6]!, k[7]!);
    },
  };
}
