import { OptionError } from "@logq/core";
import { z } from "zod";
import type { OnProgress } from "./reading/progress.js";
import type { SplitName } from "./types.js";

/** Options that every preparation takes. */
export interface CommonOptions {
  /** The directory of the dataset. Replaced if it is empty or a dataset, else refused. */
  readonly output: string;
  /** Input files of the training part; .gz is unpacked. */
  readonly train: string | readonly string[];
  readonly validation?: string | readonly string[];
  readonly test?: string | readonly string[];
  /** Share of the training files held out for validation, in [0, 1). Default 0. */
  readonly validationRatio?: number;
  /** Share of the training files held out for testing, in [0, 1). Default 0. */
  readonly testRatio?: number;
  /** Chooses what is held out. Default 0. */
  readonly seed?: number | string;
  /** Hears of each chunk read. */
  readonly onProgress?: OnProgress;
}

const files = z
  .union([z.string().min(1), z.array(z.string().min(1)).min(1)], { error: "must be a file name or several" })
  .transform((value) => (typeof value === "string" ? [value] : value));
const ratio = z.number().min(0).lt(1);

export const commonShape = {
  output: z.string().min(1),
  train: files,
  validation: files.optional(),
  test: files.optional(),
  validationRatio: ratio.default(0),
  testRatio: ratio.default(0),
  seed: z.union([z.number(), z.string()], { error: "must be a number or a string" }).default(0),
  onProgress: z.custom<OnProgress>((value) => typeof value === "function", "must be a function").optional(),
};

/** Column by name of the head line, or by 0-based position in a file without one. */
export const columnSchema = z.union([z.string().min(1), z.int().min(0)], {
  error: "must be a column name or a 0-based position",
});

interface SplitOptions {
  readonly train: readonly string[];
  readonly validation?: readonly string[] | undefined;
  readonly test?: readonly string[] | undefined;
  readonly validationRatio: number;
  readonly testRatio: number;
}

/**
 * Options in the form of `schema`, defaults filled in.
 * @throws OptionError, one line with the first option that does not fit and its value
 */
export function parseOptions<T extends z.ZodType>(schema: T, options: unknown): z.output<T> {
  const result = schema.safeParse(options);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  if (issue.code === "unrecognized_keys") {
    throw new OptionError(`unknown option ${issue.keys.map((key) => `"${key}"`).join(", ")}`, { name: issue.keys[0] });
  }
  const name = issue.path.join(".") || "options";
  const value = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown>)?.[key], options);
  throw new OptionError(`${name} is ${show(value)}: ${lowerFirst(issue.message)}`, { name, value });
}

/** Refuses shares that leave no training part, or that compete with a file for the same part. */
export function checkSplit(options: SplitOptions): void {
  const { validationRatio, testRatio } = options;
  if (validationRatio + testRatio >= 1) {
    throw new OptionError(
      `validationRatio ${validationRatio} and testRatio ${testRatio} together leave nothing to train on`,
      { name: "validationRatio", value: validationRatio, testRatio },
    );
  }
  for (const [part, value] of [["validation", validationRatio] as const, ["test", testRatio] as const]) {
    if (value > 0 && options[part] !== undefined) {
      throw new OptionError(`${part}Ratio is ${value}, but ${part} names files: give one of them`, {
        name: `${part}Ratio`,
        value,
      });
    }
  }
}

/** The input files by part. */
export function filesOf(options: SplitOptions): Partial<Record<SplitName, readonly string[]>> {
  return {
    train: options.train,
    ...(options.validation && { validation: options.validation }),
    ...(options.test && { test: options.test }),
  };
}

/** What the dataset remembers of its options: everything but where it is and who listened. */
export function rememberedOptions(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options).filter(
      ([name, value]) => value !== undefined && name !== "output" && name !== "onProgress",
    ),
  );
}

function show(value: unknown): string {
  if (value === undefined) return "missing";
  if (typeof value === "string" || (typeof value === "object" && value !== null)) return JSON.stringify(value);
  return String(value);
}

function lowerFirst(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}
