import type { Key } from "@logq/core";
import type { Address } from "@logq/kernels";

/** Samplers whose proposal depends on the row's hidden vector, by name. */
export const CONTEXTUAL_NAMES = ["quadratic-kernel", "random-features", "midx", "lsh"] as const;
export type ContextualName = (typeof CONTEXTUAL_NAMES)[number];

/** The class table as a contextual sampler sees it when it builds or refreshes what it stores. */
export interface ClassReader {
  readonly n: number;
  readonly D: number;
  /** Copies the rows of classes [first, first + count) to out (count, ld), float32; brought to length 1 if logits are cosines. */
  readRows(first: number, count: number, out: Address, ld: number): void;
  /** Copies their biases to out (count), float32; zeros if classes have none. */
  readBiases(first: number, count: number, out: Address): void;
}

/** Bytes of kernel memory that a sampler needs, known before anything is allocated. Both are multiples of 64. */
export interface ContextualPlan {
  /** What all threads share: the stored tree, codebooks, projected rows. */
  readonly tableBytes: number;
  /** What each thread needs of its own. */
  readonly scratchBytes: number;
}

/** A block of rows to draw for: H (R, ld) float32 in kernel memory, of length 1 each if logits are cosines. R is at most `MAX_CONTEXTS`. */
export interface Contexts {
  readonly R: number;
  readonly hidden: Address;
  readonly ld: number;
}

/** The most rows of one `draw`. */
export const MAX_CONTEXTS = 64;

/** What a draw is for. The same address gives the same draw whoever asks. */
export interface ContextualRequest {
  readonly key: Key;
  readonly step: number;
  /** Row r of the block draws as item firstRow + r + 1. */
  readonly firstRow: number;
  /** Candidates of each row, with replacement. */
  readonly S: number;
}

/**
 * Draws candidates of each row from a law q(· | h) that what is stored defines, whatever the class table has become since. All threads see the same
 * stored tables; each has its own sampler object and scratch.
 *
 * A step goes: `refresh` of all units of the step, by any threads in any order, while nobody writes the class table and nobody draws; `settle` by one
 * thread; then `draw` by any threads.
 */
export interface ContextualSampler {
  readonly name: ContextualName;
  readonly n: number;
  readonly D: number;
  /** True if log Q is not the law's own (no tractable law): reports say so. */
  readonly biased: boolean;
  /** Builds everything from the class table, on one thread, before the first step. */
  build(reader: ClassReader): void;
  /** Units of the refresh of a step; 0: nothing to do in this step. The share of classes that a step refreshes comes from the spec. */
  refreshUnits(step: number): number;
  refresh(unit: number, step: number, reader: ClassReader): void;
  /** Brings what depends on all units up to date. Short. */
  settle(step: number): void;
  /**
   * Draws S candidates with replacement for each row: ids[r·S + j] int32 and logQ[r·S + j] float32, natural log of the expected count S·q(id | h_r). Both in
   * kernel memory. Allocates nothing.
   */
  draw(request: ContextualRequest, contexts: Contexts, ids: Address, logQ: Address): void;
  /** out[j] = log(S·q(ids[j] | h_row)), float32, for row `row` of the block last drawn: what labels are corrected with. −∞ where q is 0. */
  logQ(row: number, ids: Address, count: number, out: Address): void;
}
