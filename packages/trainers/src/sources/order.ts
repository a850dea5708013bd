import { type Key, KeyedPermutation, STREAM, type StreamId } from "@logq/core";
import type { Address, Kernels } from "@logq/kernels";

/** Which examples make up a batch. Set to a batch with `seek`, then asked row by row. */
export interface ExampleOrder {
  /** Moves to batch number `batch` and answers its rows. */
  seek(batch: number): number;
  /** The example in row `row` of the current batch. */
  example(row: number): number;
}

/** int32 (B) in kernel memory, valid until the next `seek`, and as much to work out what stands there. */
export interface ExampleList {
  readonly kernels: Kernels;
  readonly address: Address;
  readonly scratch: Address;
}

/** The most examples whose numbers are int32. */
const LARGEST_LISTED = 2 ** 31;

/** Training: epochs in keyed random order; the last batch of an epoch may be smaller, so that no batch mixes two epochs. */
export class EpochOrder implements ExampleOrder {
  readonly #examples: number;
  readonly #B: number;
  readonly #key: Key;
  readonly #batchesPerEpoch: number;
  readonly #list: ExampleList | undefined;
  #epoch = -1;
  #permutation: KeyedPermutation | undefined;
  #first = 0;

  /** @param list where the examples of a batch are worked out at once, by kernels; absent: one at a time. */
  constructor(examples: number, B: number, key: Key, list?: ExampleList) {
    this.#examples = examples;
    this.#B = B;
    this.#key = key;
    this.#batchesPerEpoch = Math.ceil(examples / B);
    this.#list = examples <= LARGEST_LISTED ? list : undefined;
  }

  seek(batch: number): number {
    const epoch = Math.floor(batch / this.#batchesPerEpoch);
    if (epoch !== this.#epoch) {
      this.#epoch = epoch;
      this.#permutation = new KeyedPermutation(this.#examples, this.#key, epoch);
    }
    this.#first = (batch % this.#batchesPerEpoch) * this.#B;
    const rows = Math.min(this.#B, this.#examples - this.#first);
    if (this.#list !== undefined) {
      const { kernels, address, scratch } = this.#list;
      kernels.draws.permuted(address, rows, this.#permutation!, this.#first, scratch);
    }
    return rows;
  }

  example(row: number): number {
    if (this.#list !== undefined) return this.#list.kernels.memory.i32[(this.#list.address >>> 2) + row];
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
