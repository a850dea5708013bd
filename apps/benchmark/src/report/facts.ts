import { bytes, count, percent, roughly, significant } from "../format.js";
import { DISTORTION, LEARNING_RATE, LOSS_LABEL, type LossName } from "../names.js";
import type { Results } from "../sweep/results.js";

/** A named fact, for a list of definitions. */
export type Fact = readonly [name: string, text: string];

/** Where the numbers were taken. */
export function machineFacts({ machine }: Results): Fact[] {
  const rates = Object.entries(machine.gemmGigaflops).map(
    ([threads, rate]) => `${significant(rate)} with ${threads} thread${threads === "1" ? "" : "s"}`,
  );
  return [
    ["Processor", `${machine.cpu}, ${count(machine.cores)} logical cores`],
    ["Memory", bytes(machine.memoryBytes)],
    ["System", machine.os],
    ["Node.js", `${machine.node} (V8 ${machine.v8})`],
    ["GEMM rate, GF/s", rates.length === 0 ? "not measured" : rates.join(", ")],
    ...(machine.processorShare === null
      ? []
      : [["Processor time", `${percent(machine.processorShare)} of what the GEMM probe's threads asked for`] as const]),
    ["Date", `${machine.date.slice(0, 16).replace("T", " ")} UTC`],
  ];
}

/** What was asked for. */
export function settingsFacts(results: Results): Fact[] {
  const { settings, cells } = results;
  const backends = [...new Set(cells.flatMap((cell) => (cell.backend === null ? [] : [cell.backend])))];
  return [
    ["Data", settings.data ?? "synthetic, made from a planted softmax whose best cross-entropy is known"],
    ...examplesFact(results),
    ["Losses", settings.losses.map((loss) => LOSS_LABEL[loss]).join(", ")],
    ["Width D", count(settings.dim)],
    ["Batch B", count(settings.batch)],
    ["Candidates S", settings.negatives.map(count).join(", ")],
    ["Workers", settings.workers.map(count).join(", ")],
    ["Training time", `${significant(settings.seconds, 2)} s a cell`],
    ["Optimizer", `Adagrad; learning rate ${learningRates(settings.losses)}`],
    ["Seed", String(settings.seed)],
    ["Back-end", backends.length === 0 ? settings.backend : `${backends.join(", ")} (asked for: ${settings.backend})`],
  ];
}

/** "300,000 at 1,000 classes, ...": one pass, to two digits. */
function examplesFact({ settings, cells }: Results): Fact[] {
  const steps = new Map(cells.flatMap((cell) => (cell.equalSteps === null ? [] : [[cell.classes, cell.equalSteps]])));
  const parts = [...steps].map(([classes, pass]) => `${roughly(pass * settings.batch)} at ${count(classes)} classes`);
  return parts.length === 0 ? [] : [["One pass, examples", parts.join(", ")]];
}

/** "0.03; of negative sampling 0.01". */
function learningRates(losses: readonly LossName[]): string {
  const usual = LEARNING_RATE[losses[0]!];
  const others = losses.filter((loss) => LEARNING_RATE[loss] !== usual);
  return [String(usual), ...others.map((loss) => `of ${LOSS_LABEL[loss]} ${LEARNING_RATE[loss]}`)].join("; ");
}

/** How it was measured, a paragraph each. */
export const METHOD: readonly string[] = [
  "Every cell trains a fresh model for the same number of seconds, on the same data as all others of its size; evaluation is not counted. A step is everything from reading the batch and drawing candidates to the updated tables. Its time is the median over the steps after warm-up (the last 4,096, and five at the least); the table gives the 10th and 90th percentile beside it.",
  "Accuracy is exact: cross-entropy and recall are computed over all classes on held-out examples, whatever the loss trained on. It is given only where at least one pass over the training data fitted into the time. The value of a sampled loss is never compared with that of another, because they are different functions.",
  "The crossover is found on the straight lines that join the measured sizes when both axes are logarithmic. It concerns the time of a step alone; what a step is worth is the matter of the accuracy charts.",
];

/** What the words mean. */
export const GLOSSARY: readonly Fact[] = [
  ["Full softmax", "The exact loss: every step computes the scores of all n classes."],
  [
    "Sampled softmax",
    "A softmax over the target and S drawn classes, each score lowered by log Q, the log of its expected count among the draws.",
  ],
  [
    "NCE",
    "Noise-contrastive estimation: tells the target from S drawn classes by a logistic loss, corrected by log Q.",
  ],
  [
    "Negative sampling",
    `The same without the correction, as word2vec has it: it learns to rank and gives no probabilities, so its cross-entropy stays high by design. Its unigram sampler draws by counts to the power of ${DISTORTION["negative-sampling"]}, as usual.`,
  ],
  ["Sampled logistic", "NCE without those draws that hit the target."],
  [
    "Adaptive softmax",
    "A softmax over the frequent classes and a few clusters of rare ones, and one within the target's cluster, whose rows are narrower. Its accuracy is that of its own law.",
  ],
  [
    "Uniform, log-uniform, unigram",
    "Laws of the draws: all classes alike; falling with the rank of a class; the counts in the training data, through an alias table.",
  ],
  ["Best reachable", "The cross-entropy of the law that made the synthetic data. No model can do better on average."],
  [
    "Bias, spread",
    "Of the sampled gradient in the hidden vectors: the distance of its mean from the exact gradient, and its standard deviation about that mean, both over the exact gradient's norm, at the tables the cell ended with. The other candidate losses have gradients of their own, with nothing to compare them to.",
  ],
  [
    "GEMM share",
    "Floating-point operations of a step's three matrix products per second (the classes of a full softmax, the distinct candidates of a sampled loss; logits that are computed twice count once), over the rate of this machine's own matrix product with as many threads, operands in its caches.",
  ],
  ["Tables", "Class table, bias, optimizer state and the sampler's tables, in bytes (1 MB is 1,000,000 bytes)."],
];
