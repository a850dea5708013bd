import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { describeOption } from "./base/choice.js";
import { describeError, EXIT, EXIT_CODES_HELP, exitCodeOf } from "./base/exit-codes.js";
import type { Io } from "./base/io.js";
import { exportCommand } from "./export/command.js";
import { evaluateCommand, neighboursCommand, recommendCommand } from "./models/commands.js";
import { prepareCommand } from "./prepare/command.js";
import { samplersCommand } from "./samplers/command.js";
import { trainCommand } from "./train/command.js";

/**
 * Runs one command line (without node and script); answers the exit code. Errors are told on stderr and never thrown.
 * @param debug whether stack traces are shown
 */
export async function runCli(args: readonly string[], io: Io, debug: boolean): Promise<number> {
  let code: number = EXIT.ok;
  const program = createProgram(io, (answer) => {
    code = answer;
  });
  try {
    await program.parseAsync([...args], { from: "user" });
    return code;
  } catch (error) {
    // Commander has said what is wrong with the command line.
    if (!(error instanceof CommanderError)) io.stderr.write(`logq: ${describeError(error)}\n`);
    if (debug) io.stderr.write(`${stackOf(error)}\n`);
    return exitCodeOf(error);
  }
}

function createProgram(io: Io, setCode: (code: number) => void): Command {
  const program = new Command("logq")
    .description("Train models that choose among very many classes, measure them, and ask them.")
    .version(version(), "-V, --version", "print the version")
    .helpCommand("help [command]", "show the help of a command")
    .addHelpText(
      "after",
      `
Example:
  logq prepare text --train train.txt --test test.txt --out data/text
  logq train data/text --loss sampled-softmax --out runs/text
  logq evaluate runs/text --split test

With --json a command prints exactly one JSON object on stdout; everything else goes to stderr.
LOGQ_DEBUG=1 shows stack traces.
${EXIT_CODES_HELP}`,
    );
  program.addCommand(prepareCommand(io));
  program.addCommand(trainCommand(io, setCode));
  program.addCommand(evaluateCommand(io));
  program.addCommand(recommendCommand(io));
  program.addCommand(neighboursCommand(io));
  program.addCommand(exportCommand(io));
  program.addCommand(samplersCommand(io));
  configure(program, io);
  return program;
}

/** The same manners for a command and everything below it. */
function configure(command: Command, io: Io): void {
  command
    .exitOverride()
    .allowExcessArguments(false)
    .helpOption("-h, --help", "show this text")
    .configureHelp({ optionDescription: describeOption })
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: (text, write) => write(`logq: ${oneLine(text)}\n`),
    });
  for (const below of command.commands) configure(below, io);
}

/** Commander's message as one line, in our words. */
function oneLine(text: string): string {
  return text
    .trim()
    .replace(/^error: /, "")
    .replaceAll(/\s*\n\s*/g, " ");
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\ncaused by: ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
  return manifest.version;
}
