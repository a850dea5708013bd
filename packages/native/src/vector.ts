import type { VectorKernels } from "@logq/kernels";
import type { Bind } from "./bind.js";

/** Kernels on vectors, over one memory; exponentials and what is made of them are `others`'s. */
export function nativeVector(bind: Bind, others: VectorKernels): VectorKernels {
  const add = bind("addScaled");
  const fill = bind("fill");
  return {
    ...others,

    addScaled(y, x, a, count) {
      const { words, floats } = add;
      words[2] = y;
      words[3] = x;
      floats[4] = a;
      words[5] = 4 * count;
      add.run();
    },

    fill(out, value, count) {
      const { words, floats } = fill;
      words[2] = out;
      floats[3] = value;
      words[4] = 4 * count;
      fill.run();
    },
  };
}
