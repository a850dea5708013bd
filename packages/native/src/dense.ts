import type { DenseKernels } from "@logq/kernels";
import type { Bind } from "./bind.js";

/** Kernels of dense layers, over one memory; activations and masks are `others`'s. */
export function nativeDense(bind: Bind, others: DenseKernels): DenseKernels {
  const sums = bind("columnSums");
  return {
    ...others,

    columnSums(out, source, ld, rows, columns) {
      const { words } = sums;
      words[2] = out;
      words[3] = source;
      words[4] = 4 * ld;
      words[5] = rows;
      words[6] = 4 * columns;
      sums.run();
    },
  };
}
