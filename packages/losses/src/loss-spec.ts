import type { AccidentalHits } from "@logq/samplers";

/** The losses, by name. `describeLoss` tells what each one is. */
export const LOSS_NAMES = [
  "full-softmax",
  "sampled-softmax",
  "nce",
  "negative-sampling",
  "sampled-logistic",
  "one-vs-all",
  "sampled-one-vs-all",
] as const;

export type LossName = (typeof LOSS_NAMES)[number];

/**
 * How sampling is corrected for.
 *
 * - importance: log Q is subtracted from target and candidates alike
 * - partition: the target is left as it is, log Q is subtracted from the negatives
 * - none: nothing is subtracted. What is learned depends on who is drawn; reports say so
 */
export type Correction = "importance" | "partition" | "none";

export const CORRECTIONS: readonly Correction[] = ["importance", "partition", "none"];

/** Everything there is to say about a loss. Plain data: it can be posted to workers and written into a run's record. */
export interface LossSpec {
  readonly name: LossName;
  readonly correction: Correction;
  /** τ > 0: logits are (h·w + b)/τ. It divides first, log Q is subtracted after. */
  readonly temperature: number;
  /** ε in [0, 1): the target distribution is (1 − ε)·y + ε/n. Full softmax only. */
  readonly labelSmoothing: number;
  /** What becomes of a candidate that is a label of the row: it stays a negative, or takes no part in that row (log Q is not changed by it). */
  readonly accidentalHits: AccidentalHits;
  /** Whether classes that a row's data names as seen take no part in it. They are masked, not drawn again, so log Q stays. */
  readonly exclude: "none" | "seen";
  /** Cosine logits: hidden vectors and class rows are brought to length 1 before the dot product (by the caller: the tiles hold cosines). */
  readonly normalize: boolean;
  /**
   * negative-sampling only. k > 0: a row's candidates count k·M/S times, M being the mass of its labels and S the number of its draws, so that each label has
   * k negatives in expectation however many draws rows share. 0: once for each draw.
   */
  readonly negativesPerLabel: number;
}
