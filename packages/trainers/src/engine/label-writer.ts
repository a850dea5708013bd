import type { KernelMemory } from "@logq/kernels";
import type { ClassTree } from "@logq/losses";
import { rowOfClass, type TableShape } from "../table/lanes.js";
import type { BatchLayout } from "./batch-layout.js";

/** Writes labels into a batch as its loss meets them: each as a row of the class table, or, of a tree, as the decisions on its path. */
export class LabelWriter {
  readonly #memory: KernelMemory;
  readonly #table: TableShape;
  readonly #tree: ClassTree | undefined;
  readonly #factors: Float32Array | undefined;

  /** @param factors (n) how often a label of each class counts; absent: once */
  constructor(memory: KernelMemory, table: TableShape, tree: ClassTree | undefined, factors?: Float32Array) {
    this.#memory = memory;
    this.#table = table;
    this.#tree = tree;
    this.#factors = factors;
  }

  /** Writes class `id` with its share of a row's mass, times its factor, from entry `at` on. Answers where the next label goes. */
  write(batch: BatchLayout, at: number, id: number, share: number): number {
    const mass = this.#factors === undefined ? share : share * this.#factors[id];
    const { i32, f32 } = this.#memory;
    const table = this.#table;
    const ids = (batch.positiveIds >>> 2) + at;
    const places = (batch.positivePlace >>> 2) + at;
    const masses = (batch.positiveMass >>> 2) + at;
    if (this.#tree === undefined) {
      i32[ids] = id;
      i32[places] = rowOfClass(table, id);
      f32[masses] = mass;
      return at + 1;
    }
    const { offsets, nodes, signs } = this.#tree;
    const first = offsets[id];
    const count = offsets[id + 1] - first;
    for (let i = 0; i < count; i++) {
      const node = nodes[first + i];
      i32[ids + i] = node;
      i32[places + i] = rowOfClass(table, node);
      f32[masses + i] = signs[first + i] * mass;
    }
    return at + count;
  }
}
