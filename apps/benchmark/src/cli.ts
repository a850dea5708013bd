import { Command, CommanderError } from "commander";
import { BACKENDS, LOSSES, PRESETS, SAMPLERS } from "./names.js";
import { DEFAULT_OUT, type RawOptions } from "./options.js";

const EXAMPLES = `
Examples:
  bench                                     the quick preset: a report in under four minutes
  bench --preset full --out full-report     seven sizes up to a million, all samplers
  bench --classes 1000,10000,100000 --losses full-softmax,sampled-softmax
  bench --classes 20000 --negatives 64,256,1024 --samplers uniform,unigram
  bench --data prepared/wikitext --seconds 60
  bench --json > results.json               one JSON object on stdout, all else on stderr

A sweep that is interrupted goes on where it stopped when the same command is run again.`;

/** Where help and error messages go. */
export interface CliOutput {
  out(text: string): void;
  err(text: string): void;
}

/** What the command line asks for: a run with options, or nothing more (help was shown or an error told) and an exit code. */
export type Parsed = { readonly options: RawOptions } | { readonly exitCode: number };

/** Reads the command line (without node and script). Errors are one line. */
export function parseCommandLine(args: readonly string[], output: CliOutput): Parsed {
  const program = command(output);
  try {
    program.parse([...args], { from: "user" });
    return { options: program.opts<RawOptions>() };
  } catch (error) {
    if (error instanceof CommanderError) return { exitCode: error.exitCode };
    throw error;
  }
}

function command(output: CliOutput): Command {
  return new Command("bench")
    .description(
      "Measures what training costs and reaches against the number of classes, exactly and by candidate sampling.",
    )
    .option("--preset <name>", `sizes, samplers and seconds: ${PRESETS.join(", ")} (default: quick)`)
    .option("--classes <list>", "class counts, ascending in the report (quick: 1000,4000,20000,100000)")
    .option("--losses <list>", `of ${LOSSES.join(", ")} (default: the first four)`)
    .option(
      "--samplers <list>",
      `of ${SAMPLERS.join(", ")}, at every size (quick: the default at every size, all at one)`,
    )
    .option("--negatives <list>", "S, candidates drawn for a batch; the first is used to compare losses (default: 256)")
    .option("--workers <list>", "worker threads; the most are used to compare losses (default: the cores, up to 8)")
    .option("--dim <n>", "D, the width of a class row (default: 64)")
    .option("--batch <n>", "B, examples of a step (default: 256)")
    .option("--seconds <n>", "training time of each cell (quick: 5, full: 30)")
    .option("--seed <n>", "seed of data, tables and draws (default: 1)")
    .option("--backend <name>", `${BACKENDS.join(", ")} (default: auto, the fastest that loads)`)
    .option("--data <folder>", "a prepared data set, with all its classes, instead of synthetic data")
    .option("--out <folder>", `where results and report go (default: ${DEFAULT_OUT})`)
    .option("--json", "print the results as one JSON object on stdout")
    .option("--fresh", "measure every cell anew, whatever the folder holds")
    .helpOption("-h, --help", "show this text")
    .addHelpText("after", EXAMPLES)
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeOut: (text) => output.out(text), writeErr: (text) => output.err(text) });
}
