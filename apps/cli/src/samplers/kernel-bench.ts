import { type Backend, instantiateBackend } from "@logq/blas";
import type { Key } from "@logq/core";
import { type Address, MemoryPlan } from "@logq/kernels";
import {
  type ClassReader,
  type ContextualPlan,
  type ContextualSampler,
  type ContextualSpec,
  contextualFrom,
  MAX_CONTEXTS,
  requireContextualFits,
} from "@logq/samplers";
import type { Candidates } from "./proposal.js";

/** What a stored structure is built from. */
export interface ClassTable {
  readonly n: number;
  readonly D: number;
  /** Whether classes have biases. */
  readonly hasBiases: boolean;
  /** 1/τ */
  readonly scale: number;
  /** (n) */
  readonly counts: Float64Array;
  /** Of what is random in the structure. */
  readonly key: Key;
  /** Copies the row of a class to out[at .. at + D). */
  readRow(id: number, out: Float32Array, at: number): void;
  bias(id: number): number;
}

/** A contextual sampler with a memory of its own, and room for one block of contexts. For one thread. */
export class KernelBench {
  readonly plan: ContextualPlan;
  readonly sampler: ContextualSampler;
  /** The class table, as the sampler is shown it. */
  readonly reader: ClassReader;
  readonly #f32: Float32Array;
  readonly #i32: Int32Array;
  readonly #hidden: Address;
  readonly #ld: number;
  readonly #ids: Address;
  readonly #logQ: Address;
  readonly #key: Key;

  /**
   * @param room the most candidates of all contexts of a draw, and the most classes of `logQ`
   * @throws OptionError, MemoryLimitError
   */
  constructor(backend: Backend, table: ClassTable, spec: ContextualSpec, room: number) {
    const { n, D, scale, hasBiases, counts, key } = table;
    this.plan = requireContextualFits(spec, n, D);
    this.#ld = Math.ceil(D / 4) * 4;
    this.#key = key;
    const memoryPlan = new MemoryPlan();
    const structure = memoryPlan.reserve("sampler structure", this.plan.tableBytes);
    const scratch = memoryPlan.reserve("sampler scratch", this.plan.scratchBytes);
    this.#hidden = memoryPlan.reserve("contexts", 4 * MAX_CONTEXTS * this.#ld);
    this.#ids = memoryPlan.reserve("candidates", 4 * room);
    this.#logQ = memoryPlan.reserve("log Q", 4 * room);
    const memory = memoryPlan.allocate(false);
    this.#f32 = memory.f32;
    this.#i32 = memory.i32;
    const kernels = instantiateBackend(backend, memory);
    this.sampler = contextualFrom(spec, n, D, kernels, structure, scratch, { key, scale, hasBiases, unigram: counts });
    this.reader = readerOf(table, memory.f32);
  }

  /** Copies the hidden vectors of contexts [0, R) in: hidden (R, D). */
  setContexts(hidden: Float32Array, R: number): void {
    const { D } = this.sampler;
    for (let r = 0; r < R; r++) {
      this.#f32.set(hidden.subarray(r * D, (r + 1) * D), (this.#hidden >>> 2) + r * this.#ld);
    }
  }

  /** Draws S candidates for each of R contexts, where they can be read by `read`. */
  draw(step: number, firstRow: number, R: number, S: number): void {
    const request = { key: this.#key, step, firstRow, S };
    this.sampler.draw(request, { R, hidden: this.#hidden, ld: this.#ld }, this.#ids, this.#logQ);
  }

  /** Copies the first `count` candidates of the last draw out. */
  read(count: number, { ids, logQ }: Candidates): void {
    const [i, q] = [this.#ids >>> 2, this.#logQ >>> 2];
    for (let j = 0; j < count; j++) {
      ids[j] = this.#i32[i + j]!;
      logQ[j] = this.#f32[q + j]!;
    }
  }

  /** log(S·q) of classes ids[0 .. count) for a context of the last draw, into out. Forgets the candidates. */
  logQ(row: number, ids: ArrayLike<number>, count: number, out: Float64Array): void {
    for (let j = 0; j < count; j++) this.#i32[(this.#ids >>> 2) + j] = ids[j]!;
    this.sampler.logQ(row, this.#ids, count, this.#logQ);
    for (let j = 0; j < count; j++) out[j] = this.#f32[(this.#logQ >>> 2) + j]!;
  }
}

function readerOf(table: ClassTable, f32: Float32Array): ClassReader {
  return {
    n: table.n,
    D: table.D,
    readRows(first, count, out, ld) {
      for (let i = 0; i < count; i++) table.readRow(first + i, f32, (out >>> 2) + i * ld);
    },
    readBiases(first, count, out) {
      for (let i = 0; i < count; i++) f32[(out >>> 2) + i] = table.bias(first + i);
    },
  };
}
