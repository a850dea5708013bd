import type { KernelMemory } from "@logq/kernels";
import type { ClassTree } from "@logq/losses";
import { rowOfClass, type TableShape } from "../table/lanes.js";
import type { BatchLayout } from "./batch-layout.js";

/** Writes labels into a batch as its loss meets them: each as a row of the class table, or, of a tree, as the decisions on its path. */
export class LabelWriter {
  readonly #memory: KernelMemory;
  readonly #table: TableShape;
  readonly #tree: ClassTree | undefined;

  constructor(memory: KernelMemory, table: TableShape, tree: ClassTree | undefined) {
    this.#memory = memory;
    this.#table = table;
    this.#tree = tree;
  }

  /** Writes class `id` with its mass from entry `at` on. Answers where the next label goes. */
  write(batch: BatchLayout, at: number, id: number, mass: number): number {
    if (this.#tree === undefined) {
      this.#entry(batch, at, id, mass);
      return at + 1;
    }
    const { offsets, nodes, signs } = this.#tree;
    const first = offsets[id];
    const end = offsets[id + 1];
    for (let i = first; i < end; i++) this.#entry(batch, at + i - first, nodes[i], signs[i] * mass);
    return at + end - first;
  }

  #entry(batch: BatchLayout, at: number, row: number, mass: number): void {
    const { i32, f32 } = this.#memory;
    i32[(batch.positiveIds >>> 2) + at] = row;
    i32[(batch.positivePlace >>> 2) + at] = rowOfClass(this.#table, row);
    f32[(batch.positiveMass >>> 2) + at] = mass;
  }
}
