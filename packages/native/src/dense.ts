import { STREAM } from "@logq/core";
import type { DenseKernels } from "@logq/kernels";
import type { Bind } from "./bind.js";
import { DROPOUT } from "./generate/random/dropout.js";
import { tellAddress, teller } from "./tell.js";

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
  const kernel = bind("dropout");
  const tell = teller(kernel, DROPOUT);
  return (y, ld, rows, columns, rate, firstRow, { key, step, layer }) => {
    const threshold = Math.round(rate * 2 ** 32);
    // A threshold of 2^32 exceeds every word: nothing is kept.
    const keepsSome = threshold < 2 ** 32;
    tell.word("y", y);
    tell.word("rowBytes", 4 * ld);
    tell.word("rows", rows);
    tell.word("width", 4 * columns);
    tell.word("limit", keepsSome ? threshold : 2 ** 32 - 1);
    tell.float("factor", keepsSome ? 1 / (1 - rate) : 0);
    tell.word("firstBlock", layer * 2 ** 24);
    tellAddress(kernel, DROPOUT, key, STREAM.dropout, step, firstRow);
    kernel.run();
  };
}
