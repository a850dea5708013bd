import { OptionError, requireInteger, requireNumber } from "@logq/core";
import { Command, CommanderError } from "commander";
import { SET_NAMES, type SetName, type Settings } from "./report/results.js";

/** What the command line asks for. */
export interface CliOptions {
  readonly settings: Settings;
  readonly json: boolean;
  /** The folder of the data; undefined: the one that LOGQ_DATA names. */
  readonly data: string | undefined;
}

/** Where help and error messages go. */
export interface CliOutput {
  out(text: string): void;
  err(text: string): void;
}

const EXAMPLES = `
Examples:
  filter                                     both data sets, some 10 to 15 minutes on two fast cores
  filter --sets wikitext-2 --steps 3000      one of them, nearly a whole epoch
  filter --epsilons 0.001,0.1 --workers 8    other filters, more threads
  filter --json > filter.json                one JSON object on stdout

Tables go to stdout as they are ready, progress to stderr.`;

interface RawOptions {
  readonly data?: string;
  readonly steps?: string;
  readonly epsilons: string;
  readonly bfloat16: boolean;
  readonly sets: string;
  readonly workers: string;
  readonly seed: string;
  readonly json?: boolean;
}

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
  return {
    settings: {
      sets: setsOf(raw.sets),
      steps: raw.steps === undefined ? null : requireInteger("--steps", numberOf(raw.steps), 1, 1_000_000),
      epsilons: epsilonsOf(raw.epsilons),
      bfloat16: raw.bfloat16,
      workers: requireInteger("--workers", numberOf(raw.workers), 1, 256),
      seed: requireInteger("--seed", numberOf(raw.seed)),
    },
    json: raw.json ?? false,
    data: raw.data,
  };
}

/** NaN for no number, "" included. */
const numberOf = (text: string) => (text.trim() === "" ? Number.NaN : Number(text));

/** 0 is none of them: the exact run is there in any case. */
function epsilonsOf(text: string): number[] {
  const epsilons = text.split(",").map((part) => requireNumber(`--epsilons ${text}: each`, numberOf(part), 1e-9, 0.99));
  return [...new Set(epsilons)];
}

function setsOf(text: string): SetName[] {
  const names = text.split(",").map((name) => name.trim());
  for (const name of names) {
    if (!(SET_NAMES as readonly string[]).includes(name)) {
      throw new OptionError(`--sets ${text}: there is no data set "${name}"; there are ${SET_NAMES.join(", ")}`, {
        name,
        allowed: SET_NAMES,
      });
    }
  }
  return SET_NAMES.filter((name) => names.includes(name));
}

function command(output: CliOutput): Command {
  return new Command("filter")
    .description(
      "What the named approximations of a full softmax save and cost, on published text: the gradient filter, and products in bfloat16.",
    )
    .option("--data <folder>", "the folder of the data sets (default: the one that LOGQ_DATA names)")
    .option("--steps <n>", "training steps of each run (default: 600 of wikitext-2, 150 of reddit)")
    .option("--epsilons <list>", "probability that a row may lose in a step, one run each", "0.0002,0.01,0.05")
    .option(
      "--no-bfloat16",
      "without products of bfloat16 operands, which are tried where the processor has a unit for them",
    )
    .option("--sets <list>", `some of ${SET_NAMES.join(",")}`, SET_NAMES.join(","))
    .option("--workers <n>", "threads", "2")
    .option("--seed <n>", "of first values, order and dropout, the same in all runs", "1")
    .option("--json", "print the results as one JSON object on stdout, all else on stderr")
    .helpOption("-h, --help", "show this text")
    .addHelpText("after", EXAMPLES)
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeOut: (text) => output.out(text), writeErr: (text) => output.err(text) });
}
