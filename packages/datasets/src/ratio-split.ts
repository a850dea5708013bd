import { keyFromSeed, RandomStream, STREAM } from "@logq/core";
import type { SplitName } from "./types.js";

/**
 * Deals units (lines, rows, a user's interactions) to the parts by a coin each: a unit's part depends on the seed and its address
 * alone, not on how many others there are. Whatever the shares of the other parts, a unit drawn into the test part stays there.
 */
export class RatioSplit {
  readonly #key;
  readonly #test: number;
  readonly #heldOut: number;

  constructor(options: { seed: number | string; validationRatio: number; testRatio: number }) {
    this.#key = keyFromSeed(options.seed);
    this.#test = options.testRatio;
    this.#heldOut = options.testRatio + options.validationRatio;
  }

  /** True if nothing is ever held out. */
  get isWhole(): boolean {
    return this.#heldOut === 0;
  }

  /** A function of the unit's index within `group` (a user, or 0): its part. */
  group(group = 0): (index: number) => SplitName {
    if (this.isWhole) return () => "train";
    const stream = new RandomStream(this.#key, STREAM.split, 0, group);
    return (index) => {
      const u = stream.uniform(index);
      if (u < this.#test) return "test";
      return u < this.#heldOut ? "validation" : "train";
    };
  }
}
