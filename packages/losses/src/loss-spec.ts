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
  "bce",
  "gbce",
  "bpr",
  "warp",
  "ccl",
  "margin",
  "sampled-margin",
  "hierarchical-softmax",
] as const;

export type LossName = (typeof LOSS_NAMES)[number];

/** The losses of logits of classes: all but those that decide their way down a tree. */
export type TileLossName = Exclude<LossName, "hierarchical-softmax">;

/**
 * How sampling is corrected for.
 *
 * - importance: log Q is subtracted from target and candidates alike
 * - partition: the target is left as it is, log Q is subtracted from the negatives
 * - none: nothing is subtracted. What is learned depends on who is drawn; reports say so
 */
export type Correction = "importance" | "partition" | "none";

export const CORRECTIONS: readonly Correction[] = ["importance", "partition", "none"];

/**
 * How a margin m makes the cosine of a label smaller before it meets those of the other classes.
 *
 * - cosine: cosθ − m (CosFace, Wang et al. 2018)
 * - angular: cos(θ + m) (ArcFace, Deng et al. 2019)
 */
export type MarginKind = "cosine" | "angular";

export const MARGIN_KINDS: readonly MarginKind[] = ["cosine", "angular"];

/**
 * What the mass m of a label means to a loss of yes and no for each class, with logit y.
 *
 * - target: the wanted probability of a yes, m·softplus(−y) + (1 − m)·softplus(y)
 * - weight: how often the label counts, m·softplus(−y). With 1/p of its class, p being the probability that a label of the class was noticed, losses over
 *   noticed labels estimate those over all (Jain et al. 2016, section 3)
 */
export type LabelMass = "target" | "weight";

export const LABEL_MASSES: readonly LabelMass[] = ["target", "weight"];

/** Everything there is to say about a loss. Plain data: it can be posted to workers and written into a run's record. */
export interface LossSpec {
  readonly name: LossName;
  readonly correction: Correction;
  /** τ > 0: logits are (h·w + b)/τ. It divides first, log Q is subtracted after. */
  readonly temperature: number;
  /** ε in [0, 1): the target distribution is (1 − ε)·y + ε/n. Full softmax; sampled softmax with what all classes together are given estimated by 1/Q. */
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
  /**
   * Softmax family. λ >= 0: λ·lse² of each row is added to its loss, lse being the log of its partition, so that it stays near 0: the z-loss of PaLM
   * (Chowdhery et al. 2022, section 5), and the self-normalisation of Devlin et al. (2014, section 2.2), which is the same. Under sampling lse is that of
   * labels and candidates.
   */
  readonly zLoss: number;
  /**
   * full-softmax and sampled-softmax only. c > 0: logits are c·tanh(z/c) of z = (h·w + b)/τ, before log Q is subtracted. 0: none. It belongs to the model:
   * whoever evaluates it must cap as well.
   */
  readonly softCap: number;
  /** one-vs-all and sampled-one-vs-all only. */
  readonly labelMass: LabelMass;
  /** gbce only. t in [0, 1]: 0 leaves labels their full weight, 1 calibrates scores under uniform negatives. See `labelFactor`. */
  readonly calibration: number;
  /** ccl only. w >= 0: what the mean over the negatives is multiplied by. */
  readonly negativeWeight: number;
  /** ccl only. m in [−1, 1]: negatives whose cosine is not above it cost nothing. */
  readonly negativeMargin: number;
  /** margin and sampled-margin only. */
  readonly marginKind: MarginKind;
  /** margin and sampled-margin only. m: cosines in [0, 2], or radians in [0, π). */
  readonly margin: number;
}
