import { existsSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { MissingFileError, OptionError, requireInteger, requireNumber, requireOneOf } from "@logq/core";
import { count } from "./format.js";
import type { DataDescription } from "./measure/types.js";
import {
  BACKENDS,
  LOSSES,
  type LossName,
  PRESETS,
  type PresetName,
  SAMPLERS,
  type SamplerName,
  USUAL_SAMPLERS,
} from "./names.js";
import { samplerSize } from "./sweep/plan.js";
import { FORMAT, type Settings } from "./sweep/settings.js";

/** The command line as text, before anything is checked; absent options are undefined. */
export interface RawOptions {
  readonly preset?: string;
  readonly classes?: string;
  readonly losses?: string;
  readonly samplers?: string;
  readonly negatives?: string;
  readonly workers?: string;
  readonly dim?: string;
  readonly batch?: string;
  readonly seed?: string;
  readonly backend?: string;
  readonly data?: string;
  readonly seconds?: string;
  readonly out?: string;
  readonly json?: boolean;
  readonly fresh?: boolean;
}

/** What to do, checked. */
export interface BenchOptions {
  readonly settings: Settings;
  /** Whether the user named the class counts; else they may be fitted to the data. */
  readonly classesGiven: boolean;
  /** Folder of the results, absolute. */
  readonly out: string;
  readonly json: boolean;
  readonly fresh: boolean;
}

/** What a preset stands for; every option given replaces its part. */
interface Preset {
  readonly classes: readonly number[];
  readonly samplers: readonly SamplerName[] | null;
  readonly seconds: number;
}

const PRESET: Readonly<Record<PresetName, Preset>> = {
  // 22 cells: four sizes of four losses, and two more samplers for three of them. Under four minutes on two cores.
  quick: { classes: [1_000, 4_000, 20_000, 100_000], samplers: null, seconds: 5 },
  full: { classes: [1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000], samplers: USUAL_SAMPLERS, seconds: 30 },
};

/** Losses compared by default. */
const USUAL_LOSSES: readonly LossName[] = ["full-softmax", "sampled-softmax", "nce", "negative-sampling"];

/** More threads than this gain nothing at the sizes of the presets. */
const MOST_USUAL_WORKERS = 8;

/** The folder of the results unless `--out` says otherwise. */
export const DEFAULT_OUT = "logq-report";

/**
 * Checks the command line and fills in the preset.
 * @throws OptionError naming the option, MissingFileError if the data folder does not exist.
 */
export function checkOptions(raw: RawOptions): BenchOptions {
  const name = requireOneOf("--preset", raw.preset ?? "quick", PRESETS);
  const preset = PRESET[name];
  const classes = integers("--classes", raw.classes, preset.classes, 2, 2 ** 31 - 1);
  const samplers = names("--samplers", raw.samplers, preset.samplers, SAMPLERS);
  const usualWorkers = [Math.min(os.availableParallelism(), MOST_USUAL_WORKERS)];
  const settings: Settings = {
    format: FORMAT,
    preset: name,
    classes,
    losses: names("--losses", raw.losses, USUAL_LOSSES, LOSSES),
    samplers,
    samplersAt: samplers === null ? samplerSize(classes) : null,
    negatives: integers("--negatives", raw.negatives, [256], 1, 2 ** 20, false),
    workers: integers("--workers", raw.workers, usualWorkers, 1, 64),
    dim: integer("--dim", raw.dim, 64, 1, 4096),
    batch: integer("--batch", raw.batch, 256, 1, 2 ** 20),
    seed: integer("--seed", raw.seed, 1, 0, 2 ** 32 - 1),
    backend: requireOneOf("--backend", raw.backend ?? "auto", BACKENDS),
    data: dataFolder(raw.data),
    seconds: requireNumber("--seconds", number("--seconds", raw.seconds ?? String(preset.seconds)), 0.1, 86_400),
  };
  return {
    settings,
    classesGiven: raw.classes !== undefined,
    out: path.resolve(raw.out ?? DEFAULT_OUT),
    json: raw.json ?? false,
    fresh: raw.fresh ?? false,
  };
}

/**
 * The settings for data with a class count of its own: that count alone. A part of its classes would be other data, with other examples, and no
 * point on one curve with it.
 * @throws OptionError if the user named another size.
 */
export function fitClasses({ settings, classesGiven }: BenchOptions, data: DataDescription): Settings {
  const own = data.classes;
  if (own === null) return settings;
  const other = classesGiven ? settings.classes.find((n) => n !== own) : undefined;
  if (other !== undefined) {
    throw new OptionError(
      `--classes asks for ${count(other)}, but ${data.name} has ${count(own)} classes; data sets are measured as they are: leave --classes out`,
      { name: "--classes", value: other, classes: own },
    );
  }
  const samplersAt = settings.samplers === null ? samplerSize([own]) : null;
  return { ...settings, classes: [own], samplersAt };
}

function dataFolder(given: string | undefined): string | null {
  if (given === undefined) return null;
  const folder = path.resolve(given);
  if (!existsSync(folder))
    throw new MissingFileError(`--data: ${given} does not exist`, { option: "--data", path: folder });
  return folder;
}

function integer(name: string, given: string | undefined, usual: number, minimum: number, maximum: number): number {
  return given === undefined ? usual : requireInteger(name, number(name, given), minimum, maximum);
}

/** A list of whole numbers without repetitions: ascending, or in the order given, whose first is the reference. */
function integers(
  name: string,
  given: string | undefined,
  usual: readonly number[],
  minimum: number,
  maximum: number,
  ascending = true,
): readonly number[] {
  if (given === undefined) return usual;
  const values = [
    ...new Set(items(name, given).map((item) => requireInteger(name, number(name, item), minimum, maximum))),
  ];
  return ascending ? values.sort((a, b) => a - b) : values;
}

/** A list of names without repetitions, in the order of `allowed`. */
function names<T extends string, U extends readonly T[] | null>(
  name: string,
  given: string | undefined,
  usual: U,
  allowed: readonly T[],
): readonly T[] | U {
  if (given === undefined) return usual;
  const asked = new Set(items(name, given).map((item) => requireOneOf(name, item, allowed)));
  return allowed.filter((item) => asked.has(item));
}

function items(name: string, given: string): string[] {
  const found = given.split(",").map((item) => item.trim());
  if (found.includes("")) {
    throw new OptionError(`${name} must be a list with commas between its items, not "${given}"`, {
      name,
      value: given,
    });
  }
  return found;
}

/** A number as people write it: 100000, 100_000, 1e5. */
function number(name: string, text: string): number {
  const value = text.trim() === "" ? Number.NaN : Number(text.replace(/(?<=\d)_(?=\d)/g, ""));
  if (Number.isNaN(value)) throw new OptionError(`${name} must be a number, not "${text}"`, { name, value: text });
  return value;
}
