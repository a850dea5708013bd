import type { KernelMemory, VectorKernels } from "@logq/kernels";
import type { Bind } from "./bind.js";
import { nativeBridge } from "./executable.js";

/**
 * A copy from outside the memory at the speed of memory: `TypedArray.set` into shared memory goes word by word, as other threads might look on.
 */
export function nativeCopyIn(memory: KernelMemory): VectorKernels["copyIn"] {
  const { koffi, libc } = nativeBridge();
  const base = Number(koffi.address(memory.u8));
  const memcpy = libc.func("void memcpy(uintptr_t to, const void *from, size_t bytes)");
  return (out, source) => {
    if (source.length > 0) memcpy(base + out, source, source.byteLength);
  };
}

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
