import { OptionError, requireInteger, requireNumber } from "@logq/core";
import { Command, CommanderError } from "commander";
import { ITEMS, type ItemName, type Settings } from "./report/results.js";

/** What the command line asks for. */
export interface CliOptions {
  readonly settings: Settings;
  readonly json: boolean;
  /** Where results are kept; undefined: the folder in the repository. */
  readonly out: string | undefined;
  /** A document whose last section, "## The numbers", is written anew. */
  readonly page: string | undefined;
  /** A Python that has the peers; undefined: one is made in benchmarks/peers/.venv. */
  readonly python: string | undefined;
}

/** Where help and error messages go. */
export interface CliOutput {
  out(text: string): void;
  err(text: string): void;
}

const EXAMPLES = `
Items: full (full softmax step), sampled (sampled softmax and NCE steps), next-word (both at the size of a vocabulary), workers (logq by one worker and by all),
topk (exact top-20), word2vec (skip-gram), train (time to quality), curves (full and sampled softmax from level to level, some 40 minutes).

Examples:
  peers                              everything, some two hours; the first run installs the peers (some 5 GB)
  peers --quick                      small sizes and few rounds: whether it works, not how fast it is
  peers --only full,sampled          two items
  peers --python ~/venv/bin/python   peers that are installed already; what is missing there is absent
  peers --page docs/peers.md         everything, and the tables into the documentation

word2vec, train and curves read the folder that LOGQ_DATA names. Nothing is timed before its first step agrees with logq's.`;

interface RawOptions {
  readonly only?: string;
  readonly quick?: boolean;
  readonly json?: boolean;
  readonly out?: string;
  readonly page?: string;
  readonly python?: string;
  readonly rounds?: string;
  readonly seconds?: string;
  readonly threads?: string;
  readonly trainings?: string;
}

const USUAL = { rounds: 5, seconds: 1, trainings: 3 } as const;
const QUICK = { rounds: 2, seconds: 0.2, trainings: 1 } as const;

/** Reads the command line (without node and script): options, or the exit code after help or an error in the line. @throws OptionError */
export function parseCommandLine(
  args: readonly string[],
  output: CliOutput,
): CliOptions | { readonly exitCode: number } {
  const program = command(output);
  try {
    program.parse([...args], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) return { exitCode: error.exitCode };
    throw error;
  }
  const raw = program.opts<RawOptions>();
  const quick = raw.quick ?? false;
  const usual = quick ? QUICK : USUAL;
  return {
    settings: {
      items: raw.only === undefined ? ITEMS : itemsOf(raw.only),
      quick,
      rounds: requireInteger("--rounds", Number(raw.rounds ?? usual.rounds), 1, 1000),
      seconds: requireNumber("--seconds", Number(raw.seconds ?? usual.seconds), 0.01, 600),
      threads: requireInteger("--threads", Number(raw.threads ?? 2), 1, 256),
      trainings: requireInteger("--trainings", Number(raw.trainings ?? usual.trainings), 1, 100),
    },
    json: raw.json ?? false,
    out: raw.out,
    page: raw.page,
    python: raw.python,
  };
}

function itemsOf(text: string): ItemName[] {
  const names = text.split(",").map((name) => name.trim());
  for (const name of names) {
    if (!(ITEMS as readonly string[]).includes(name)) {
      throw new OptionError(`--only ${text}: there is no item "${name}"; there are ${ITEMS.join(", ")}`, {
        name,
        allowed: ITEMS,
      });
    }
  }
  return ITEMS.filter((item) => names.includes(item));
}

function command(output: CliOutput): Command {
  return new Command("peers")
    .description(
      "The same work in logq and in PyTorch, TensorFlow, fastText and gensim, in one run, with checked results.",
    )
    .option("--only <items>", `some of ${ITEMS.join(",")}`)
    .option("--quick", "small sizes, few rounds")
    .option("--json", "print the results as one JSON object on stdout, all else on stderr")
    .option("--out <folder>", "keep the results in this folder instead of benchmarks/results")
    .option("--page <file>", 'write the tables into this document too, behind its line "## The numbers"')
    .option("--python <path>", "a Python that has the peers, instead of an environment of our own")
    .option("--rounds <n>", `interleaved rounds (default: ${USUAL.rounds})`)
    .option("--seconds <n>", `timed seconds a contender and round (default: ${USUAL.seconds})`)
    .option("--threads <n>", "threads on all sides (default: 2)")
    .option("--trainings <n>", `seeds of word2vec and train (default: ${USUAL.trainings})`)
    .helpOption("-h, --help", "show this text")
    .addHelpText("after", EXAMPLES)
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeOut: (text) => output.out(text), writeErr: (text) => output.err(text) });
}
