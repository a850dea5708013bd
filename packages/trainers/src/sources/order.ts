import { type Key, KeyedPermutation, STREAM, type StreamId } from "@logq/core";
import type { Address, Kernels } from "@logq/kernels";

/** Which examples make up a batch. Set to a batch with `seek`, then asked row by row. */
export interface ExampleOrder {
  /** Moves to batch number `batch` and answers its rows. */
  seek(batch: number): number;
  /** The example in row `row` of the current batch. */
  example(row: number): number;
}

/** Room for int32 (2·B) in kernel memory, where `seek` has kernels work out a batch at once. */
export interface ExampleScratch {
  readonly kernels: Kernels;
  readonly address: Address;
}

/** The most examples whose numbers are int32. */
const LARGEST_LISTED = 2 ** 31;

/** Training: epochs in keyed random order; the last batch of an epoch may be smaller, so that no batch mixes two epochs. */
export class EpochOrder implements ExampleOrder {
  readonly #examples: number;
  readonly #B: number;
  readonly #key: Key;
  readonly #batchesPerEpoch: number;
  readonly #scratch: ExampleScratch | undefined;
  readonly #list: Int32Array | undefined;
  #epoch = -1;
  #batch = -1;
  #permutation: KeyedPermutation | undefined;
  #first = 0;
  #rows = 0;

  /** @param scratch absent: examples are worked out one at a time, in JavaScript. */
  constructor(examples: number, B: number, key: Key, scratch?: ExampleScratch) {
    this.#examples = examples;
    this.#B = B;
    this.#key = key;
    this.#batchesPerEpoch = Math.ceil(examples / B);
    this.#scratch = examples <= LARGEST_LISTED ? scratch : undefined;
    this.#list = this.#scratch === undefined ? undefined : new Int32Array(B);
  }

  /** A thread that builds both halves of a batch finds its examples once. */
  seek(batch: number): number {
    if (batch !== this.#batch) this.#find(batch);
    return this.#rows;
  }

  example(row: number): number {
    return this.#list === undefined ? this.#permutation!.at(this.#first + row) : this.#list[row]!;
  }

  #find(batch: number): void {
    this.#batch = batch;
    const epoch = Math.floor(batch / this.#batchesPerEpoch);
    if (epoch !== this.#epoch) {
      this.#epoch = epoch;
      this.#permutation = new KeyedPermutation(this.#examples, this.#key, epoch);
    }
    this.#first = (batch % this.#batchesPerEpoch) * this.#B;
    this.#rows = Math.min(this.#B, this.#examples - this.#first);
    if (this.#list === undefined) return;
    const { kernels, address } = this.#scratch!;
    kernels.draws.permuted(address, this.#rows, this.#permutation!, this.#first, address + 4 * this.#B);
    for (let row = 0; row < this.#rows; row++) this.#list[row] = kernels.memory.i32[(address >>> 2) + row]!;
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
