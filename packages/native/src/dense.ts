import { STREAM, stepLow, streamWord } from "@logq/core";
import type { DenseKernels } from "@logq/kernels";
import type { Bind } from "./bind.js";
import { FIRST_WORD } from "./generate/arguments.js";
import { DROPOUT } from "./generate/random/dropout.js";

/** Kernels of dense layers, over one memory; activations are `others`'s. */
export function nativeDense(bind: Bind, others: DenseKernels): DenseKernels {
  return { ...others, dropout: nativeDropout(bind), columnSums: nativeColumnSums(bind) };
}

function nativeColumnSums(bind: Bind): DenseKernels["columnSums"] {
  const { words, run } = bind("columnSums");
  return (out, source, ld, rows, columns) => {
    words[2] = out;
    words[3] = source;
    words[4] = 4 * ld;
    words[5] = rows;
    words[6] = 4 * columns;
    run();
  };
}

function nativeDropout(bind: Bind): DenseKernels["dropout"] {
  const { words, floats, run } = bind("dropout");
  const set = (name: keyof typeof DROPOUT, value: number) => {
    words[FIRST_WORD + DROPOUT[name]] = value;
  };
  return (y, ld, rows, columns, rate, firstRow, { key, step, layer }) => {
    const threshold = Math.round(rate * 2 ** 32);
    // A threshold of 2^32 exceeds every word: nothing is kept.
    const keepsSome = threshold < 2 ** 32;
    set("y", y);
    set("rowBytes", 4 * ld);
    set("rows", rows);
    set("width", 4 * columns);
    set("limit", keepsSome ? threshold : 2 ** 32 - 1);
    floats[FIRST_WORD + DROPOUT.factor] = keepsSome ? 1 / (1 - rate) : 0;
    set("firstBlock", layer * 2 ** 24);
    set("row", firstRow);
    set("step", stepLow(step));
    set("stream", streamWord(STREAM.dropout, step));
    set("keyLow", key.low);
    set("keyHigh", key.high);
    run();
  };
}
