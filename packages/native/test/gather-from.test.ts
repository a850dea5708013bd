import { compileKernels, instantiateKernels, KernelMemory } from "@logq/kernels";
import { describe, expect, it } from "vitest";
import { loadNative, nativeKernels, usableSets } from "../dist/index.js";

describe.each(usableSets())("gatherRowsFrom on the processor: %s", (set) => {
  it("copies rows between memories, whichever of them lies first in the process", async () => {
    const wasm = await compileKernels("wasm", true);
    const [a, b] = [1, 2].map(() => KernelMemory.create(2 ** 20, true)) as [KernelMemory, KernelMemory];
    const [D, ld, rows, count] = [19, 20, 500, 70];
    for (const [here, there] of [
      [a, b],
      [b, a],
    ] as const) {
      const [table, indices, places, out] = [65_536, 64, 1_024, 4_096];
      const values = Float32Array.from({ length: rows * ld }, (_, i) => i + 0.5);
      there.f32.set(values, table / 4);
      here.f32.fill(-1, out / 4, out / 4 + count * ld);
      for (let j = 0; j < count; j++) {
        here.i32[indices / 4 + j] = (j * 37) % rows;
        here.i32[places / 4 + j] = (j * 3) % count;
      }
      const kernels = nativeKernels(loadNative(set), here, instantiateKernels(wasm, here));
      kernels.rows.gatherRowsFrom!(there, table, ld, indices, out, ld, places, count, D);
      const expected = new Float32Array(count * ld).fill(-1);
      for (let j = 0; j < count; j++) {
        const row = ((j * 37) % rows) * ld;
        expected.set(values.subarray(row, row + D), ((j * 3) % count) * ld);
      }
      expect(here.f32.slice(out / 4, out / 4 + count * ld)).toEqual(expected);
      expect(there.f32.slice(table / 4, table / 4 + rows * ld)).toEqual(values);
    }
  });
});
