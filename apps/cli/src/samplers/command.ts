import { OptionError } from "@logq/core";
import { SPLIT_NAMES } from "@logq/datasets";
import { Command } from "commander";
import { choice } from "../base/choice.js";
import { EXIT_CODES_HELP } from "../base/exit-codes.js";
import type { Io } from "../base/io.js";
import { positiveInteger, widths } from "../base/values.js";
import { BACKENDS, DEFAULT_WORKERS } from "../base/workers.js";
import { type ConvergeFlags, convergeSamplers } from "./converge/command.js";
import { type ConvergeModel, usualModel } from "./converge/model.js";
import { listSamplers } from "./list.js";
import { type MeasureFlags, measureSamplers } from "./measure.js";
import { writePage } from "./page.js";
import { MEASURED_SAMPLERS } from "./rows.js";
import { SPEED_WIDTH, type SpeedFlags, timeSamplers } from "./speed.js";

/** What the command line may hold; which of it belongs together is checked by `modeOf`. */
type SamplersFlags = Omit<MeasureFlags, "run"> &
  SpeedFlags &
  ConvergeFlags & {
    readonly speed?: boolean;
    readonly converge?: boolean;
    readonly page?: string;
    readonly from?: string;
  };

/** A default that depends on the data. */
function usual(of: (model: ConvergeModel) => number): string {
  return `${of(usualModel("text"))}; of pairs ${of(usualModel("pairs"))}`;
}

/** `logq samplers`. */
export function samplersCommand(io: Io): Command {
  return new Command("samplers")
    .description("The samplers there are; how near they are to a run's softmax; what they cost.")
    .optionsGroup("What to do (default: list them):")
    .option("--run <run>", "measure proposals and gradients at contexts of this run")
    .option("--converge", "train the model of --run, or a usual one for --data, anew with each sampler")
    .option("--speed", "time draws and refreshes on synthetic tables")
    .option("--page <file>", "renew the generated part of a page of Markdown")
    .optionsGroup("Options:")
    .addOption(choice("--sampler <name...>", "only these", MEASURED_SAMPLERS))
    .option("--data <directory>", "run, converge: the dataset (default: the one it was trained on)")
    .addOption(
      choice("--split <part>", "run, converge: where examples are from", SPLIT_NAMES, "the first held-out one"),
    )
    .option("--contexts <N>", "run: how many (default: 64; of more than 100,000 classes 16)", positiveInteger)
    .option("--draws <N>", "run: draws for each context and size", positiveInteger, 200)
    .option("--negatives <list>", "converge: sizes of the draws", widths, [16, 64, 256, 1024])
    .option("--seeds <list>", "converge: a training with each; the first decides the sizes", widths, [1])
    .option(
      "--steps <N>",
      `converge: steps of each training (default: ${usual(({ steps }) => steps)})`,
      positiveInteger,
    )
    .option("--batch <B>", "converge: examples of a step (default: the model's)", positiveInteger)
    .option(
      "--limit <N>",
      `converge: held-out examples at most (default: ${usual(({ limit }) => limit)})`,
      positiveInteger,
    )
    .option("--out <directory>", "converge: keep each training there, and go on with what is there")
    .option("--from <directory>", "page: the trainings it shows, as --out kept them")
    .option("--workers <W>", `converge: worker threads (default: the cores, here ${DEFAULT_WORKERS})`, positiveInteger)
    .option("--classes <list>", "speed: class counts (default: 10000,100000,1000000)", widths)
    .option(
      "--dim <D>",
      `converge, speed: width of a class row (default: the model's; ${SPEED_WIDTH})`,
      positiveInteger,
    )
    .addOption(choice("--backend <name>", "auto takes the fastest that loads", BACKENDS, "auto"))
    .option("--json", "print one JSON object: samplers, and what they were measured on")
    .addHelpText(
      "after",
      `
With --run: KL(softmax || q) in nats and log2 of chi-squared, and relative bias and error of the gradient in the hidden
vector of sampled softmax (form partition, target not drawn) at S = 16, 64, 256 and 1,024.

With --converge: what full softmax and each sampler reach, evaluated exactly (cross-entropy; of pairs recall@20), and the
least S within 1% of full softmax. The middle of the sizes comes first, and sizes above one that is within 0.3% are left
out. The vocabulary is that of the data: \`logq prepare text --max-classes\` bounds it.

Examples:
  logq samplers
  logq samplers --run runs/words --sampler unigram midx
  logq samplers --converge --data data/words --seeds 1,2,3 --out results
  logq samplers --converge --run runs/words --steps 500 --negatives 64,256 --sampler unigram midx
  logq samplers --speed --classes 10000,1000000
${EXIT_CODES_HELP}`,
    )
    .action((flags: SamplersFlags) => actionOf(io, flags));
}

async function actionOf(io: Io, flags: SamplersFlags): Promise<void> {
  requireOneMode(flags);
  if (flags.page !== undefined) return writePage(io, flags.page, flags.from, flags.json);
  if (flags.speed === true) return timeSamplers(io, flags);
  if (flags.converge === true) return convergeSamplers(io, flags);
  if (flags.run !== undefined) return measureSamplers(io, { ...flags, run: flags.run });
  return listSamplers(io, flags.json);
}

/** @throws OptionError */
function requireOneMode({ run, converge, speed, page }: SamplersFlags): void {
  // With --converge, --run says which model.
  const modes = Object.entries({ run: converge === true ? undefined : run, converge, speed, page }).flatMap(
    ([name, value]) => (value === undefined ? [] : [name]),
  );
  if (modes.length > 1) {
    throw new OptionError(`${modes.map((name) => `--${name}`).join(" and ")} are different things to do`, { modes });
  }
}
