import { type Key, philox, STREAM, stepLow, streamWord, uniform53 } from "@logq/core";
import type { Address, Kernels } from "@logq/kernels";
import type { LossRows, LossTile } from "@logq/losses";
import { drawSystematically, type PoolName } from "@logq/samplers";

/** What each row takes of a pool of candidates that the batch shares. */
export interface SelectionSpec {
  readonly kind: PoolName;
  /** How many: distinct ones with the greatest logits (`hard`), or draws (`two-pass`). */
  readonly keep: number;
}

/** Bytes of a worker's scratch for blocks of R rows. */
export function selectionBytes({ keep }: SelectionSpec, R: number): number {
  return 8 * keep * R;
}

/**
 * A row's own choice among candidates that were drawn for all, by logits that the product with the pool gives in any case.
 *
 * - `hard`: the candidates with the greatest logits, ties to the lower id; the others take no part in the row. What is learned is biased, by intent.
 * - `two-pass`: systematic draws from the pool in proportion to e^(corrected logit), so to the model's own softmax as far as the pool can tell
 *   (`drawSystematically`). The row's partition, and so its loss, stay those of the whole pool; each exponential becomes its number of draws times the
 *   partition's share of a draw, whose mean is the exponential. So gradients are unbiased for those of the pool.
 */
export class Selection {
  readonly #kernels: Kernels;
  readonly #spec: SelectionSpec;
  readonly #key: Key;
  readonly #values: Address;
  readonly #ids: Address;
  readonly #block = new Uint32Array(4);
  readonly #kept: Float32Array;

  /** @param scratch selectionBytes of the worker's own */
  constructor(kernels: Kernels, spec: SelectionSpec, key: Key, R: number, scratch: Address) {
    this.#kernels = kernels;
    this.#spec = spec;
    this.#key = key;
    this.#values = scratch;
    this.#ids = scratch + 4 * spec.keep * R;
    this.#kept = new Float32Array(spec.keep * R);
  }

  /** Before the loss: raw logits of candidates that a row does not keep become −∞. @param bias float32 (C), or 0 */
  beforeLoss({ z, ld, C }: LossTile, R: number, bias: Address): void {
    if (this.#spec.kind !== "hard" || C <= this.#spec.keep) return;
    const { memory, tile, vector } = this.#kernels;
    const { f32, i32 } = memory;
    const { keep } = this.#spec;
    tile.clearTopK(this.#values, this.#ids, keep, R);
    tile.topK(this.#values, this.#ids, keep, z, ld, C, R, 1, bias, 0, 0, 1);
    const [at, ids] = [z >>> 2, this.#ids >>> 2];
    const placeOf = (entry: number, row: number) => at + i32[ids + entry]! * ld + row;
    for (let row = 0; row < R; row++) {
      for (let entry = keep * row; entry < keep * (row + 1); entry++)
        if (i32[ids + entry]! >= 0) this.#kept[entry] = f32[placeOf(entry, row)]!;
    }
    vector.fill(z, Number.NEGATIVE_INFINITY, C * ld);
    for (let row = 0; row < R; row++) {
      for (let entry = keep * row; entry < keep * (row + 1); entry++)
        if (i32[ids + entry]! >= 0) f32[placeOf(entry, row)] = this.#kept[entry]!;
    }
  }

  /** After the exponentials of the block of rows that begins at `first`: systematic draws, one uniform a row. */
  afterExponentials({ z, ld, C }: LossTile, { R, sum }: LossRows, first: number, step: number): void {
    if (this.#spec.kind !== "two-pass") return;
    const { f32, f64 } = this.#kernels.memory;
    const { keep } = this.#spec;
    for (let row = 0; row < R; row++) {
      const share = f64[(sum >>> 3) + row]! / keep;
      if (!(share > 0 && share < Number.POSITIVE_INFINITY)) continue;
      drawSystematically(f32, (z >>> 2) + row, ld, C, keep, share, this.#uniform(step, first + row), share);
    }
  }

  #uniform(step: number, row: number): number {
    philox(this.#key, 0, row + 1, stepLow(step), streamWord(STREAM.secondPass, step), this.#block);
    return uniform53(this.#block[0]!, this.#block[1]!);
  }
}
