import { requireOneOf } from "@logq/core";
import { planContextual } from "./contextual/create.js";
import { CONTEXTUAL_NAMES, type ContextualName } from "./contextual/types.js";
import { samplerStateBytes } from "./state.js";
import { statefulStateBytes } from "./stateful/stateful-state.js";
import { STATEFUL_NAMES, type StatefulName } from "./stateful/types.js";
import { SAMPLER_NAMES, type SamplerName } from "./types.js";

/** What chooses among candidates that were drawn already, by their logits: also functions of their own, `hardest` and `resample`. */
export const POOL_NAMES = ["hard", "two-pass"] as const;
export type PoolName = (typeof POOL_NAMES)[number];

/** Everything that brings candidates, by name. */
export const DESCRIBED_SAMPLERS = [...SAMPLER_NAMES, ...STATEFUL_NAMES, ...CONTEXTUAL_NAMES, ...POOL_NAMES] as const;
export type DescribedSampler = (typeof DESCRIBED_SAMPLERS)[number];

/**
 * What a proposal depends on. static: nothing but a law that is fixed beforehand. stateful: the targets that were seen. contextual: the row's hidden vector and
 * class rows as they were stored. pool: the logits of candidates that another sampler drew.
 */
export type SamplerKind = "static" | "stateful" | "contextual" | "pool";

/** What is true of a sampler by its definition. Costs are in the letters of the project: n classes, D width, S candidates; logs are base 2 where they count. */
export interface SamplerFacts {
  readonly name: DescribedSampler;
  readonly kind: SamplerKind;
  /** One draw for the whole batch, or one for each row; the default first. */
  readonly per: readonly ("batch" | "row")[];
  /** either: an option decides. with: a class may come twice. without: it may not. */
  readonly replacement: "either" | "with" | "without";
  /**
   * What log Q is, with the default options, to the log of a class's expected count. exact: the same. estimated: its estimate from frequencies that are learned.
   * given: what the user says. biased: something else, or there is none.
   */
  readonly expectedCount: "exact" | "estimated" | "given" | "biased";
  /** expectedCount is `biased`: reports say so. */
  readonly biased: boolean;
  /** What log Q is, or why there is none: one sentence. */
  readonly logQ: string;
  /** What it draws, in plain words: one sentence. */
  readonly draws: string;
  /** When to take it: one sentence. */
  readonly use: string;
  /** Of S candidates: of the batch, or of one row. */
  readonly drawCost: string;
  /** Of keeping up with the data or the class table, beside building it once. */
  readonly updateCost: string;
  /** Where it was published. */
  readonly source: string;
}

const FACTS: { readonly [name in DescribedSampler]: Omit<SamplerFacts, "name" | "biased"> } = {
  uniform: {
    kind: "static",
    per: ["batch", "row"],
    replacement: "either",
    expectedCount: "exact",
    logQ: "Exact: S/n.",
    draws: "Every class with the same probability.",
    use: "Items to recommend, where rare classes must learn too; not words, where frequent classes hold most of the softmax.",
    drawCost: "O(S)",
    updateCost: "none",
    source: "Jean et al. 2015",
  },
  "log-uniform": {
    kind: "static",
    per: ["batch", "row"],
    replacement: "either",
    expectedCount: "exact",
    logQ: "Exact: S·p, or 1 − e^(−p·t) without replacement.",
    draws: "Classes by a Zipf law of their rank: ids must be in the order of frequency.",
    use: "Words in the order of frequency whose counts are not at hand, or to compare with TensorFlow.",
    drawCost: "O(S)",
    updateCost: "none",
    source: "Jozefowicz et al. 2016; TensorFlow's range_sampler.cc",
  },
  unigram: {
    kind: "static",
    per: ["batch", "row"],
    replacement: "either",
    expectedCount: "exact",
    logQ: "Exact: S·p, or 1 − e^(−p·t) without replacement.",
    draws: "Classes by how often they are targets, to a power (distortion) that flattens the law.",
    use: "The default for words and for whatever has frequent classes.",
    drawCost: "O(S)",
    updateCost: "none",
    source: "Bengio and Senécal 2008; Mikolov et al. 2013 (power 0.75)",
  },
  given: {
    kind: "static",
    per: ["batch"],
    replacement: "either",
    expectedCount: "given",
    logQ: "What its user states; without it, losses that correct refuse the candidates.",
    draws: "Lists of one's own, in turn.",
    use: "Negatives that come from elsewhere: impressions, another model, a retrieval index.",
    drawCost: "O(S)",
    updateCost: "none",
    source: "one's own",
  },
  "learned-unigram": {
    kind: "stateful",
    per: ["batch"],
    replacement: "either",
    expectedCount: "exact",
    logQ: "Exact: S·p of the counts as they are in that step, or 1 − e^(−p·t) without replacement.",
    draws: "Classes by how often they have been targets so far.",
    use: "A unigram where nobody has counted: streams, vocabularies that grow, laws that drift.",
    drawCost: "O(S·log n)",
    updateCost: "O(log n) a target",
    source: "TensorFlow's learned_unigram_candidate_sampler",
  },
  "in-batch": {
    kind: "stateful",
    per: ["batch"],
    replacement: "with",
    expectedCount: "estimated",
    logQ: "B·f, f the share of a class among targets: right as far as the moving average that estimates it is.",
    draws: "The targets of the batch itself.",
    use: "Two towers, where the rows of other targets are there already; it never shows a class that is no target.",
    drawCost: "O(B)",
    updateCost: "O(1) a target",
    source: "Yi et al. 2019",
  },
  mixed: {
    kind: "stateful",
    per: ["batch"],
    replacement: "with",
    expectedCount: "estimated",
    logQ: "B·f + S·p: exact for the draws beside the batch, estimated as of in-batch for its targets.",
    draws: "The targets of the batch, and draws of a law beside them.",
    use: "In-batch negatives whose rare classes must be seen too.",
    drawCost: "O(B + S)",
    updateCost: "O(1) a target",
    source: "Yang et al. 2020",
  },
  "cross-batch": {
    kind: "stateful",
    per: ["batch"],
    replacement: "with",
    expectedCount: "estimated",
    logQ: "(M + 1)·B·f, f estimated as of in-batch.",
    draws: "The targets of the batch and of the M batches before it, scored with class rows as they are now.",
    use: "In-batch negatives where the batch is small.",
    drawCost: "O(M·B)",
    updateCost: "O(1) a target",
    source: "Wang et al. 2021",
  },
  "quadratic-kernel": {
    kind: "contextual",
    per: ["row"],
    replacement: "with",
    expectedCount: "exact",
    logQ: "Exact: S·q of the stored tree, whatever the class table has become since.",
    draws:
      "Blocks of classes by a quadratic kernel of projected vectors, down a tree, and classes of a block by e^logit.",
    use: "Where few negatives a row must do and a copy of the class table fits.",
    drawCost: "O(S·(r²·log n + D)), less where draws share nodes",
    updateCost: "O(n·(D + r²)) in refreshSteps steps",
    source: "Blanc and Rendle 2018",
  },
  "random-features": {
    kind: "contextual",
    per: ["row"],
    replacement: "with",
    expectedCount: "exact",
    logQ: "Exact: S·q of the stored tree, whatever the class table has become since.",
    draws: "Blocks of classes by random features of e^logit, down a tree, and classes of a block by e^logit.",
    use: "As quadratic-kernel, where logits are cosines or small, so that few features estimate the exponential.",
    drawCost: "O(F·D + S·(F·log n + D)), less where draws share nodes",
    updateCost: "O(n·F·D) in refreshSteps steps",
    source: "Rawat et al. 2019",
  },
  midx: {
    kind: "contextual",
    per: ["row"],
    replacement: "with",
    expectedCount: "exact",
    logQ: "Exact: S·q of the stored codes, whatever the class table has become since.",
    draws: "Pairs of codes by the softmax of the quantised class rows, and a class of that cell by its bias.",
    use: "The first contextual sampler to try: little memory, and draws whose cost does not grow with n.",
    drawCost: "O(K·D + K² + S·log K)",
    updateCost: "O(n·K·D) in refreshSteps steps",
    source: "Chen et al. 2022",
  },
  lsh: {
    kind: "contextual",
    per: ["row"],
    replacement: "with",
    expectedCount: "exact",
    logQ: "Exact: S·q of the stored tables; with candidates: slide there is none, and the sampler says that it is biased.",
    draws: "Classes that share a bucket of a hash table with the hidden vector, mixed with a law of all classes.",
    use: "To compare with SLIDE; at equal cost the other contextual samplers are nearer to the softmax.",
    drawCost: "O(T·D·bits + S·T)",
    updateCost: "O(n·T·D·bits) in refreshSteps steps",
    source: "Spring and Shrivastava 2017; Chen et al. 2020",
  },
  hard: {
    kind: "pool",
    per: ["row"],
    replacement: "without",
    expectedCount: "biased",
    logQ: "None: the hardest of a pool are no draw of any law. What they are used for corrects nothing, unless asked to.",
    draws: "The candidates of a drawn pool with the greatest logits.",
    use: "To sharpen a ranking late in training; what it learns is no longer a softmax.",
    drawCost: "O(P·(D + log S)), P entries in the pool",
    updateCost: "none",
    source: "Schroff et al. 2015 (hard negatives)",
  },
  "two-pass": {
    kind: "pool",
    per: ["row"],
    replacement: "with",
    expectedCount: "biased",
    logQ: "S times the softmax as the pool estimates it: loss and mean gradient are the pool's, and the mean count of a class differs from it by O(1/P).",
    draws:
      "Entries of a drawn pool by their weight e^logit/Q, one uniform a row and equal steps from there on, so that they come near the model's own softmax.",
    use: "Where scoring a pool costs little and few candidates may have a gradient.",
    drawCost: "O(P·D + S), P entries in the pool",
    updateCost: "none",
    source: "Rubin 1987; Kitagawa 1996; Bai et al. 2017",
  },
};

/** What is true of the sampler called `name`. @throws OptionError if there is none */
export function describeSampler(name: DescribedSampler): SamplerFacts {
  const facts = FACTS[requireOneOf("sampler", name, DESCRIBED_SAMPLERS)];
  return { name, ...facts, biased: facts.expectedCount === "biased" };
}

/**
 * Bytes that a sampler keeps for n classes of width D, with the default options: tables that all threads share, scratch apart. Of `given` those of log Q of all
 * classes, without the lists; of `cross-batch` 4 batches of 1,024 targets.
 * @throws OptionError
 */
export function describedBytes(name: DescribedSampler, n: number, D: number): number {
  const { kind } = describeSampler(name);
  switch (kind) {
    case "static":
      return name === "given" ? 8 * n : samplerStateBytes({ name: name as SamplerName }, n);
    case "stateful": {
      const ring = name === "cross-batch" ? { batches: 4, labels: 1024 } : {};
      return statefulStateBytes({ name: name as StatefulName, ...ring }, n);
    }
    case "contextual":
      return planContextual({ name: name as ContextualName }, n, D).tableBytes;
    case "pool":
      return 0;
  }
}
