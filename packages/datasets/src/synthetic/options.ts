import { z } from "zod";
import { parseOptions } from "../options.js";
import { boost, count, exponent, seed, topics } from "./shape.js";

/** Options of `syntheticDataset`. */
export interface SyntheticOptions {
  /** n, in [1, 2^31). */
  readonly classes: number;
  /** Training examples, in [1, 2^31). */
  readonly examples: number;
  /** Examples of the other parts. Default a tenth of `examples`, rounded up. */
  readonly validationExamples?: number;
  readonly testExamples?: number;
  /** K, hidden topics, in [1, 1024]. Default 16. */
  readonly topics?: number;
  /** Distinct inputs. Default 4096. */
  readonly contexts?: number;
  /** s of the Zipf law of the classes, (rank+1)^−s, in [0, 4]. Default 1. */
  readonly exponent?: number;
  /** The same for how often a context is met. Default 1. */
  readonly contextExponent?: number;
  /** How many times likelier a topic makes the classes it is home to; 1 makes contexts tell nothing. Default 64. */
  readonly boost?: number;
  /** Default 0. */
  readonly seed?: number | string;
}

const schema = z.strictObject({
  classes: count,
  examples: count,
  validationExamples: count.optional(),
  testExamples: count.optional(),
  topics: topics.default(16),
  contexts: count.default(4096),
  exponent: exponent.default(1),
  contextExponent: exponent.default(1),
  boost: boost.default(64),
  seed,
});

export type ParsedSyntheticOptions = Required<SyntheticOptions>;

export function parseSyntheticOptions(options: SyntheticOptions): ParsedSyntheticOptions {
  const parsed = parseOptions(schema, options);
  const tenth = Math.ceil(parsed.examples / 10);
  return {
    ...parsed,
    validationExamples: parsed.validationExamples ?? tenth,
    testExamples: parsed.testExamples ?? tenth,
  };
}
