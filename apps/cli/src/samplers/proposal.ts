import type { DescribedSampler } from "@logq/samplers";

/** Candidates of one context, as a loss is given them. */
export interface Candidates {
  /** (at least as many as were asked for) */
  readonly ids: Int32Array;
  /** Natural log of the expected count of each; all 0 where candidates have none. */
  readonly logQ: Float64Array;
}

/** A sampler with its options at the contexts of a layer. */
export interface Proposal {
  /** "exact softmax" is no sampler: it draws from the softmax itself, which costs O(n), and is what others are measured against. */
  readonly sampler: DescribedSampler | "exact softmax";
  readonly options: Readonly<Record<string, unknown>>;
  /** Bytes that all threads share. */
  readonly bytes: number;
  /** Whether log Q is something else than that of a known law. */
  readonly biased: boolean;
  /** Writes log q(· | context) of all classes, natural; null: there is no law to write. */
  readonly law: ((context: number, out: Float64Array) => void) | null;
  /**
   * Draws S candidates of a context that are not its target (of slide the target may be among them, to be masked): from the law without the target, so that
   * Q = S·q/(1 − q(target)). A step is an address: the same gives the same. Answers how many were written.
   */
  draw(step: number, context: number, S: number, out: Candidates): number;
}

/** Blocks of draws that are made until S of them are not the target. */
const MOST_BLOCKS = 256;
/** What tells apart the steps of blocks of one draw. */
const BLOCK_STEPS = 2 ** 30;

/**
 * Draws `wanted` candidates with replacement, or more, and log Q of so many draws, for an address of its own; answers how many.
 * Buffers have room for S of them.
 */
export type DrawBlock = (step: number, wanted: number, out: Candidates) => number;

/** Rejects the target from blocks of draws until S others have come. */
export class TargetRejection {
  readonly #block: Candidates;

  /** @param most the greatest S */
  constructor(most: number) {
    this.#block = { ids: new Int32Array(most), logQ: new Float64Array(most) };
  }

  /** @param q the target's probability, linear */
  draw(step: number, S: number, target: number, q: number, out: Candidates, drawBlock: DrawBlock): number {
    const { ids, logQ } = this.#block;
    let count = 0;
    for (let number = 0; number < MOST_BLOCKS && count < S; number++) {
      const size = drawBlock(step + number * BLOCK_STEPS, S - count, this.#block);
      // From the expected count of so many draws to that of one.
      const one = -Math.log(size);
      for (let i = 0; i < size && count < S; i++) {
        if (ids[i] === target) continue;
        out.ids[count] = ids[i]!;
        out.logQ[count++] = logQ[i]! + one;
      }
    }
    // A law with nearly all of its mass on the target may leave fewer than S.
    const correction = Math.log(Math.max(count, 1)) - Math.log1p(-Math.min(q, 1 - 1e-12));
    for (let i = 0; i < count; i++) out.logQ[i]! += correction;
    return count;
  }
}
