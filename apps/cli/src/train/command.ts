import { MARGIN_KINDS } from "@logq/losses";
import {
  CLASS_BIASES,
  CONTEXT_MODES,
  ENCODERS,
  EXAMPLES,
  OPTIMIZERS,
  PRODUCT_TYPES,
  RECIPES,
  REDUCTIONS,
  SCHEDULES,
  TABLE_TYPES,
  TRAIN_LOSSES,
  TRAIN_SAMPLERS,
  TREES,
} from "@logq/trainers";
import { Command } from "commander";
import { choice } from "../base/choice.js";
import { EXIT_CODES_HELP } from "../base/exit-codes.js";
import type { Io } from "../base/io.js";
import {
  integer,
  number,
  positive,
  positiveInteger,
  powerOfTwo,
  propensity,
  seed,
  widths,
  yesNo,
} from "../base/values.js";
import { BACKENDS, DEFAULT_WORKERS } from "../base/workers.js";
import type { TrainFlags } from "./flags.js";
import { trainRun } from "./train.js";

/** Contexts exist in synthetic data only, which are never on disk. */
const FILE_ENCODERS = ENCODERS.filter((name) => name !== "context");
/** Lists of candidates of one's own come through the library. */
const LAW_SAMPLERS = TRAIN_SAMPLERS.filter((name) => name !== "given");

/** `logq train`. @param setCode hears the exit code */
export function trainCommand(io: Io, setCode: (code: number) => void): Command {
  const command = new Command("train")
    .description("Train a model on a prepared dataset and save it.")
    .argument("<dataset>", "a directory made by `logq prepare`")
    .optionsGroup("Output:")
    .requiredOption("--out <directory>", "the run; an older run there is replaced")
    .option("--json", "print the report as one JSON object");
  recipeFlags(command);
  encoderFlags(command);
  lossFlags(command);
  samplingFlags(command);
  lengthFlags(command);
  optimizerFlags(command);
  startFlags(command);
  machineFlags(command);
  return command
    .addHelpText(
      "after",
      `
Recipes are other defaults; whatever you give besides counts. Both are word2vec's:
  --encoder window --window 5 --dynamic-window --subsample 1e-4 --within-line --dim 128 --sampler unigram --distortion 0.75
  --loss negative-sampling --negatives-per-label 5 --negatives 64 --accidental-hits keep --batch 256 --epochs 5
  --reduction sum --optimizer sgd --lr 0.05 --schedule linear --class-bias none --class-scale 0 --embedding-scale 1/(2D)
and
  skipgram  --context neighbours: a word predicts its neighbours
  cbow      --context around --reduce sum: the neighbours predict the word
With --loss sampled-softmax or hierarchical-softmax it is --optimizer rowwise-adagrad --lr 0.2.
A batch counts tokens before any is left out.

Examples:
  logq train data/text --recipe skipgram --epochs 10 --out runs/vectors
  logq train data/wikitext2 --encoder window --window 5 --hidden 256 --loss sampled-softmax --sampler unigram \\
    --negatives 1024 --dim 128 --epochs 3 --out runs/words
  logq train data/gowalla --encoder user --loss sampled-softmax --sampler uniform --exclude seen --epochs 20 --out runs/places
  logq train data/wikitext2 --window 5 --hidden 256 --loss adaptive-softmax --cutoffs 2000,10000 --dim 128 --out runs/clusters
  logq train data/titles --encoder features --loss full-softmax --max-minutes 10 --out runs/titles

Ctrl-C once stops after the current step and saves what there is; twice leaves at once.
${EXIT_CODES_HELP}`,
    )
    .action(async (dataset: string, flags: TrainFlags) => setCode(await trainRun(io, dataset, flags)));
}

function recipeFlags(command: Command): void {
  command
    .optionsGroup("Recipe (a set of other defaults, described below):")
    .addOption(choice("--recipe <name>", "text: word vectors as word2vec trains them", RECIPES));
}

function encoderFlags(command: Command): void {
  command
    .optionsGroup("Encoder (what turns an input into the hidden vector):")
    .addOption(choice("--encoder <name>", "where the hidden vector comes from", FILE_ENCODERS, "fits the data"))
    .addOption(
      choice(
        "--examples <what>",
        "pairs by user: single interactions, or users with all their items as labels (fast with full losses)",
        EXAMPLES,
        "interactions",
      ),
    )
    .option("--dim <D>", "width of the hidden vector and of a class row (default: 64)", integer)
    .option("--window <N>", "words of a window (default: 5), or the most items of a history (default: 50)", integer)
    .addOption(
      choice(
        "--context <words>",
        "text: words before or on both sides predict a word, or a word predicts its neighbours, one at a time or all",
        CONTEXT_MODES,
        "previous",
      ),
    )
    .option("--within-line", "text: windows stop at line ends")
    .option("--no-within-line", "windows reach over line ends (the default, but of recipes)")
    .option("--dynamic-window", "--context around, neighbours: the width of each window is drawn from 1 to --window")
    .option("--no-dynamic-window", "all windows have the same width (the default, but of recipes)")
    .option(
      "--subsample <t>",
      "--context around, neighbours: a word of share f stays with probability sqrt(t/f) + t/f (default: 0, all stay)",
      number,
    )
    .option("--hidden <widths>", "dense layers: 256,128; a window's words are then set side by side", widths)
    .addOption(choice("--activation <name>", "of dense layers", ["tanh", "relu"], "tanh"))
    .option("--embedding <N>", "width of an embedding (default: D)", integer)
    .option("--tied", "one table for inputs and classes, where inputs are classes: windows and histories")
    .addOption(choice("--reduce <how>", "how embeddings become one vector", ["mean", "sum"], "mean"))
    .option("--dropout <x>", "rate, in [0, 0.99] (default: 0)", number);
}

function lossFlags(command: Command): void {
  command
    .optionsGroup("Loss:")
    .addOption(choice("--loss <name>", "what is minimised", TRAIN_LOSSES, "sampled-softmax"))
    .addOption(choice("--tree <name>", "hierarchical-softmax: how classes hang in the tree", TREES, "huffman"))
    .option("--tree-vectors <run>", "--tree two-means: the run whose vectors of the classes are clustered")
    .addOption(
      choice(
        "--correction <name>",
        "what log Q is subtracted from",
        ["importance", "partition", "none"],
        "the loss's own",
      ),
    )
    .addOption(
      choice(
        "--accidental-hits <what>",
        "drawn classes that are labels of the row",
        ["keep", "remove"],
        "the loss's own",
      ),
    )
    .addOption(
      choice("--exclude <classes>", "classes that are no negatives of a row", ["none", "target", "seen"], "none"),
    )
    .option("--temperature <x>", "logits are divided by it (default: 1; of margins 1/64)", number)
    .option("--normalize", "cosine logits: rows and hidden vectors of length 1")
    .option(
      "--learn-temperature",
      "with --normalize: the optimizer updates the temperature, which begins at --temperature",
    )
    .option(
      "--soft-cap <c>",
      "full-softmax, sampled-softmax: logits z become c·tanh(z/c), in the saved model as well (default: none)",
      positive,
    )
    .option("--label-smoothing <x>", "full-softmax, sampled-softmax: in [0, 1) (default: 0)", number)
    .option("--z-loss <x>", "softmax and margins: x·(log of a row's partition)² is added (default: 0)", number)
    .option(
      "--class-weights <what>",
      "softmax and margins, training alone: a file of numbers (.npy, .json, text), inverse-frequency[:POWER] or effective-number[:BETA]",
    )
    .option(
      "--propensity <A,B>",
      "one-vs-all, sampled-one-vs-all, training alone: labels count 1/p of their class by these constants (0.55,1.5)",
      propensity,
    )
    .option(
      "--calibration <t>",
      "gbce: in [0, 1]; 1 makes scores log-odds if negatives are uniform (default: 0.75)",
      number,
    )
    .option("--negative-weight <w>", "ccl: weight of the mean over the negatives (default: 150)", number)
    .option("--negative-margin <m>", "ccl: the cosine above which negatives cost (default: 0.4)", number)
    .addOption(
      choice("--margin-kind <name>", "margin, sampled-margin: on cosines or on angles", MARGIN_KINDS, "cosine"),
    )
    .option("--margin <m>", "margin, sampled-margin: cosines or radians (default: 0.35)", number)
    .option(
      "--cutoffs <ids>",
      "adaptive-softmax: where its tails begin, as 2000,10000; class 0 is the most frequent (default: by cost)",
      widths,
    )
    .option("--div-value <x>", "adaptive-softmax: each tail is narrower by this (default: 4)", number)
    .addOption(choice("--like <library>", "the defaults of another library", ["tensorflow"]));
}

function samplingFlags(command: Command): void {
  command
    .optionsGroup("Sampling:")
    .addOption(
      choice(
        "--sampler <name>",
        "the law that candidates are drawn by, or who brings them",
        LAW_SAMPLERS,
        "unigram; of pairs uniform",
      ),
    )
    .option(
      "--sampler-option <name=value...>",
      "an option of the sampler's own: batches=8 of cross-batch, frequency.kind=streaming of in-batch, tableType=bfloat16 of trees",
    )
    .option("--negatives <S>", "candidates drawn for a batch, or for a row (default: 256)", integer)
    .option(
      "--negatives-per-label <k>",
      "negative-sampling: weighs the draws so that each label has k negatives (default: 0, each draw counts once)",
      number,
    )
    .option("--distortion <x>", "unigram: exponent on the counts, in [0, 4]; word2vec's is 0.75 (default: 1)", number)
    .option("--replacement <yes|no>", "whether a class may be drawn twice (default: yes)", yesNo)
    .addOption(choice("--candidates <how>", "one draw for the batch or for each row", ["shared", "row"], "shared"));
}

function lengthFlags(command: Command): void {
  command
    .optionsGroup("Length:")
    .option("--batch <B>", "examples of a step (default: 256)", integer)
    .option("--epochs <x>", "may be a fraction (default: 1)", positive)
    .option("--max-steps <N>", "stop after so many steps", integer)
    .option("--max-minutes <x>", "stop after so many minutes of training", number)
    .option(
      "--validation-every <N>",
      "steps between validations (default: an epoch, if there is a validation part)",
      integer,
    )
    .option(
      "--validation-metrics <list>",
      "the first decides about --patience (default: cross-entropy; pairs: ndcg@10,recall@20)",
    )
    .option(
      "--patience <N>",
      "stop after so many validations without improvement and keep the best (default: 0, never)",
      integer,
    );
}

function optimizerFlags(command: Command): void {
  command
    .optionsGroup("Optimizer:")
    .addOption(choice("--reduction <how>", "the gradient of a batch, over its rows", REDUCTIONS, "mean"))
    .addOption(choice("--optimizer <name>", "how parameters follow their gradients", OPTIMIZERS, "adagrad"))
    .option("--lr <x>", "learning rate (default: adagrad 0.1, adam 0.001, sgd 0.5, momentum 0.1)", number)
    .option("--weight-decay <x>", "L2, in the steps that touch a row (default: 0)", number)
    .option("--momentum <x>", "momentum: in [0, 1) (default: 0.9)", number)
    .option("--beta1 <x>", "adam: in [0, 1) (default: 0.9)", number)
    .option("--beta2 <x>", "adam: in [0, 1) (default: 0.999)", number)
    .option("--epsilon <x>", "adagrad, adam: added to the root (default: 1e-10, adam 1e-8)", number)
    .option("--initial-accumulator <x>", "adagrad: what accumulators start from (default: 0)", number)
    .option("--dense-factor <x>", "times the rate of dense layers (default: 0.1 for the adagrads, else 1)", number)
    .option("--clip-norm <x>", "largest global norm of the gradient (default: 0, no clipping)", number)
    .addOption(choice("--schedule <name>", "of the learning rate", SCHEDULES, "constant"))
    .option("--warmup-steps <N>", "steps in which the rate rises (default: 0)", integer)
    .option("--final-factor <x>", "linear, cosine: share of the rate left at the end (default: 0)", number);
}

function startFlags(command: Command): void {
  command
    .optionsGroup("First values:")
    .addOption(
      choice("--class-bias <start>", "what biases of classes start from", CLASS_BIASES, "log-frequency; of pairs none"),
    )
    .option("--class-scale <x>", "class rows start in [-x, x] (default: 0.05)", number)
    .option("--embedding-scale <x>", "embeddings, and tied tables, start in [-x, x] (default: 0.1)", number)
    .option("--seed <seed>", "a number or a text (default: 1)", seed);
}

function machineFlags(command: Command): void {
  command
    .optionsGroup("Machine (results are the same for any number of workers):")
    .option("--workers <W>", `worker threads (default: the cores, here ${DEFAULT_WORKERS})`, positiveInteger)
    .addOption(choice("--backend <name>", "auto takes the fastest that loads", BACKENDS, "auto"))
    .option(
      "--lanes <L>",
      "a power of two: parts of the class table; another L is another run (default: 16)",
      powerOfTwo,
    )
    .addOption(
      choice(
        "--products <type>",
        "how a step multiplies with the class table; bfloat16 rounds operands and needs a processor with a unit for it",
        PRODUCT_TYPES,
        "float32",
      ),
    )
    .option(
      "--gradient-filter <x>",
      "full-softmax: probability of a row that gradients may leave out (default: 0)",
      number,
    )
    .addOption(
      choice(
        "--table-type <type>",
        "how rows are stored; bfloat16 takes half the bytes and rounds stochastically",
        TABLE_TYPES,
        "float32",
      ),
    )
    .option(
      "--profile",
      "tell at the end where the time went, by phase, worker and kind of kernel (costs some percent)",
    )
    .option(
      "--logit-mb <x>",
      "full-softmax, adaptive-softmax: MiB of logits kept instead of computed again (default: 512; bfloat16 products: 16)",
      number,
    );
}
