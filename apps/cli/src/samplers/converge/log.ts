import { appendFile, mkdir, readFile, truncate } from "node:fs/promises";
import { dirname } from "node:path";
import { FileFormatError, OptionError } from "@logq/core";
import type { SplitName } from "@logq/datasets";
import type { SamplerOptions, TrainOptions } from "@logq/trainers";

/** What all trainings of a file have in common: only such can be compared. */
export interface ConvergeSetting {
  /** The folder's name. */
  readonly data: string;
  readonly kind: string;
  readonly classes: number;
  readonly split: SplitName;
  readonly metric: string;
  readonly limit: number;
  readonly steps: number;
  readonly batch: number;
  readonly dim: number;
  readonly model: TrainOptions;
}

/** One training, and what came of it. */
export interface Training {
  /** "full softmax", or a sampler. */
  readonly sampler: string;
  readonly options: SamplerOptions;
  /** S; null: there is none to choose. */
  readonly negatives: number | null;
  readonly seed: number;
  /** Exact, over all classes, on held-out examples; null: the training diverged. Cross-entropy in nats a label. */
  readonly metrics: Readonly<Record<string, number>> | null;
  /** Median over the steps, milliseconds. */
  readonly stepMilliseconds: number;
  readonly workers: number;
  readonly backend: string;
  readonly cpu: string;
  /** The machine's load average when the steps ended: times of a busy machine say little. */
  readonly load: number;
}

/** A setting and the trainings that are finished. */
export interface Converged {
  readonly setting: ConvergeSetting;
  readonly trainings: readonly Training[];
}

/** Trainings that are kept as they finish: a line of JSON for the setting, then one for each. */
export class ConvergeLog {
  readonly setting: ConvergeSetting;
  readonly trainings: Training[];
  readonly #file: string | undefined;

  private constructor(file: string | undefined, setting: ConvergeSetting, trainings: readonly Training[]) {
    this.#file = file;
    this.setting = setting;
    this.trainings = [...trainings];
  }

  /**
   * Goes on with the file if it is there, or begins it. @param file undefined: nothing is kept
   * @throws OptionError if the file is of another setting, FileFormatError if it is none of these
   */
  static async open(file: string | undefined, setting: ConvergeSetting): Promise<ConvergeLog> {
    if (file === undefined) return new ConvergeLog(file, setting, []);
    const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return "";
      throw error;
    });
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    // A line that a killed process left unfinished gives way.
    if (whole !== text) await truncate(file, Buffer.byteLength(whole));
    if (whole === "") {
      await mkdir(dirname(file), { recursive: true });
      await appendFile(file, `${JSON.stringify(setting)}\n`);
      return new ConvergeLog(file, setting, []);
    }
    const found = parseLog(whole, file);
    requireSameSetting(file, found.setting, setting);
    return new ConvergeLog(file, setting, found.trainings);
  }

  find({ sampler, options, negatives, seed }: Pick<Training, "sampler" | "options" | "negatives" | "seed">) {
    const own = JSON.stringify(options);
    return this.trainings.find(
      (one) =>
        one.sampler === sampler &&
        one.negatives === negatives &&
        one.seed === seed &&
        JSON.stringify(one.options) === own,
    );
  }

  async add(training: Training): Promise<void> {
    this.trainings.push(training);
    if (this.#file !== undefined) await appendFile(this.#file, `${JSON.stringify(training)}\n`);
  }
}

/** Reads a file of trainings; a last line without its end is left out. @throws FileFormatError */
export function parseLog(text: string, file: string): Converged {
  const [setting, ...trainings] = text
    .split("\n")
    .slice(0, -1)
    .map((line, i): unknown => {
      try {
        return JSON.parse(line);
      } catch (cause) {
        throw new FileFormatError(`line ${i + 1} of ${file} is no JSON`, { file, line: i + 1 }, { cause });
      }
    });
  if (!isSetting(setting)) throw new FileFormatError(`${file} does not begin with a setting of trainings`, { file });
  return { setting, trainings: trainings as Training[] };
}

function isSetting(value: unknown): value is ConvergeSetting {
  return typeof value === "object" && value !== null && "model" in value && "metric" in value && "steps" in value;
}

function requireSameSetting(file: string, found: ConvergeSetting, wanted: ConvergeSetting): void {
  const names = Object.keys(wanted) as (keyof ConvergeSetting)[];
  for (const name of names) {
    if (JSON.stringify(found[name]) === JSON.stringify(wanted[name])) continue;
    throw new OptionError(
      `${file} holds trainings of another setting: ${name} is ${JSON.stringify(found[name])} there, not ${JSON.stringify(wanted[name])}`,
      { file, setting: name, found: found[name], wanted: wanted[name] },
    );
  }
}
