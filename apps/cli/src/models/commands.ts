import { SPLIT_NAMES } from "@logq/datasets";
import { CUT_OFF_METRICS, SOFTMAX_METRICS, USUAL_PROPENSITY } from "@logq/trainers";
import { Command } from "commander";
import { choice } from "../base/choice.js";
import { EXIT_CODES_HELP } from "../base/exit-codes.js";
import type { Io } from "../base/io.js";
import { integer, positiveInteger, propensity } from "../base/values.js";
import { BACKENDS, DEFAULT_WORKERS } from "../base/workers.js";
import { type EvaluateFlags, evaluateCommandAction } from "./evaluate.js";
import { type NeighboursFlags, neighbours } from "./neighbours.js";
import { type RecommendFlags, recommend } from "./recommend.js";

const RUN = ["<run>", "a directory made by `logq train`"] as const;

export function evaluateCommand(io: Io): Command {
  return new Command("evaluate")
    .description("Measure a saved run on a part of its dataset, exactly, over all classes.")
    .argument(...RUN)
    .addOption(choice("--split <part>", "which part", SPLIT_NAMES).default("test"))
    .option(
      "--metrics <list>",
      `${[...SOFTMAX_METRICS, ...CUT_OFF_METRICS.map((name) => `${name}@k`)].join(", ")} ` +
        "(default: cross-entropy,perplexity; of pairs recall@20,ndcg@20)",
    )
    .option(
      "--propensity <A,B>",
      `psp@k: the constants of the propensity law, 0.6,2.6 for Amazon's data (default: ${USUAL_PROPENSITY.A},${USUAL_PROPENSITY.B})`,
      propensity,
    )
    .option("--data <directory>", "the dataset (default: the one it was trained on)")
    .option("--limit <N>", "only the first N examples", positiveInteger)
    .option("--workers <W>", `worker threads (default: the cores, here ${DEFAULT_WORKERS})`, positiveInteger)
    .addOption(choice("--backend <name>", "auto takes the fastest that loads", BACKENDS, "auto"))
    .option("--json", "print one JSON object: split, examples, labels, metrics, seconds, run, data")
    .addHelpText(
      "after",
      `
Cross-entropy is in nats a label and counts all labels alike, whatever weighed them in training. log-partition is the
mean of |log Z| over rows: how far logits are from log probabilities without a sum over classes. Rankings are means
over rows with something to find; of pairs they leave out what a user chose in earlier parts. psp@k is precision with
each label weighted by how likely it is to be missing from the data, rare ones most, over what the best ranking would
reach.

Example:
  logq evaluate runs/places --split test --metrics recall@20,ndcg@20 --json
${EXIT_CODES_HELP}`,
    )
    .action((run: string, flags: EvaluateFlags) => evaluateCommandAction(io, run, flags));
}

export function recommendCommand(io: Io): Command {
  return new Command("recommend")
    .description("The k best classes for a user, a history, a context or features, by name.")
    .argument(...RUN)
    .optionsGroup("Input (one of them; which depends on the encoder):")
    .option("--user <name>", "user, history: a user of the dataset")
    .option("--items <list>", "history: what was chosen so far, oldest first: a,b,c")
    .option("--words <text>", 'window: the words before: "the cat sat"; features of a tsv: the words of a row')
    .option("--features <list>", "features: names and weights: a:1,b:2")
    .optionsGroup("Options:")
    .option("--k <N>", "how many", positiveInteger, 10)
    .option(
      "--keep-seen",
      "do not leave out what the user chose in the training and validation parts, or the given items",
    )
    .option("--data <directory>", "the dataset that knows what a user chose (default: the one it was trained on)")
    .addOption(choice("--backend <name>", "auto takes the fastest that loads", BACKENDS, "auto"))
    .option("--json", "print one JSON object: results are rank, id, name and score (a logit)")
    .addHelpText(
      "after",
      `
Examples:
  logq recommend runs/places --user 42 --k 10
  logq recommend runs/words --words "the capital of" --k 5 --json
${EXIT_CODES_HELP}`,
    )
    .action((run: string, flags: RecommendFlags) => recommend(io, run, flags));
}

export function neighboursCommand(io: Io): Command {
  return new Command("neighbours")
    .description("The classes whose rows have the highest cosine with a class's row.")
    .argument(...RUN)
    .option("--class <name>", "the class, or the input, by name")
    .option("--class-id <id>", "the same by id (class 0 is the most frequent)", integer)
    .addOption(
      choice(
        "--table <which>",
        "class rows, or embeddings of inputs",
        ["classes", "inputs"],
        "classes; of a run by recipe inputs, its word vectors",
      ),
    )
    .option("--k <N>", "how many", positiveInteger, 10)
    .option("--json", "print one JSON object: results are rank, id, name and score (a cosine)")
    .addHelpText(
      "after",
      `
Example:
  logq neighbours runs/words --class Paris --k 10
${EXIT_CODES_HELP}`,
    )
    .action((run: string, flags: NeighboursFlags) => neighbours(io, run, flags));
}
