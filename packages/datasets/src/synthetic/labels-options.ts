import { z } from "zod";
import { parseOptions } from "../options.js";
import { boost, count, exponent, seed, topics } from "./shape.js";

/** Options of `syntheticLabels`. */
export interface SyntheticLabelsOptions {
  /** n, in [1, 2^31). */
  readonly labels: number;
  /** In [1, 2^31). */
  readonly features: number;
  /** Training rows. */
  readonly rows: number;
  /** Default a tenth of `rows`, rounded up. */
  readonly testRows?: number;
  /** T, distinct labels of a row, in [1, 1000]. Default 5. */
  readonly labelsPerRow?: number;
  /** K, hidden topics, in [1, 1024]. Default 256. */
  readonly topics?: number;
  /** s of the Zipf law of the labels, (rank+1)^−s, in [0, 4]. Default 0.8. */
  readonly exponent?: number;
  /** How many times likelier a topic makes the labels it is home to; 1 makes labels independent. Default 256. */
  readonly boost?: number;
  /** Features that tell of a label, in [1, 1000]. Default 8. */
  readonly signature?: number;
  /** How likely a row shows each of them, but the first, which it always shows; in [0, 1]. Default 0.5. */
  readonly shown?: number;
  /** Features of a row that tell nothing, in [0, 10000]. Default 10. */
  readonly noise?: number;
  /** s of the Zipf law of those features. Default 1. */
  readonly featureExponent?: number;
  /** Default 0. */
  readonly seed?: number | string;
}

const schema = z.strictObject({
  labels: count,
  features: count,
  rows: count,
  testRows: count.optional(),
  labelsPerRow: z.int().min(1).max(1000).default(5),
  topics: topics.default(256),
  exponent: exponent.default(0.8),
  boost: boost.default(256),
  signature: z.int().min(1).max(1000).default(8),
  shown: z.number().min(0).max(1).default(0.5),
  noise: z.int().min(0).max(10_000).default(10),
  featureExponent: exponent.default(1),
  seed,
});

export type ParsedSyntheticLabelsOptions = Required<SyntheticLabelsOptions>;

export function parseSyntheticLabelsOptions(options: SyntheticLabelsOptions): ParsedSyntheticLabelsOptions {
  const parsed = parseOptions(schema, options);
  return { ...parsed, testRows: parsed.testRows ?? Math.ceil(parsed.rows / 10) };
}
