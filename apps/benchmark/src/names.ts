/** The losses this benchmark can put beside each other, in the order in which reports list them. */
export const LOSSES = [
  "full-softmax",
  "sampled-softmax",
  "nce",
  "negative-sampling",
  "sampled-logistic",
  "adaptive-softmax",
  "hierarchical-softmax",
] as const;
export type LossName = (typeof LOSSES)[number];

/** Samplers of a fixed law: those that are put beside each other unless the user names some. */
export const USUAL_SAMPLERS = ["uniform", "log-uniform", "unigram"] as const;

/** All samplers that can be named, in the order in which reports list them. */
export const SAMPLERS = [
  ...USUAL_SAMPLERS,
  "learned-unigram",
  "in-batch",
  "mixed",
  "cross-batch",
  "quadratic-kernel",
  "random-features",
  "midx",
  "lsh",
  "hard",
  "two-pass",
] as const;
export type SamplerName = (typeof SAMPLERS)[number];

/** What `--backend` accepts. */
export const BACKENDS = ["auto", "native", "blas", "wasm", "reference"] as const;
export type BackendName = (typeof BACKENDS)[number];

/** The named sizes of a sweep. */
export const PRESETS = ["quick", "full"] as const;
export type PresetName = (typeof PRESETS)[number];

/**
 * Who draws the candidates of a loss unless the user says otherwise; null for those that draw none. Counts of the training
 * labels are always at hand, so the alias table over them is the default: no order of ids has to be assumed.
 */
export const DEFAULT_SAMPLER: Readonly<Record<LossName, SamplerName | null>> = {
  "full-softmax": null,
  "sampled-softmax": "unigram",
  nce: "unigram",
  "negative-sampling": "unigram",
  "sampled-logistic": "unigram",
  "adaptive-softmax": null,
  "hierarchical-softmax": null,
};

/** How people write a loss. */
export const LOSS_LABEL: Readonly<Record<LossName, string>> = {
  "full-softmax": "full softmax",
  "sampled-softmax": "sampled softmax",
  nce: "NCE",
  "negative-sampling": "negative sampling",
  "sampled-logistic": "sampled logistic",
  "adaptive-softmax": "adaptive softmax",
  "hierarchical-softmax": "hierarchical softmax",
};

/**
 * The exponent on the counts in the unigram sampler: 1 makes it the law of the labels themselves, which the corrected losses want; negative
 * sampling has no correction, and word2vec's 0.75 is its usual law.
 */
export const DISTORTION: Readonly<Record<LossName, number>> = {
  "full-softmax": 1,
  "sampled-softmax": 1,
  nce: 1,
  "negative-sampling": 0.75,
  "sampled-logistic": 1,
  "adaptive-softmax": 1,
  "hierarchical-softmax": 1,
};

/**
 * Adagrad's learning rate. One for all losses that learn probabilities; negative sampling, whose gradients are larger and whose
 * scores have no normaliser to hold them, ranks best with less.
 */
export const LEARNING_RATE: Readonly<Record<LossName, number>> = {
  "full-softmax": 0.03,
  "sampled-softmax": 0.03,
  nce: 0.03,
  "negative-sampling": 0.01,
  "sampled-logistic": 0.03,
  "adaptive-softmax": 0.03,
  "hierarchical-softmax": 0.03,
};
