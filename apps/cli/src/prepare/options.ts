import { OptionError } from "@logq/core";
import type { LabelsOptions, PairsOptions, TextOptions } from "@logq/datasets";
import { type CommonFlags, type LabelsFlags, type PairsFlags, type TextFlags, USUAL_SHARES } from "./flags.js";
import { splitOptions } from "./split.js";

/** @throws OptionError if the format and the column contradict each other */
export function textOptions(flags: TextFlags): TextOptions {
  const { format, textColumn, endOfLine } = flags;
  if (format === "tsv" && textColumn === undefined) {
    throw new OptionError("--text-column is missing: the format tsv needs it", { name: "textColumn" });
  }
  if (format === "lines" && textColumn !== undefined) {
    throw new OptionError(`--text-column is ${textColumn}, but the format lines has no columns`, { textColumn });
  }
  if (flags.split === "leave-one-out") refuseLeaveOneOut("text");
  return {
    ...commonOptions(flags, "text"),
    ...present({ textColumn, minCount: flags.minCount, maxClasses: flags.maxClasses, unknown: flags.unknown }),
    // The flag is true if neither --end-of-line nor --no-end-of-line is given.
    ...(endOfLine === true ? {} : { endOfLine }),
    ...(flags.lowercase === true ? { lowerCase: true } : {}),
  };
}

export function pairsOptions(flags: PairsFlags): PairsOptions {
  const { format, userColumn, itemColumn, timeColumn, minCount } = flags;
  return { ...commonOptions(flags, "pairs"), format, ...present({ userColumn, itemColumn, timeColumn, minCount }) };
}

export function labelsOptions(flags: LabelsFlags): LabelsOptions {
  const { format, textColumn, labelColumn, minCount, minFeatureCount } = flags;
  if (flags.split === "leave-one-out") refuseLeaveOneOut("labels");
  return {
    ...commonOptions(flags, "labels"),
    format,
    ...present({ textColumn, labelColumn, minCount, minFeatureCount }),
    ...(flags.lowercase === true ? { lowerCase: true } : {}),
  };
}

function commonOptions(flags: CommonFlags, kind: keyof typeof USUAL_SHARES) {
  const { out, train, validation, test, seed } = flags;
  return { output: out, train, ...present({ validation, test, seed }), ...splitOptions(flags, USUAL_SHARES[kind]) };
}

function refuseLeaveOneOut(kind: string): never {
  throw new OptionError(`--split leave-one-out needs users, and ${kind} has none`, { split: "leave-one-out", kind });
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** The fields that have a value. */
function present<T extends object>(fields: T): Present<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T>;
}
