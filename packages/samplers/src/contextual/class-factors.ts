import type { Kernels } from "@logq/kernels";
import type { TreeLayout } from "./kernel-tree-layout.js";
import type { ClassFactor } from "./kernel-tree-options.js";
import type { ClassReader } from "./types.js";

/** The least factor of a class with mass, over the greatest of its block. In float32 its products with a kernel are still normal numbers. */
const LEAST = 1e-30;

/**
 * What multiplies the kernel of each class: 1, e^{scale·bias} or its unigram weight, over the greatest of its block, whose log is kept as well. Unigram
 * weights are written by `build` and stay.
 */
export class ClassFactors {
  readonly #kernels: Kernels;
  readonly #layout: TreeLayout;
  readonly #factor: ClassFactor;
  readonly #scale: number;

  constructor(kernels: Kernels, layout: TreeLayout, factor: ClassFactor, scale: number) {
    this.#kernels = kernels;
    this.#layout = layout;
    this.#factor = factor;
    this.#scale = scale;
  }

  /** Writes the factors of all classes that no refresh changes. `unigram` (n), linear. */
  prepare(unigram: ArrayLike<number> | undefined): void {
    if (this.#factor === "bias") return;
    const { shape, table } = this.#layout;
    const { f32 } = this.#kernels.memory;
    const factors = table.factors >>> 2;
    for (let id = 0; id < shape.n; id++) f32[factors + id] = unigram === undefined ? 0 : Math.log(unigram[id]);
    for (let block = 0; block < shape.counts[0]; block++) this.#finish(block);
  }

  /** Brings the factors of a block up to date; answers the natural log of what they are divided by. */
  read(block: number, reader: ClassReader): number {
    const { shape, table } = this.#layout;
    const { f32 } = this.#kernels.memory;
    if (this.#factor !== "bias") return f32[(table.factorOffsets >>> 2) + block];
    const first = block * shape.block;
    const count = shape.classesOf(block);
    const factors = (table.factors >>> 2) + first;
    reader.readBiases(first, count, table.factors + 4 * first);
    for (let i = factors; i < factors + count; i++) f32[i] *= this.#scale;
    return this.#finish(block);
  }

  /** From logs to linear factors of which the greatest is 1; all 0 in a block without mass. */
  #finish(block: number): number {
    const { shape, table } = this.#layout;
    const { f32 } = this.#kernels.memory;
    const first = (table.factors >>> 2) + block * shape.block;
    const end = first + shape.classesOf(block);
    let greatest = -Infinity;
    for (let i = first; i < end; i++) greatest = Math.max(greatest, f32[i]);
    const offset = greatest === -Infinity ? 0 : greatest;
    for (let i = first; i < end; i++) f32[i] = f32[i] === -Infinity ? 0 : Math.max(Math.exp(f32[i] - offset), LEAST);
    f32[(table.factorOffsets >>> 2) + block] = offset;
    return f32[(table.factorOffsets >>> 2) + block];
  }
}
