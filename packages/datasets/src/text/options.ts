import { OptionError } from "@logq/core";
import { z } from "zod";
import { type CommonOptions, checkSplit, commonShape, parseOptions } from "../options.js";

/** Options of `prepareText`. Ratios deal whole lines. */
export interface TextOptions extends CommonOptions {
  /** Take the text from this column (from 0) of tab-separated lines. By default the whole line is text. */
  readonly textColumn?: number;
  /** Fold to lower case, by Unicode without a locale. Default false. */
  readonly lowerCase?: boolean;
  /** Words seen less often in the training part become `unknown`. Default 1. */
  readonly minCount?: number;
  /** Most classes, `unknown` and `endOfLine` among them; the rarest words give way. */
  readonly maxClasses?: number;
  /** The name of the class of words outside the vocabulary; a word of this name in the text is it too. Default "<unk>". */
  readonly unknown?: string;
  /** The name of the class that ends each line, also an empty one; false for none. Default "<eos>". */
  readonly endOfLine?: string | false;
}

const schema = z.strictObject({
  ...commonShape,
  textColumn: z.int().min(0).optional(),
  lowerCase: z.boolean().default(false),
  minCount: z.int().min(1).default(1),
  maxClasses: z.int().min(3).optional(),
  unknown: z.string().regex(/^\S+$/, "must be a word").default("<unk>"),
  endOfLine: z
    .union([z.string().regex(/^\S+$/), z.literal(false)], { error: "must be a word or false" })
    .default("<eos>"),
});

export type ParsedTextOptions = z.output<typeof schema>;

export function parseTextOptions(options: TextOptions): ParsedTextOptions {
  const parsed = parseOptions(schema, options);
  checkSplit(parsed);
  if (parsed.unknown === parsed.endOfLine) {
    throw new OptionError(`unknown and endOfLine are both "${parsed.unknown}": they are two classes`, {
      name: "unknown",
      value: parsed.unknown,
    });
  }
  return parsed;
}
