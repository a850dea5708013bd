import type { Encoder } from "@logq/encoders";
import type { Address, Kernels } from "@logq/kernels";
import { type BatchLayout, HEAD } from "../batch-layout.js";
import { type EngineLayout, SPARSE_BLOCK } from "../layout.js";
import type { EngineParts } from "../parts.js";
import { blocksOf, type EngineSpec } from "../spec.js";
import type { TiedInputs } from "../tied-inputs.js";
import type { Updates } from "../updates.js";

/**
 * What brings the encoder's tables forward, as units of work: runs of embedding rows, then blocks of dense parameters. A unit's gradient is computed just
 * before its update; when clipping, it is computed by `squares` and waits in a place of its own.
 */
export class EncoderUpdate {
  readonly #kernels: Kernels;
  readonly #spec: EngineSpec;
  readonly #layout: EngineLayout;
  readonly #encoder: Encoder;
  readonly #updates: Updates;
  readonly #tied: TiedInputs | undefined;
  readonly #scratch: Address;

  /** @param tied of tied tables in steps with candidates */
  constructor(
    { kernels, spec, layout, encoder, scratch }: EngineParts,
    updates: Updates,
    tied: TiedInputs | undefined,
  ) {
    this.#kernels = kernels;
    this.#spec = spec;
    this.#layout = layout;
    this.#encoder = encoder;
    this.#updates = updates;
    this.#tied = tied;
    this.#scratch = scratch;
  }

  units(batch: BatchLayout): number {
    return this.#sparseUnits(batch) + this.#encoder.denseUnits.length;
  }

  update(unit: number, batch: BatchLayout): void {
    const sparse = this.#sparseUnits(batch);
    const computed = this.#layout.clip !== undefined;
    if (unit >= sparse) {
      if (!computed) this.#encoder.denseGradient(unit - sparse, this.#scratch);
      this.#updates.denseBlock(unit - sparse);
      return;
    }
    const { first, count } = this.#rowsOf(unit, batch);
    const gradient = this.#sparsePlace(first);
    if (!computed) this.#sparseGradient(first, count, gradient, batch);
    const { unique } = this.#tied?.segments ?? batch.segments;
    this.#updates.embeddingRows(unique + 4 * first, count, gradient);
  }

  /** Clipping: computes the gradients of a unit and answers Σ of their squares. */
  squares(unit: number, batch: BatchLayout): number {
    const sparse = this.#sparseUnits(batch);
    const { rows } = this.#kernels;
    if (unit >= sparse) {
      this.#encoder.denseGradient(unit - sparse, this.#scratch);
      const block = this.#encoder.denseUnits[unit - sparse];
      return rows.sumOfSquares(block.gradient, block.ldGradient, block.rows, block.columns);
    }
    const { first, count } = this.#rowsOf(unit, batch);
    const gradient = this.#sparsePlace(first);
    this.#sparseGradient(first, count, gradient, batch);
    return rows.sumOfSquares(gradient, this.#stride, count, this.#spec.encoder.embedding);
  }

  /** Rows of the embedding table that are updated as such. Of tied tables those that the step does not update as classes. */
  #inputRows(batch: BatchLayout): number {
    if (this.#spec.encoder.input === "external") return 0;
    if (this.#spec.tied) return this.#tied?.others ?? 0;
    return this.#kernels.memory.i32[(batch.head >>> 2) + HEAD.uniqueInputs];
  }

  #sparseUnits(batch: BatchLayout): number {
    return blocksOf(this.#inputRows(batch), SPARSE_BLOCK);
  }

  /** The embedding rows of a unit. */
  #rowsOf(unit: number, batch: BatchLayout): { readonly first: number; readonly count: number } {
    const first = unit * SPARSE_BLOCK;
    return { first, count: Math.min(SPARSE_BLOCK, this.#inputRows(batch) - first) };
  }

  /** Of `count` of the rows that are updated as inputs: behind those of the panel, where tables are tied. */
  #sparseGradient(first: number, count: number, gradient: Address, batch: BatchLayout): void {
    const before = this.#tied === undefined ? 0 : this.#tied.before(batch);
    this.#encoder.sparseGradient(before + first, count, gradient, this.#stride);
  }

  #sparsePlace(first: number): Address {
    const { clip } = this.#layout;
    return clip === undefined ? this.#scratch : clip.sparseGradient + 4 * this.#stride * first;
  }

  get #stride(): number {
    return this.#layout.encoder.tables[0].ld;
  }
}
