import { STREAM, stepLow, streamWord } from "@logq/core";
import type { DenseKernels } from "../interface/dense.js";
import type { WasmExports } from "./exports.js";

export function wasmDense(wasm: WasmExports): DenseKernels {
  const wasmDropout = wasm.dropout;
  return {
    biasActivate: wasm.biasActivate,
    activationBackward: wasm.activationBackward,
    columnSums: wasm.columnSums,

    dropout(y, ld, rows, columns, rate, firstRow, { key, step, layer }) {
      const threshold = Math.round(rate * 2 ** 32);
      const firstBlock = layer * 2 ** 24;
      const stream = streamWord(STREAM.dropout, step);
      const scale = 1 / (1 - rate);
      wasmDropout(
        y,
        ld,
        rows,
        columns,
        threshold,
        scale,
        firstBlock,
        firstRow,
        stepLow(step),
        stream,
        key.low,
        key.high,
      );
    },
  };
}
