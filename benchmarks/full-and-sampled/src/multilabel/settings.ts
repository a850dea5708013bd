import { OptionError, requireNumber } from "@logq/core";
import {
  type CliOutput,
  commonSettings,
  numberOf,
  type Places,
  parseLine,
  placesOf,
  type RawCommon,
  studyCommand,
  whole,
} from "../shared/command.js";
import type { CommonSettings } from "../shared/results.js";

/** The sampled forms of one-vs-all. */
export const SAMPLED_LOSSES = ["sampled-one-vs-all", "sampled-logistic"] as const;
export type SampledLoss = (typeof SAMPLED_LOSSES)[number];

export interface MultilabelSettings extends CommonSettings {
  /** n */
  readonly labels: number;
  readonly features: number;
  readonly rows: number;
  readonly testRows: number;
  readonly labelsPerRow: number;
  /** s of the Zipf law of the labels. */
  readonly exponent: number;
  readonly losses: readonly SampledLoss[];
  /** Sampled trainings go on for up to so many times the epochs, until they have taken the time of the full one. */
  readonly longer: number;
}

/** Labels and features of Amazon-670K, which has five labels a row as well. */
const USUAL = {
  ...{ epochs: 4, dim: 64, batch: 512, learningRate: 0.1, negatives: 4096, sampler: "unigram", distortion: 0.5 },
  ...{ labels: 670_091, features: 135_909, rows: 100_000, testRows: 5000, labelsPerRow: 5, exponent: 0.8, longer: 4 },
} as const;

/** Whether everything works, not how fast it is. */
const QUICK = {
  ...USUAL,
  ...{ dim: 16, batch: 64, negatives: 128, epochs: 2, longer: 2 },
  ...{ labels: 2000, features: 3000, rows: 3000, testRows: 300 },
} as const;

interface Raw extends RawCommon {
  readonly labels: string;
  readonly features: string;
  readonly rows: string;
  readonly testRows: string;
  readonly labelsPerRow: string;
  readonly exponent: string;
  readonly losses: string;
  readonly longer: string;
}

/** Reads the command line (without node and script). @throws OptionError */
export function parseMultilabel(
  args: readonly string[],
  output: CliOutput,
): { readonly settings: MultilabelSettings; readonly places: Places } | { readonly exitCode: number } {
  const usual = args.includes("--quick") ? QUICK : USUAL;
  const command = studyCommand(
    "multilabel",
    "Sampled one-vs-all against all of it, on synthetic rows of Amazon-670K's shape: time, precision and propensity-scored precision.",
    usual,
    output,
  )
    .optionsGroup("Data and measurements:")
    .option("--labels <n>", "classes", String(usual.labels))
    .option("--features <n>", "of the rows' sparse vectors", String(usual.features))
    .option("--rows <n>", "to train on", String(usual.rows))
    .option("--test-rows <n>", "to measure on", String(usual.testRows))
    .option("--labels-per-row <T>", "labels of a row", String(usual.labelsPerRow))
    .option("--exponent <s>", "of the Zipf law of the labels", String(usual.exponent))
    .option("--losses <list>", "sampled forms to compare with", SAMPLED_LOSSES.join(","))
    .option("--longer <times>", "the most epochs of sampled trainings, in epochs of the full one", String(usual.longer))
    .option("--quick", "small: whether it works, not how fast it is")
    .addHelpText("after", EXAMPLES);
  const end = parseLine(command, args);
  if (end !== undefined) return end;
  const raw = command.opts<Raw>();
  const common = commonSettings(raw);
  const longer = whole("--longer", raw.longer, 1, 10_000);
  if (longer > 1 && common.schedule !== "constant") {
    throw new OptionError(
      `--schedule ${common.schedule} falls over the whole of a training: with --longer ${longer} the sampled ones would not be where the full one is after the same epochs`,
      { schedule: common.schedule, longer },
    );
  }
  return {
    settings: {
      ...common,
      labels: whole("--labels", raw.labels, 1),
      features: whole("--features", raw.features, 1),
      rows: whole("--rows", raw.rows, 1),
      testRows: whole("--test-rows", raw.testRows, 1),
      labelsPerRow: whole("--labels-per-row", raw.labelsPerRow, 1, 1000),
      exponent: requireNumber("--exponent", numberOf(raw.exponent), 0, 4),
      losses: lossesOf(raw.losses),
      longer,
    },
    places: placesOf(command),
  };
}

function lossesOf(text: string): SampledLoss[] {
  const names = text.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !(SAMPLED_LOSSES as readonly string[]).includes(name));
  if (unknown !== undefined) {
    throw new OptionError(`--losses ${text}: "${unknown}" is none of ${SAMPLED_LOSSES.join(", ")}`, {
      name: unknown,
      allowed: SAMPLED_LOSSES,
    });
  }
  return SAMPLED_LOSSES.filter((name) => names.includes(name));
}

const EXAMPLES = `
Examples:
  multilabel --page docs/multilabel.md --out results   some 15 minutes on two fast cores
  multilabel --rows 490449 --epochs 1                  as many rows as Amazon-670K
  multilabel --negatives 1024 --sampler uniform        another sampler
  multilabel --from results/2030-01-01-multilabel.json --page docs/multilabel.md`;
