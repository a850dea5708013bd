import type { Segments } from "@logq/encoders";
import type { Address, KernelMemory, MemoryPlan } from "@logq/kernels";
import { type BatchCapacity, type BatchLayout, HEAD } from "./batch-layout.js";
import { firstNotBelow } from "./mask.js";
import type { EngineSpec } from "./spec.js";

/** The uses of a step's inputs in the order in which the rows of tied tables are updated. U rows of the panel. */
export interface TiedSpace {
  /**
   * Segment u < U holds the uses of panel row u as an input, none if it is only a class of the step. Behind them stand those of rows that are only inputs,
   * which `unique` names: physical rows, ascending.
   */
  readonly segments: Segments;
  /** int32 (1): how many rows are only inputs */
  readonly others: Address;
}

export function planTiedSpace(plan: MemoryPlan, spec: EngineSpec, { inputs, panelRows }: BatchCapacity): TiedSpace {
  const reserve = (name: string, count: number) => plan.reserve(`tied ${name}`, 4 * count);
  return {
    segments: {
      unique: reserve("other inputs", inputs),
      offsets: reserve("offsets of uses", panelRows + inputs + 1),
      rows: reserve("rows of uses", inputs),
      weights: spec.encoder.input === "bag" ? reserve("weights of uses", inputs) : 0,
    },
    others: reserve("number of other inputs", 1),
  };
}

/**
 * Tied tables in a step with candidates: brings the uses of input rows into the order of the panel, so that a class row's gradient is complete, and the row
 * updated, in one unit. Steps over all classes need nothing of it: there inputs stand in the order in which classes are walked.
 */
export class TiedInputs {
  readonly segments: Segments;
  readonly #memory: KernelMemory;
  readonly #others: Address;

  constructor(memory: KernelMemory, { segments, others }: TiedSpace) {
    this.#memory = memory;
    this.segments = segments;
    this.#others = others;
  }

  /** How many rows of the joined batch are only inputs. */
  get others(): number {
    return this.#memory.i32[this.#others >>> 2];
  }

  /** The segments before those of rows that are only inputs. */
  before(batch: BatchLayout): number {
    return this.#memory.i32[(batch.head >>> 2) + HEAD.panelRows];
  }

  /** Once a step, when the batch and its panel are built. */
  join(batch: BatchLayout): void {
    const { i32 } = this.#memory;
    const panel = batch.panelRows >>> 2;
    const unique = batch.segments.unique >>> 2;
    const offsets = this.segments.offsets >>> 2;
    const inputs = i32[(batch.head >>> 2) + HEAD.uniqueInputs];
    const U = this.before(batch);
    // Until the others take their place, it says which inputs the panel has.
    const others = this.segments.unique >>> 2;
    i32.fill(0, others, others + inputs);
    i32[offsets] = 0;
    let end = 0;
    for (let u = 0; u < U; u++) {
      const k = firstNotBelow(i32, unique, inputs, i32[panel + u]);
      if (k < inputs && i32[unique + k] === i32[panel + u]) {
        i32[others + k] = 1;
        end = this.#append(batch.segments, k, end);
      }
      i32[offsets + u + 1] = end;
    }
    let count = 0;
    for (let k = 0; k < inputs; k++) {
      if (i32[others + k] !== 0) continue;
      end = this.#append(batch.segments, k, end);
      // What stood here has been read: count <= k.
      i32[others + count++] = i32[unique + k];
      i32[offsets + U + count] = end;
    }
    i32[this.#others >>> 2] = count;
  }

  /** Copies the uses of the batch's segment k to place `end` on; answers where they end. */
  #append(from: Segments, k: number, end: number): number {
    const { i32, f32 } = this.#memory;
    const { rows, weights } = this.segments;
    const first = i32[(from.offsets >>> 2) + k];
    const count = i32[(from.offsets >>> 2) + k + 1] - first;
    for (let j = 0; j < count; j++) i32[(rows >>> 2) + end + j] = i32[(from.rows >>> 2) + first + j];
    if (weights === 0) return end + count;
    for (let j = 0; j < count; j++) f32[(weights >>> 2) + end + j] = f32[(from.weights >>> 2) + first + j];
    return end + count;
  }
}
