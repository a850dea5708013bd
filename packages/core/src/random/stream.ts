import { type Key, philox } from "./philox.js";

/**
 * What a draw is for. The number stands in the top 8 bits of the counter, so streams never overlap.
 * Numbers are part of the meaning of a seed: they are never reused or changed.
 */
export const STREAM = {
  initialise: 1,
  epochOrder: 2,
  candidates: 3,
  rowCandidates: 4,
  dropout: 5,
  syntheticTruth: 6,
  syntheticExamples: 7,
  split: 8,
  exponentialClocks: 9,
  probe: 10,
  measurement: 11,
  rounding: 12,
  words: 13,
  secondPass: 14,
} as const;

export type StreamId = (typeof STREAM)[keyof typeof STREAM];

const TWO_POW_32 = 2 ** 32;
const TWO_POW_24 = 2 ** 24;

/** Counter word 2 of a step: its low 32 bits. */
export function stepLow(step: number): number {
  return step >>> 0;
}

/** Counter word 3 of a stream and a step in [0, 2^56): the stream in the top 8 bits, bits 32..55 of the step below. */
export function streamWord(stream: StreamId, step: number): number {
  return ((stream << 24) | (Math.floor(step / TWO_POW_32) % TWO_POW_24)) >>> 0;
}

/** A real in [0, 1) of 53 random bits from two 32-bit words. */
export function uniform53(a: number, b: number): number {
  return ((a >>> 5) * 67108864 + (b >>> 6)) / 9007199254740992;
}

/**
 * One addressed sequence of random numbers: (key, stream, step, item). `item` is a row, a table or whatever the stream counts;
 * the index within the sequence is the argument of each call. The object holds no position.
 */
export class RandomStream {
  readonly #key: Key;
  readonly #item: number;
  readonly #low: number;
  readonly #word: number;
  readonly #block = new Uint32Array(4);

  constructor(key: Key, stream: StreamId, step = 0, item = 0) {
    this.#key = key;
    this.#item = item >>> 0;
    this.#low = stepLow(step);
    this.#word = streamWord(stream, step);
  }

  /** The `index`-th uniform of 53 bits in [0, 1); blocks hold two. */
  uniform(index: number): number {
    philox(this.#key, index >>> 1, this.#item, this.#low, this.#word, this.#block);
    const at = (index & 1) << 1;
    return uniform53(this.#block[at]!, this.#block[at + 1]!);
  }

  /** Fills out[0 .. count) with uniforms of index first .. first+count−1. `first` is even. */
  fillUniform(out: Float64Array, count: number = out.length, first = 0): void {
    for (let i = 0; i < count; i += 2) {
      philox(this.#key, (first + i) >>> 1, this.#item, this.#low, this.#word, this.#block);
      out[i] = uniform53(this.#block[0]!, this.#block[1]!);
      if (i + 1 < count) out[i + 1] = uniform53(this.#block[2]!, this.#block[3]!);
    }
  }

  /** The `index`-th standard normal, by Box and Muller from one block; independent across indices. */
  normal(index: number): number {
    philox(this.#key, index, this.#item, this.#low, this.#word, this.#block);
    const radius = Math.sqrt(-2 * Math.log(1 - uniform53(this.#block[0]!, this.#block[1]!)));
    return radius * Math.cos(2 * Math.PI * uniform53(this.#block[2]!, this.#block[3]!));
  }
}
