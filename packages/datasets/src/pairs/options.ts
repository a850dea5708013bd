import { OptionError } from "@logq/core";
import { z } from "zod";
import { type CommonOptions, checkSplit, columnSchema, commonShape, parseOptions } from "../options.js";

/** Options of `preparePairs`. Ratios deal the interactions of each user one by one; the first stays if all would go. */
export interface PairsOptions extends CommonOptions {
  /**
   * adjacency: `user item item …` a line; pairs: `user item` a line, in order of time; csv, tsv: records with columns (fields of a
   * csv may be quoted); parquet: columns. Users and items are any strings.
   */
  readonly format: "adjacency" | "pairs" | "csv" | "tsv" | "parquet";
  /** csv, tsv, parquet: a column by its name in the head line, or by position from 0 in a csv or tsv without one. */
  readonly userColumn?: string | number;
  readonly itemColumn?: string | number;
  /** Orders each user's interactions: a number, or a date that JavaScript can read. By default the order of the file counts. */
  readonly timeColumn?: string | number;
  /**
   * The last interaction of each user (by time, or by the order of the file) becomes test, the one before
   * validation; users with fewer than 3 keep theirs. Default false.
   */
  readonly leaveOneOut?: boolean;
  /**
   * Items seen less often in the training part are left out, with their interactions in every part. Default 0: every item of
   * any part is a class, so that those seen only in the test part count as missed instead of improving the result.
   */
  readonly minCount?: number;
}

const schema = z.strictObject({
  ...commonShape,
  format: z.enum(["adjacency", "pairs", "csv", "tsv", "parquet"]),
  userColumn: columnSchema.optional(),
  itemColumn: columnSchema.optional(),
  timeColumn: columnSchema.optional(),
  leaveOneOut: z.boolean().default(false),
  minCount: z.int().min(0).default(0),
});

/** Where the fields of an interaction stand. */
export interface PairColumns {
  readonly user: string | number;
  readonly item: string | number;
  readonly time: string | number | undefined;
}

export type ParsedPairsOptions = z.output<typeof schema>;

export function parsePairsOptions(options: PairsOptions): ParsedPairsOptions {
  const parsed = parseOptions(schema, options);
  checkSplit(parsed);
  checkLeaveOneOut(parsed);
  if (parsed.format === "adjacency" || parsed.format === "pairs") refuseColumns(parsed);
  else columnsOf(parsed);
  return parsed;
}

/**
 * The columns of a format that has them.
 * @throws OptionError if one is missing, or names and positions are mixed
 */
export function columnsOf(options: ParsedPairsOptions): PairColumns {
  const { userColumn: user, itemColumn: item, timeColumn: time, format } = options;
  if (user === undefined || item === undefined) {
    const name = user === undefined ? "userColumn" : "itemColumn";
    throw new OptionError(`${name} is missing: the format ${format} needs it`, { name, format });
  }
  const given = [user, item, ...(time === undefined ? [] : [time])];
  const type = format === "parquet" ? "string" : typeof user;
  const odd = given.find((column) => typeof column !== type);
  if (odd !== undefined) {
    throw new OptionError(
      format === "parquet"
        ? `column ${odd}: columns of a parquet file have names`
        : `columns ${given.join(", ")}: give all by name (with a head line) or all by position (without one)`,
      { name: "userColumn", value: given },
    );
  }
  return { user, item, time };
}

function refuseColumns(options: ParsedPairsOptions): void {
  for (const name of ["userColumn", "itemColumn", "timeColumn"] as const) {
    if (options[name] === undefined) continue;
    throw new OptionError(`${name} is ${options[name]}, but the format ${options.format} has no columns`, {
      name,
      value: options[name],
      format: options.format,
    });
  }
}

function checkLeaveOneOut(options: ParsedPairsOptions): void {
  if (!options.leaveOneOut) return;
  const other = (["validation", "test", "validationRatio", "testRatio"] as const).find((name) => options[name]);
  if (other === undefined) return;
  throw new OptionError(`leaveOneOut makes the validation and test parts, and so does ${other}: give one of them`, {
    name: "leaveOneOut",
    value: true,
    other,
  });
}
