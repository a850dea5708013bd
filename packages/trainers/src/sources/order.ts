import { type Key, KeyedPermutation, STREAM, type StreamId } from "@logq/core";

/** Which examples make up a batch. Set to a batch with `seek`, then asked row by row. */
export interface ExampleOrder {
  /** Moves to batch number `batch` and answers its rows. */
  seek(batch: number): number;
  /** The example in row `row` of the current batch. */
  example(row: number): number;
}

/** Training: epochs in keyed random order; the last batch of an epoch may be smaller, so that no batch mixes two epochs. */
export class EpochOrder implements ExampleOrder {
  readonly #examples: number;
  readonly #B: number;
  readonly #key: Key;
  readonly #batchesPerEpoch: number;
  #epoch = -1;
  #permutation: KeyedPermutation | undefined;
  #first = 0;

  constructor(examples: number, B: number, key: Key) {
    this.#examples = examples;
    this.#B = B;
    this.#key = key;
    this.#batchesPerEpoch = Math.ceil(examples / B);
  }

  seek(batch: number): number {
    const epoch = Math.floor(batch / this.#batchesPerEpoch);
    if (epoch !== this.#epoch) {
      this.#epoch = epoch;
      this.#permutation = new KeyedPermutation(this.#examples, this.#key, epoch);
    }
    this.#first = (batch % this.#batchesPerEpoch) * this.#B;
    return Math.min(this.#B, this.#examples - this.#first);
  }

  example(row: number): number {
    return this.#permutation!.at(this.#first + row);
  }
}

/** Evaluation: examples in their own order, or a fixed random choice of them. */
export class SequentialOrder implements ExampleOrder {
  readonly #first: number;
  readonly #count: number;
  readonly #B: number;
  readonly #permutation: KeyedPermutation | undefined;
  #start = 0;

  /** Examples [first, first + count), or, with a key, the first + i-th of the permutation that (key, stream) names. */
  constructor(examples: number, first: number, count: number, B: number, key?: Key, stream: StreamId = STREAM.probe) {
    this.#first = first;
    this.#count = count;
    this.#B = B;
    this.#permutation = key === undefined ? undefined : new KeyedPermutation(examples, key, 0, stream);
  }

  seek(batch: number): number {
    this.#start = batch * this.#B;
    return Math.max(0, Math.min(this.#B, this.#count - this.#start));
  }

  example(row: number): number {
    const position = this.#first + this.#start + row;
    return this.#permutation === undefined ? position : this.#permutation.at(position);
  }
}
