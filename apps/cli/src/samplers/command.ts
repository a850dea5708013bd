import { OptionError } from "@logq/core";
import { SPLIT_NAMES } from "@logq/datasets";
import { Command } from "commander";
import { choice } from "../base/choice.js";
import { EXIT_CODES_HELP } from "../base/exit-codes.js";
import type { Io } from "../base/io.js";
import { positiveInteger, widths } from "../base/values.js";
import { BACKENDS, DEFAULT_WORKERS } from "../base/workers.js";
import { type ConvergeFlags, convergeSamplers } from "./converge.js";
import { listSamplers } from "./list.js";
import { type MeasureFlags, measureSamplers } from "./measure.js";
import { writePage } from "./page.js";
import { MEASURED_SAMPLERS } from "./rows.js";
import { type SpeedFlags, timeSamplers } from "./speed.js";

/** What the command line may hold; which of it belongs together is checked by `modeOf`. */
type SamplersFlags = Omit<MeasureFlags, "run"> &
  SpeedFlags &
  Omit<ConvergeFlags, "run"> & {
    readonly run?: string;
    readonly speed?: boolean;
    readonly converge?: boolean;
    readonly page?: string;
  };

/** `logq samplers`. */
export function samplersCommand(io: Io): Command {
  return new Command("samplers")
    .description("The samplers there are; how near they are to a run's softmax; what they cost.")
    .optionsGroup("What to do (default: list them):")
    .option("--run <run>", "measure proposals and gradients at contexts of this run")
    .option("--converge", "with --run: train its model anew with each sampler")
    .option("--speed", "time draws and refreshes on synthetic tables")
    .option("--page <file>", "renew the generated part of a page of Markdown")
    .optionsGroup("Options:")
    .addOption(choice("--sampler <name...>", "only these", MEASURED_SAMPLERS))
    .option("--data <directory>", "run: the dataset (default: the one it was trained on)")
    .addOption(choice("--split <part>", "run: where examples are from", SPLIT_NAMES, "the first held-out one"))
    .option("--contexts <N>", "run: how many (default: 64; of more than 100,000 classes 16)", positiveInteger)
    .option("--draws <N>", "run: draws for each context and size", positiveInteger, 200)
    .option("--steps <N>", "converge: steps of each training", positiveInteger, 1000)
    .option("--negatives <list>", "converge: sizes of the draws", widths, [16, 64, 256])
    .option("--limit <N>", "converge: held-out examples that are evaluated", positiveInteger, 20_000)
    .option("--workers <W>", `converge: worker threads (default: the cores, here ${DEFAULT_WORKERS})`, positiveInteger)
    .option("--classes <list>", "speed: class counts (default: 10000,100000,1000000)", widths)
    .option("--dim <D>", "speed: width of a class row", positiveInteger, 128)
    .addOption(choice("--backend <name>", "auto takes the fastest that loads", BACKENDS, "auto"))
    .option("--json", "print one JSON object: samplers, and what they were measured on")
    .addHelpText(
      "after",
      `
With --run: KL(softmax || q) in nats and log2 of chi-squared, and relative bias and error of the gradient in the hidden
vector of sampled softmax (form partition, target not drawn) at S = 16, 64, 256 and 1,024.

Examples:
  logq samplers
  logq samplers --run runs/words --sampler unigram midx
  logq samplers --run runs/words --converge --steps 500 --negatives 64,256
  logq samplers --speed --classes 10000,1000000
${EXIT_CODES_HELP}`,
    )
    .action((flags: SamplersFlags) => actionOf(io, flags));
}

async function actionOf(io: Io, flags: SamplersFlags): Promise<void> {
  requireOneMode(flags);
  if (flags.page !== undefined) return writePage(io, flags.page, flags.json);
  if (flags.speed === true) return timeSamplers(io, flags);
  if (flags.run === undefined) return listSamplers(io, flags.json);
  const ofRun = { ...flags, run: flags.run };
  return flags.converge === true ? convergeSamplers(io, ofRun) : measureSamplers(io, ofRun);
}

/** @throws OptionError */
function requireOneMode({ run, converge, speed, page }: SamplersFlags): void {
  const modes = Object.entries({ run, speed, page }).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (modes.length > 1) {
    throw new OptionError(`${modes.map((name) => `--${name}`).join(" and ")} are different things to do`, { modes });
  }
  if (converge === true && run === undefined) {
    throw new OptionError("--converge trains the model of a run: name it with --run", { converge });
  }
}
