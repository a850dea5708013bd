import { OptionError } from "@logq/core";
import { z } from "zod";
import { type CommonOptions, checkSplit, commonShape, parseOptions } from "../options.js";

/** Options of `prepareLabels`. Ratios deal whole rows. */
export interface LabelsOptions extends CommonOptions {
  /**
   * xmlc: the format of the Extreme Classification repository, a head line `rows features labels`, then `l1,l2 f:v f:v …` with ids
   * from 0; a row without labels begins with a space. tsv: the words of one column are the features, another column is the label.
   */
  readonly format: "xmlc" | "tsv";
  /** tsv: the column of the words, from 0. */
  readonly textColumn?: number;
  /** tsv: the column of the label, from 0. */
  readonly labelColumn?: number;
  /** tsv: fold the words to lower case. Default false. */
  readonly lowerCase?: boolean;
  /**
   * Labels of fewer training rows are left out; so are rows that had labels and keep none. Default 0: every label of any part
   * is a class, so that labels seen only in the test part count as missed.
   */
  readonly minCount?: number;
  /** tsv: words seen less often in the training part are left out of the rows. Default 1. */
  readonly minFeatureCount?: number;
}

const schema = z.strictObject({
  ...commonShape,
  format: z.enum(["xmlc", "tsv"]),
  textColumn: z.int().min(0).optional(),
  labelColumn: z.int().min(0).optional(),
  lowerCase: z.boolean().optional(),
  minCount: z.int().min(0).default(0),
  minFeatureCount: z.int().min(1).optional(),
});

export type ParsedLabelsOptions = z.output<typeof schema>;

/** The options of the format tsv, complete. */
export interface TsvOptions {
  readonly textColumn: number;
  readonly labelColumn: number;
  readonly lowerCase: boolean;
}

export function parseLabelsOptions(options: LabelsOptions): ParsedLabelsOptions {
  const parsed = parseOptions(schema, options);
  checkSplit(parsed);
  if (parsed.format === "tsv") tsvOptionsOf(parsed);
  else refuseTsvOptions(parsed);
  return parsed;
}

/** @throws OptionError if a column is missing, or both are one */
export function tsvOptionsOf({ textColumn, labelColumn, lowerCase = false }: ParsedLabelsOptions): TsvOptions {
  if (textColumn === undefined || labelColumn === undefined) {
    const name = textColumn === undefined ? "textColumn" : "labelColumn";
    throw new OptionError(`${name} is missing: the format tsv needs it`, { name });
  }
  if (textColumn === labelColumn) {
    throw new OptionError(`textColumn and labelColumn are both ${textColumn}: the label would be among its features`, {
      name: "labelColumn",
      value: labelColumn,
    });
  }
  return { textColumn, labelColumn, lowerCase };
}

function refuseTsvOptions(options: ParsedLabelsOptions): void {
  for (const name of ["textColumn", "labelColumn", "lowerCase", "minFeatureCount"] as const) {
    if (options[name] === undefined) continue;
    throw new OptionError(`${name} is ${options[name]}, but only the format tsv has words`, {
      name,
      value: options[name],
    });
  }
}
