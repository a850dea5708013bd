import type { Key } from "@logq/core";
import type { Address } from "../memory.js";

export const ACTIVATION = { linear: 0, relu: 1, tanh: 2 } as const;

export type ActivationCode = (typeof ACTIVATION)[keyof typeof ACTIVATION];

/** Where the random bits of a dropout mask come from; see `dropout`. */
export interface DropoutDraw {
  readonly key: Key;
  readonly step: number;
  /** Tells masks of one step apart: the index of the layer. In [0, 256). */
  readonly layer: number;
}

/** What dense layers of an encoder need besides matrix products. Blocks are (rows, columns) float32 with leading dimension ld. */
export interface DenseKernels {
  /** y ← activation(y + bias), in place; bias (columns), 0: absent. */
  biasActivate(y: Address, ld: number, rows: number, columns: number, bias: Address, activation: ActivationCode): void;

  /** dy ← dy · activation'(·), computed from the activation's output y: relu [y > 0], tanh 1 − y². */
  activationBackward(
    dy: Address,
    ldDy: number,
    y: Address,
    ldY: number,
    rows: number,
    columns: number,
    activation: ActivationCode,
  ): void;

  /**
   * y ← mask · y / (1 − rate), inverted dropout, in place. Element (i, d) is dropped iff its 32-bit word w satisfies
   * w < round(rate · 2^32); the word is word (d mod 4) of the Philox block with counter
   * (⌊d/4⌋ + layer·2^24, firstRow + i, step low, STREAM.dropout | step high). Calling it on a gradient with the same arguments applies the same mask.
   */
  dropout(
    y: Address,
    ld: number,
    rows: number,
    columns: number,
    rate: number,
    firstRow: number,
    draw: DropoutDraw,
  ): void;

  /** out[d] = Σ_i source[i][d], rows in ascending order: the gradient of a bias. */
  columnSums(out: Address, source: Address, ld: number, rows: number, columns: number): void;
}
