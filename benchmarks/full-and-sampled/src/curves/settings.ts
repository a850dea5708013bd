import { requirePositive } from "@logq/core";
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

export interface CurvesSettings extends CommonSettings {
  /** Words to train on, at least, in whole titles. */
  readonly rows: number;
  /** Words of the test part that measurements look at, the same ones always. */
  readonly heldOut: number;
  /** How many times as many steps the next measurement of an epoch's beginning is at, at most. */
  readonly growth: number;
  /** Nats between two levels of the table. */
  readonly level: number;
}

const USUAL = {
  ...{ epochs: 1, dim: 128, batch: 1024, learningRate: 0.1, negatives: 2048, sampler: "unigram", distortion: 1 },
  ...{ rows: 1_600_000, heldOut: 5000, growth: 1.2, level: 0.1 },
} as const;

/** Whether everything works, not how fast it is. */
const QUICK = { ...USUAL, dim: 16, batch: 256, negatives: 256, rows: 10_000, heldOut: 500, growth: 1.5 } as const;

interface Raw extends RawCommon {
  readonly rows: string;
  readonly heldOut: string;
  readonly growth: string;
  readonly level: string;
}

/** Reads the command line (without node and script). @throws OptionError */
export function parseCurves(
  args: readonly string[],
  output: CliOutput,
): { readonly settings: CurvesSettings; readonly places: Places } | { readonly exitCode: number } {
  const usual = args.includes("--quick") ? QUICK : USUAL;
  const command = studyCommand(
    "curves",
    "Exact held-out cross-entropy over training time, full and sampled softmax of the same model, on Reddit titles.",
    usual,
    output,
  )
    .optionsGroup("Data and measurements:")
    .option("--data <folder>", "the folder of the data sets (default: the one that LOGQ_DATA names)")
    .option("--rows <n>", "words to train on, in whole titles spread over all", String(usual.rows))
    .option("--held-out <n>", "words of the test part that are looked at", String(usual.heldOut))
    .option("--growth <factor>", "from one measurement to the next, steps grow by this much", String(usual.growth))
    .option("--level <nats>", "between two rows of the table", String(usual.level))
    .option("--quick", "small: whether it works, not how fast it is")
    .addHelpText("after", EXAMPLES);
  const end = parseLine(command, args);
  if (end !== undefined) return end;
  const raw = command.opts<Raw>();
  return {
    settings: {
      ...commonSettings(raw),
      rows: whole("--rows", raw.rows, 1),
      heldOut: whole("--held-out", raw.heldOut, 1),
      growth: 1 + requirePositive("--growth, less 1,", numberOf(raw.growth) - 1),
      level: requirePositive("--level", numberOf(raw.level)),
    },
    places: placesOf(command),
  };
}

const EXAMPLES = `
Examples:
  curves --page docs/curves.md --out results   some 15 minutes on two fast cores
  curves --negatives 8192 --distortion 0.75    another sampler
  curves --products bfloat16 --epochs 3        where the processor has a unit for them
  curves --from results/2030-01-01-curves.json --page docs/curves.md`;
