import { type AliasTable, buildAliasTable, drawAlias, requireAllFinite, requireLength, SamplerError } from "@logq/core";
import { shareFloats, shareInts } from "../shared.js";
import type { Law } from "../types.js";

/** The tables of a unigram law: 20 bytes a class, in shared memory where there is any. */
export interface UnigramTables extends AliasTable {
  /** (n), linear, sums to 1. */
  readonly probability: Float64Array;
  /** How many classes have mass. */
  readonly support: number;
}

/** Bytes of the tables a class. */
export const UNIGRAM_BYTES_PER_CLASS = 20;

/** A weight this much smaller than the greatest counts as none: its probability would not be a normal double. */
const NEGLIGIBLE = 1e-290;

/**
 * p(id) = (count + smoothing)^distortion / Σ (count + smoothing)^distortion; 0^0 is 1, so distortion 0 is uniform over all n.
 * word2vec takes distortion 0.75, fastText 0.5. A class of weight 0 is never drawn and its log Q is −∞.
 * @param counts (n), each finite and ≥ 0; not kept
 * @throws ShapeError, NotFiniteError, SamplerError (a negative count, or no class with mass)
 */
export function buildUnigramTables(
  n: number,
  counts: ArrayLike<number>,
  distortion: number,
  smoothing: number,
): UnigramTables {
  requireLength("counts", counts.length, n, "(n)");
  requireAllFinite("counts", counts);
  const weights = shareFloats(n);
  const greatest = greatestWeight(counts, distortion, smoothing);
  let support = 0;
  let sum = 0;
  for (let id = 0; id < n; id++) {
    // Divided before the power, so that nothing overflows.
    const weight = ((counts[id] + smoothing) / greatest) ** distortion;
    weights[id] = weight < NEGLIGIBLE ? 0 : weight;
    sum += weights[id];
    if (weights[id] > 0) support++;
  }
  const table = buildAliasTable(weights);
  for (let id = 0; id < n; id++) weights[id] /= sum;
  return {
    threshold: shareFloats(n, table.threshold),
    alias: shareInts(n, table.alias),
    probability: weights,
    support,
  };
}

/** The greatest of count + smoothing; 1 where all are 0 and the exponent makes them equal. */
function greatestWeight(counts: ArrayLike<number>, distortion: number, smoothing: number): number {
  let greatest = 0;
  for (let id = 0; id < counts.length; id++) {
    if (counts[id] < 0) {
      throw new SamplerError(`counts[${id}] is ${counts[id]}; a count must be at least 0`, {
        index: id,
        value: counts[id],
      });
    }
    greatest = Math.max(greatest, counts[id] + smoothing);
  }
  if (greatest === 0 && distortion > 0) {
    throw new SamplerError(`all ${counts.length} counts are 0: no class can be drawn; smoothing > 0 gives mass`, {
      n: counts.length,
      distortion,
      smoothing,
    });
  }
  return greatest === 0 ? 1 : greatest;
}

/** The law of frequency counts, drawn by an alias table (Walker 1977, Vose 1991): O(1) a draw whatever n is. */
export class UnigramLaw implements Law {
  readonly name = "unigram";
  readonly n: number;
  readonly support: number;
  readonly #tables: UnigramTables;

  constructor(tables: UnigramTables) {
    this.n = tables.probability.length;
    this.support = tables.support;
    this.#tables = tables;
  }

  probability(id: number): number {
    return this.#tables.probability[id];
  }

  logProbability(id: number): number {
    return Math.log(this.#tables.probability[id]);
  }

  draw(u1: number, u2: number): number {
    return drawAlias(this.#tables, u1, u2);
  }
}
