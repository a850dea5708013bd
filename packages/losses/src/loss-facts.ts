import type { AccidentalHits } from "@logq/samplers";
import { HIERARCHICAL_SOFTMAX } from "./hierarchical/facts.js";
import type { Correction, LossName, LossSpec } from "./loss-spec.js";

/** What is true of a loss by its definition, and which options it has. */
export interface LossFacts {
  readonly name: LossName;
  /**
   * normalised: a row's gradient needs the sum over all its logits. separable: each logit stands alone. pairwise: each meets those of the labels.
   * tree: there are no logits of classes, but decisions on the way to each.
   */
  readonly kind: "normalised" | "separable" | "pairwise" | "tree";
  /** True if it looks at sampled candidates, false if at every class, or at the path of a label. */
  readonly candidates: boolean;
  /** True if candidates have weights beside what is added to their logits: `candidateTerms` fills them in. */
  readonly weighted: boolean;
  /** Whether it can be read as a likelihood of the labels, so that e^loss is a perplexity. A sampled loss never can. */
  readonly perplexity: boolean;
  /** The allowed corrections, the default first. */
  readonly corrections: readonly Correction[];
  /** What may become of accidental hits, the default first. */
  readonly accidentalHits: readonly AccidentalHits[];
  /** Whether label smoothing above 0 is defined for it. */
  readonly labelSmoothing: boolean;
  /** True if it is defined on cosines: `normalize` must be on, and classes have no bias. */
  readonly cosines: boolean;
  /** True if it supposes that classes are drawn uniformly; others may have any law. */
  readonly uniform: boolean;
  /** Whether candidates are drawn with replacement by default. Losses without candidates: true, and without meaning. */
  readonly replacement: boolean;
  /** What the logits h·w + b (over τ) tend to, in words. */
  readonly learns: string;
}

const FACTS: { readonly [name in LossName]: LossFacts } = {
  "full-softmax": {
    name: "full-softmax",
    kind: "normalised",
    candidates: false,
    weighted: false,
    perplexity: true,
    corrections: ["none"],
    accidentalHits: ["keep"],
    labelSmoothing: true,
    cosines: false,
    uniform: false,
    replacement: true,
    learns: "log p(class | input), up to a constant of the row",
  },
  "sampled-softmax": {
    name: "sampled-softmax",
    kind: "normalised",
    candidates: true,
    weighted: false,
    perplexity: false,
    corrections: ["importance", "partition", "none"],
    accidentalHits: ["keep", "remove"],
    labelSmoothing: true,
    cosines: false,
    uniform: false,
    replacement: true,
    learns: "log p(class | input), up to a constant of the row; uncorrected: log p − log Q, up to a constant",
  },
  nce: {
    name: "nce",
    kind: "separable",
    candidates: true,
    weighted: true,
    perplexity: false,
    corrections: ["importance"],
    accidentalHits: ["keep"],
    labelSmoothing: false,
    cosines: false,
    uniform: false,
    replacement: true,
    learns: "log p(class | input), with a normaliser of 1",
  },
  "negative-sampling": {
    name: "negative-sampling",
    kind: "separable",
    candidates: true,
    weighted: true,
    perplexity: false,
    corrections: ["none"],
    accidentalHits: ["remove", "keep"],
    labelSmoothing: false,
    cosines: false,
    uniform: false,
    replacement: true,
    learns:
      "log p − log Q (hits removed: log-odds − log Q): PMI − log k when k negatives are drawn by class frequency. Not probabilities",
  },
  "sampled-logistic": {
    name: "sampled-logistic",
    kind: "separable",
    candidates: true,
    weighted: true,
    perplexity: false,
    corrections: ["importance"],
    accidentalHits: ["remove"],
    labelSmoothing: false,
    cosines: false,
    uniform: false,
    replacement: true,
    learns: "log-odds log(p / (1 − p)) of class given input",
  },
  "one-vs-all": {
    name: "one-vs-all",
    kind: "separable",
    candidates: false,
    weighted: false,
    perplexity: false,
    corrections: ["none"],
    accidentalHits: ["keep"],
    labelSmoothing: false,
    cosines: false,
    uniform: false,
    replacement: true,
    learns: "log-odds of each class on its own: σ(z) is the probability that the label is present",
  },
  "sampled-one-vs-all": {
    name: "sampled-one-vs-all",
    kind: "separable",
    candidates: true,
    weighted: true,
    perplexity: false,
    corrections: ["importance"],
    accidentalHits: ["remove"],
    labelSmoothing: false,
    cosines: false,
    uniform: false,
    replacement: true,
    learns: "what one-vs-all learns: its negatives are weighted by 1/Q, so the loss is an unbiased estimate",
  },
  bce: {
    name: "bce",
    kind: "separable",
    candidates: true,
    weighted: true,
    perplexity: false,
    corrections: ["none"],
    accidentalHits: ["remove", "keep"],
    labelSmoothing: false,
    cosines: false,
    uniform: false,
    replacement: true,
    learns: "what negative-sampling learns: log p − log Q (hits removed: log-odds − log Q). Not probabilities",
  },
  gbce: {
    name: "gbce",
    kind: "separable",
    candidates: true,
    weighted: true,
    perplexity: false,
    corrections: ["none"],
    accidentalHits: ["remove", "keep"],
    labelSmoothing: false,
    cosines: false,
    uniform: true,
    replacement: true,
    learns:
      "log p − log Q + log β (hits removed: log-odds − log Q + log β): log-odds if negatives are uniform and calibration is 1",
  },
  bpr: {
    name: "bpr",
    kind: "pairwise",
    candidates: true,
    weighted: true,
    perplexity: false,
    corrections: ["none"],
    accidentalHits: ["remove", "keep"],
    labelSmoothing: false,
    cosines: false,
    uniform: true,
    replacement: true,
    learns: "log p − log Q, up to a constant of the row: an order by p if negatives are uniform. Not probabilities",
  },
  warp: {
    name: "warp",
    kind: "pairwise",
    candidates: true,
    weighted: true,
    perplexity: false,
    corrections: ["none"],
    accidentalHits: ["remove"],
    labelSmoothing: false,
    cosines: false,
    uniform: true,
    replacement: true,
    learns: "an order, by an estimate of the label's rank that supposes uniform negatives. Not probabilities",
  },
  ccl: {
    name: "ccl",
    kind: "separable",
    candidates: true,
    weighted: true,
    perplexity: false,
    corrections: ["none"],
    accidentalHits: ["remove", "keep"],
    labelSmoothing: false,
    cosines: true,
    uniform: false,
    replacement: true,
    learns: "cosines near 1 for labels, and not above the margin for others. Not probabilities",
  },
  margin: {
    name: "margin",
    kind: "normalised",
    candidates: false,
    weighted: false,
    perplexity: false,
    corrections: ["none"],
    accidentalHits: ["keep"],
    labelSmoothing: false,
    cosines: true,
    uniform: false,
    replacement: true,
    learns: "cosines by which labels stand above all other classes by the margin. Not probabilities",
  },
  "sampled-margin": {
    name: "sampled-margin",
    kind: "normalised",
    candidates: true,
    weighted: false,
    perplexity: false,
    corrections: ["none", "importance"],
    accidentalHits: ["remove"],
    labelSmoothing: false,
    cosines: true,
    uniform: true,
    replacement: false,
    learns: "cosines by which labels stand above sampled classes by the margin. Not probabilities",
  },
  "hierarchical-softmax": {
    name: "hierarchical-softmax",
    kind: "tree",
    candidates: false,
    weighted: false,
    perplexity: HIERARCHICAL_SOFTMAX.perplexity,
    corrections: ["none"],
    accidentalHits: ["keep"],
    labelSmoothing: false,
    cosines: false,
    uniform: false,
    replacement: true,
    learns: HIERARCHICAL_SOFTMAX.learns,
  },
};

/** What is true of the loss called `name`. */
export function describeLoss(name: LossName): LossFacts {
  return FACTS[name];
}

/** Whether a row's labels share one unit of mass: in losses that are a likelihood of one label. In others each label has one. */
export function sharesMass(name: LossName): boolean {
  const { kind } = FACTS[name];
  return kind === "normalised" || kind === "tree";
}

/** Whether a loss uses log Q, so that candidates without it must be refused with MissingLogQError. */
export function needsLogQ(spec: LossSpec): boolean {
  return FACTS[spec.name].candidates && spec.correction !== "none";
}
