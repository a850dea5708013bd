import { requireInteger, requireNumber } from "@logq/core";
import { Argument, Command, CommanderError } from "commander";
import { type Settings, SUBJECTS, type SubjectName } from "./report/results.js";

/** What the command line asks for. */
export interface CliOptions {
  readonly subjects: readonly SubjectName[];
  readonly settings: Settings;
  readonly json: boolean;
  readonly save: boolean;
  /** Where `save` writes; undefined: the folder in the repository. */
  readonly out: string | undefined;
}

/** Where help and error messages go. */
export interface CliOutput {
  out(text: string): void;
  err(text: string): void;
}

const EXAMPLES = `
Examples:
  micro                                   everything, some minutes
  micro kernels --filter "D = 128"        products at one width
  micro samplers --filter "n = 10000000"  draws from ten million classes
  micro step --seconds 2 --save           longer, and kept under benchmarks/results

Nothing is timed before its result has been compared with a reference; the exit code is 1 if one was wrong.
Times of one group are comparable with each other, and with nothing else: the machine line above each group says why.`;

const DEFAULT_SECONDS = 0.5;
const DEFAULT_ROUNDS = 5;

interface RawOptions {
  readonly filter?: string;
  readonly seconds?: string;
  readonly rounds?: string;
  readonly json?: boolean;
  readonly save?: boolean;
  readonly out?: string;
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
  const [subject] = program.processedArgs as [SubjectName | undefined];
  return {
    subjects: subject === undefined ? SUBJECTS : [subject],
    settings: {
      seconds: requireNumber("--seconds", Number(raw.seconds ?? DEFAULT_SECONDS), 0.001, 3600),
      rounds: requireInteger("--rounds", Number(raw.rounds ?? DEFAULT_ROUNDS), 1, 1000),
      filter: raw.filter ?? null,
    },
    json: raw.json ?? false,
    save: (raw.save ?? false) || raw.out !== undefined,
    out: raw.out,
  };
}

function command(output: CliOutput): Command {
  return new Command("micro")
    .description("Micro-benchmarks: kernels, samplers, losses and a training step, each checked before it is timed.")
    .addArgument(new Argument("[subject]", "what to time (default: all)").choices(SUBJECTS))
    .option("--filter <text>", "only variants whose name holds this text")
    .option("--seconds <n>", `timed seconds a variant (default: ${DEFAULT_SECONDS})`)
    .option("--rounds <n>", `interleaved rounds (default: ${DEFAULT_ROUNDS})`)
    .option("--json", "print the results as one JSON object on stdout")
    .option("--save", "keep the results as benchmarks/results/<date>-<subject>.json")
    .option("--out <folder>", "keep them in this folder instead")
    .helpOption("-h, --help", "show this text")
    .addHelpText("after", EXAMPLES)
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeOut: (text) => output.out(text), writeErr: (text) => output.err(text) });
}
