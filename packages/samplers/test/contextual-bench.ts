import { type KernelMemory, type Kernels, MemoryPlan } from "@logq/kernels";
import { TestRandom } from "@logq/testing";
import type { ClassReader, ContextualPlan, ContextualSampler } from "../src/contextual/types.js";
import { MAX_CONTEXTS } from "../src/contextual/types.js";
import { CONTEXTUAL_BACKENDS, type ContextualBackend } from "./contextual-backends.js";
import { KEY } from "./contract.js";

export { CONTEXTUAL_BACKENDS, type ContextualBackend };

/** For tests that need but one. */
export const FASTEST = CONTEXTUAL_BACKENDS[CONTEXTUAL_BACKENDS.length - 1];

/** What the contract needs to know of a sampler: how many bytes, and how to make it over them. */
export interface ContextualMaker {
  plan(n: number, D: number): ContextualPlan;
  create(n: number, D: number, kernels: Kernels, table: number, scratch: number): ContextualSampler;
}

/** A class table outside the memory, so that tests can change it: rows (n, D) and biases (n). */
export class TestTable implements ClassReader {
  readonly n: number;
  readonly D: number;
  readonly rows: Float32Array;
  readonly biases: Float32Array;
  readonly #memory: KernelMemory;

  constructor(memory: KernelMemory, n: number, D: number, seed: number) {
    const random = new TestRandom(seed);
    this.#memory = memory;
    this.n = n;
    this.D = D;
    this.rows = random.normalFloats(n * D, 1.2 / Math.sqrt(D));
    this.biases = Float32Array.from({ length: n }, (_, id) => 0.5 * random.normal() - 0.4 * Math.log(id + 1));
  }

  readRows(first: number, count: number, out: number, ld: number): void {
    for (let i = 0; i < count; i++) {
      const row = (first + i) * this.D;
      this.#memory.f32.set(this.rows.subarray(row, row + this.D), (out >>> 2) + i * ld);
    }
  }

  readBiases(first: number, count: number, out: number): void {
    this.#memory.f32.set(this.biases.subarray(first, first + count), out >>> 2);
  }
}

/** One memory with a stored sampler, two threads' sampler objects over it, a block of contexts and room for draws. */
export class ContextualBench {
  readonly n: number;
  readonly D: number;
  readonly S: number;
  readonly memory: KernelMemory;
  readonly kernels: Kernels;
  readonly sampler: ContextualSampler;
  /** Another thread's: over the same table, with scratch of its own. */
  readonly other: ContextualSampler;
  readonly reader: TestTable;
  /** Where the stored sampler lies. */
  readonly table: number;
  /** (MAX_CONTEXTS, D) with leading dimension `ld`; row 1 is zeros. */
  readonly hidden: number;
  readonly ld: number;
  readonly #ids: number;
  readonly #logQ: number;
  readonly #all: number;

  constructor(backend: ContextualBackend, maker: ContextualMaker, n: number, D: number, S: number, seed = 1) {
    const { tableBytes, scratchBytes } = maker.plan(n, D);
    const plan = new MemoryPlan();
    this.ld = Math.ceil(D / 4) * 4;
    this.table = plan.reserve("table", tableBytes);
    const scratch = plan.reserve("scratch", scratchBytes);
    const scratchOfOther = plan.reserve("scratch of another thread", scratchBytes);
    this.hidden = plan.reserve("contexts", 4 * MAX_CONTEXTS * this.ld);
    this.#ids = plan.reserve("ids", 4 * MAX_CONTEXTS * S);
    this.#logQ = plan.reserve("log Q", 4 * MAX_CONTEXTS * S);
    this.#all = plan.reserve("ids and log Q of all classes", 8 * Math.max(n, S));
    this.memory = plan.allocate(false);
    this.kernels = backend.bind(this.memory);
    this.n = n;
    this.D = D;
    this.S = S;
    this.reader = new TestTable(this.memory, n, D, seed);
    this.#fillContexts(new TestRandom(seed + 1000));
    this.sampler = maker.create(n, D, this.kernels, this.table, scratch);
    this.other = maker.create(n, D, this.kernels, this.table, scratchOfOther);
  }

  #fillContexts(random: TestRandom): void {
    for (let r = 0; r < MAX_CONTEXTS; r++) {
      for (let d = 0; d < this.D; d++) {
        const value = 1.5 * random.normal();
        this.memory.f32[(this.hidden >>> 2) + r * this.ld + d] = r === 1 ? 0 : value;
      }
    }
  }

  /** Draws for rows [first, first + R) and answers copies of ids and log Q, (R, S) each. */
  draw(step: number, R: number, first = 0, sampler = this.sampler, key = KEY): { ids: Int32Array; logQ: Float32Array } {
    const contexts = { R, hidden: this.hidden + 4 * first * this.ld, ld: this.ld };
    sampler.draw({ key, step, firstRow: first, S: this.S }, contexts, this.#ids, this.#logQ);
    return {
      ids: this.memory.ints(this.#ids, R * this.S).slice(),
      logQ: this.memory.floats(this.#logQ, R * this.S).slice(),
    };
  }

  /** log(S·q) of these ids for row `row` of the block last drawn. */
  logQ(row: number, ids: ArrayLike<number>, sampler = this.sampler): Float32Array {
    this.memory.ints(this.#all, ids.length).set(ids);
    const out = this.#all + 4 * ids.length;
    sampler.logQ(row, this.#all, ids.length, out);
    return this.memory.floats(out, ids.length).slice();
  }

  /** log(S·q) of every class for row `row` of the block last drawn. */
  enumerate(row: number, sampler = this.sampler): Float32Array {
    return this.logQ(
      row,
      Array.from({ length: this.n }, (_, id) => id),
      sampler,
    );
  }

  /** The whole refresh of a step, by both threads in turn, ascending or descending. */
  refresh(step: number, descending = false): void {
    const units = this.sampler.refreshUnits(step);
    for (let i = 0; i < units; i++) {
      const thread = i % 2 === 0 ? this.sampler : this.other;
      thread.refresh(descending ? units - 1 - i : i, step, this.reader);
    }
    this.sampler.settle(step);
  }
}
