import { requireInteger, requireOneOf, requirePositive } from "@logq/core";
import { PRODUCT_TYPES, SCHEDULES } from "@logq/trainers";
import { Command, CommanderError } from "commander";
import type { CommonSettings } from "./results.js";

/** Where results, help and error messages go. */
export interface CliOutput {
  out(text: string): void;
  err(text: string): void;
}

/** What every study's command line may ask for beside its settings. */
export interface Places {
  /** Where the results are kept; undefined: nowhere. */
  readonly out: string | undefined;
  /** A document whose last section, "## The numbers", is written anew. */
  readonly page: string | undefined;
  /** Results of an earlier run, to be shown again instead of measuring. */
  readonly from: string | undefined;
  /** The folder of the data; undefined: the one that LOGQ_DATA names. */
  readonly data: string | undefined;
  readonly json: boolean;
}

/** What commander makes of the options that all studies have. */
export interface RawCommon {
  readonly negatives: string;
  readonly sampler: string;
  readonly distortion: string;
  readonly learningRate: string;
  readonly epochs: string;
  readonly dim: string;
  readonly batch: string;
  readonly schedule: string;
  readonly products: string;
  readonly logitMb?: string;
  readonly backend: string;
  readonly workers: string;
  readonly seed: string;
}

interface RawPlaces {
  readonly out?: string;
  readonly page?: string;
  readonly from?: string;
  readonly data?: string;
  readonly json?: boolean;
}

/** What the options of all studies are where nobody says otherwise. */
export type CommonDefaults = Omit<
  CommonSettings,
  "products" | "logitBytes" | "backend" | "workers" | "seed" | "schedule"
>;

/** A command with the options that all studies have; a study adds its own. */
export function studyCommand(name: string, description: string, usual: CommonDefaults, output: CliOutput): Command {
  return new Command(name)
    .description(description)
    .optionsGroup("Model and training, the same for full and sampled:")
    .option("--epochs <n>", "of both", String(usual.epochs))
    .option("--dim <D>", "width of hidden vectors and class rows", String(usual.dim))
    .option("--batch <B>", "rows of a step", String(usual.batch))
    .option("--learning-rate <rate>", "Adagrad's", String(usual.learningRate))
    .option("--schedule <name>", SCHEDULES.join(", "), "constant")
    .option("--products <type>", PRODUCT_TYPES.join(", "), "float32")
    .option(
      "--logit-mb <MB>",
      "logits of a full step that are kept instead of made again (default: all, at most 2048; of bfloat16 products as in training)",
    )
    .option("--backend <name>", "auto takes the fastest that loads", "auto")
    .option("--workers <n>", "threads", "2")
    .option("--seed <n>", "of first values, order and draws", "1")
    .optionsGroup("Sampling:")
    .option("--negatives <S>", "candidates of a step", String(usual.negatives))
    .option("--sampler <name>", "who is drawn", usual.sampler)
    .option("--distortion <power>", "unigram: of the counts", String(usual.distortion))
    .optionsGroup("Results:")
    .option("--out <folder>", "keep the results there")
    .option("--page <file>", 'write the numbers into this document, behind its line "## The numbers"')
    .option("--from <file>", "show the results of an earlier run again, and measure nothing")
    .option("--json", "print the results as one JSON object on stdout, all else on stderr")
    .optionsGroup("Of this program:")
    .helpOption("-h, --help", "show this text")
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeOut: (text) => output.out(text), writeErr: (text) => output.err(text) });
}

/** Parses a line (without node and script): what commander made of it, or the exit code after help or an error. */
export function parseLine(command: Command, args: readonly string[]): { readonly exitCode: number } | undefined {
  try {
    command.parse([...args], { from: "user" });
    return undefined;
  } catch (error) {
    if (error instanceof CommanderError) return { exitCode: error.exitCode };
    throw error;
  }
}

/** @throws OptionError; samplers and back-ends are checked where they are made */
export function commonSettings(raw: RawCommon): CommonSettings {
  return {
    epochs: whole("--epochs", raw.epochs, 1, 10_000),
    dim: whole("--dim", raw.dim, 1, 65_536),
    batch: whole("--batch", raw.batch, 1, 2 ** 20),
    learningRate: requirePositive("--learning-rate", numberOf(raw.learningRate)),
    schedule: requireOneOf("--schedule", raw.schedule, SCHEDULES),
    products: requireOneOf("--products", raw.products, PRODUCT_TYPES),
    logitBytes: raw.logitMb === undefined ? null : 2 ** 20 * whole("--logit-mb", raw.logitMb, 0, 4096),
    backend: raw.backend,
    workers: whole("--workers", raw.workers, 0, 256),
    seed: whole("--seed", raw.seed, 0),
    negatives: whole("--negatives", raw.negatives, 1, 2 ** 24),
    sampler: raw.sampler,
    distortion: requirePositive("--distortion", numberOf(raw.distortion)),
  };
}

export function placesOf(command: Command): Places {
  const { out, page, from, data, json } = command.opts<RawPlaces>();
  return { out, page, from, data, json: json ?? false };
}

/** The integer that an option's text says. @throws OptionError */
export function whole(option: string, text: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  return requireInteger(option, numberOf(text), least, most);
}

/** NaN for no number, "" included. */
export const numberOf = (text: string) => (text.trim() === "" ? Number.NaN : Number(text));
