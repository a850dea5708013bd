import { expectAllClose } from "@logq/testing";
import type { Backend } from "./backends.js";
import { onBench } from "./bench.js";

export interface Tile {
  C: number;
  R: number;
  /** z (C, R) */
  z: ArrayLike<number>;
  scale?: number;
  /** (C) */
  add?: ArrayLike<number>;
  padding?: number;
}

export interface Partials {
  max: ArrayLike<number>;
  sum: ArrayLike<number>;
}

/** z as the kernel leaves it, and the partials of `tile` folded into `start` (the empty set by default). */
export function partialsOf(backend: Backend, tile: Tile, start?: Partials): Partials & { z: Float64Array } {
  const { C, R, scale = 1, add, padding = 0 } = tile;
  return onBench(backend, (bench) => {
    const z = bench.matrix(tile.z, C, R, padding);
    const addend = add ? bench.vector(add) : undefined;
    const max = bench.vector(start?.max ?? new Float32Array(R).fill(9));
    const sum = bench.doubles(start?.sum ?? new Float64Array(R).fill(9));
    const kernels = bench.kernels.tile;
    if (!start) kernels.clearPartials(max.address, sum.address, R);
    kernels.softmaxPartials(z.address, z.ld, C, R, scale, addend?.address ?? 0, max.address, sum.address);
    return { z: z.read(), max: max.read(), sum: sum.read() };
  });
}

export function foldOf(backend: Backend, a: Partials, b: Partials): Partials {
  return onBench(backend, (bench) => {
    const max = bench.vector(a.max);
    const sum = bench.doubles(a.sum);
    const otherMax = bench.vector(b.max);
    const otherSum = bench.doubles(b.sum);
    bench.kernels.tile.foldPartials(max.address, sum.address, otherMax.address, otherSum.address, a.max.length);
    expectAllClose(otherMax.read(), b.max, { equalNaN: true, name: "the other maxima stay" });
    expectAllClose(otherSum.read(), b.sum, { equalNaN: true, name: "the other sums stay" });
    return { max: max.read(), sum: sum.read() };
  });
}

/** Log-sum-exp of partials, as a number that can be compared between different trees. */
export function lseOf({ max, sum }: Partials): Float64Array {
  return Float64Array.from(max, (m, r) => (m === -Infinity ? -Infinity : m + Math.log(sum[r]!)));
}
