import { type Key, philox, STREAM, type StreamId, stepLow, streamWord, uniform53 } from "@logq/core";
import type { Address, Kernels } from "@logq/kernels";

/** The most pairs computed at a time: 16 KiB of uniforms stay in the first-level cache. */
export const CHUNK_PAIRS = 1024;

/**
 * The uniforms of one addressed draw, two to a Philox block: pair i is block i, so the i-th try of a draw does not depend on how many
 * tries are made or how they are chunked. Readdressed for each draw; allocates nothing after construction.
 */
export class AddressedUniforms {
  /** What `fill` wrote: pair i of the chunk at 2i and 2i + 1. */
  readonly pairs = new Float64Array(2 * CHUNK_PAIRS);
  /** The two uniforms of the last `block`. */
  first = 0;
  second = 0;
  readonly #words = new Uint32Array(4);
  #key: Key = { low: 0, high: 0 };
  #item = 0;
  #low = 0;
  #word = 0;

  address(key: Key, stream: StreamId, step: number, item: number): void {
    this.#key = key;
    this.#item = item;
    this.#low = stepLow(step);
    this.#word = streamWord(stream, step);
  }

  /** Computes pairs first, first + 1, … and answers how many: `wanted`, or a chunk if that is less. */
  fill(first: number, wanted: number): number {
    const count = Math.min(wanted, CHUNK_PAIRS);
    const words = this.#words;
    for (let i = 0; i < count; i++) {
      philox(this.#key, first + i, this.#item, this.#low, this.#word, words);
      this.pairs[2 * i] = uniform53(words[0], words[1]);
      this.pairs[2 * i + 1] = uniform53(words[2], words[3]);
    }
    return count;
  }

  /** Computes one pair into `first` and `second`. */
  block(index: number): void {
    const words = this.#words;
    philox(this.#key, index, this.#item, this.#low, this.#word, words);
    this.first = uniform53(words[0], words[1]);
    this.second = uniform53(words[2], words[3]);
  }
}

/** Bytes of kernel memory that `KernelUniforms` needs. */
export const UNIFORMS_BYTES = 16 * CHUNK_PAIRS;

/** The same uniforms, made by kernels in kernel memory. */
export class KernelUniforms {
  /** What `fill` wrote: pair i of the chunk at 2i and 2i + 1. */
  readonly pairs: Float64Array;
  readonly #draws: Kernels["draws"];
  readonly #place: Address;
  readonly #address = { key: { low: 0, high: 0 }, stream: STREAM.candidates as StreamId, step: 0, item: 0 };

  /** @param place UNIFORMS_BYTES on a multiple of 8 */
  constructor({ memory, draws }: Kernels, place: Address) {
    this.#draws = draws;
    this.#place = place;
    this.pairs = memory.doubles(place, 2 * CHUNK_PAIRS);
  }

  address(key: Key, stream: StreamId, step: number, item: number): void {
    const address = this.#address;
    address.key = key;
    address.stream = stream;
    address.step = step;
    address.item = item;
  }

  /** Computes pairs first, first + 1, … and answers how many: `wanted`, or a chunk if that is less. */
  fill(first: number, wanted: number): number {
    const count = Math.min(wanted, CHUNK_PAIRS);
    this.#draws.uniformPairs(this.#place, count, this.#address, first);
    return count;
  }
}
