import { OptionError, requireInteger, requireLength, requireOneOf, SamplerError } from "@logq/core";
import { shareFloats, shareInts } from "../shared.js";
import { MAX_CLASSES } from "../state.js";
import { paddedLength, sumsLength } from "./count-tree.js";

export const STRUCTURES = ["tree", "alias"] as const;
/** How the counts of `learned-unigram` are drawn from. The law is the same, exactly the counts as they are; which id a uniform gives is not. */
export type Structure = (typeof STRUCTURES)[number];

export interface LearnedUnigramSpec {
  readonly name: "learned-unigram";
  /** As in SamplerSpec. Default true. */
  readonly replacement?: boolean;
  /** The count every class starts with, whole, in [1, 2^31). Default 1. */
  readonly initial?: number;
  /** What an observed target adds, whole, in [1, 2^31). Default 1. initial/increment is the smoothing, in targets. */
  readonly increment?: number;
  /**
   * `tree` (the default): O(log n) a draw and an update. `alias`: O(1) a draw, from an alias table and the targets noted since it was built, and an
   * O(n) rebuild whenever these fill the journal.
   */
  readonly structure?: Structure;
  /** Only `alias`: targets kept between two rebuilds, in [1, 2^31). Default n/4, at least 65536. An amortised update costs O(n/journal). */
  readonly journal?: number;
}

export type ValidLearnedUnigramSpec = Required<LearnedUnigramSpec>;

/** The state of `learned-unigram`, made once and posted to threads. */
export interface LearnedTables {
  readonly spec: ValidLearnedUnigramSpec;
  readonly n: number;
  /** (n, filled up with zeros to whole blocks): initial + increment·(targets observed), whole numbers. */
  readonly counts: Float64Array;
  /** See LEARNED_CLOCK. */
  readonly clock: Float64Array;
  /** Only `tree`. */
  readonly tree: Float64Array | null;
  /** Only `alias`: the table of the counts without those of the journal, (n), and the journal's targets. */
  readonly alias: LearnedAlias | null;
}

export interface LearnedAlias {
  readonly threshold: Float64Array;
  readonly alias: Int32Array;
  readonly journal: Int32Array;
}

/** Places in the clock. */
export const LEARNED_CLOCK = {
  next: 0,
  /** Σ counts */
  total: 1,
  /** Targets in the journal. */
  noted: 2,
  length: 3,
} as const;

const FIELDS = ["name", "replacement", "initial", "increment", "structure", "journal"];
const LARGEST = 2 ** 31 - 1;

/** Checks a spec and fills in the defaults. @throws OptionError */
export function validateLearnedUnigramSpec(spec: LearnedUnigramSpec, n: number): ValidLearnedUnigramSpec {
  for (const field of Object.keys(spec)) requireOneOf("a field of learned-unigram", field, FIELDS);
  requireInteger("n", n, 1, MAX_CLASSES);
  const structure = requireOneOf("structure", spec.structure ?? "tree", STRUCTURES);
  const replacement = spec.replacement ?? true;
  if (typeof replacement !== "boolean") {
    throw new OptionError(`replacement must be true or false, not ${replacement}`, {
      name: "replacement",
      replacement,
    });
  }
  if (structure !== "alias" && spec.journal !== undefined && spec.journal !== 0) {
    throw new OptionError(`the structure ${structure} has no journal`, { name: "journal", value: spec.journal });
  }
  const journal = structure === "alias" ? (spec.journal ?? Math.max(65536, Math.ceil(n / 4))) : 0;
  return {
    name: "learned-unigram",
    replacement,
    initial: requireInteger("initial", spec.initial ?? 1, 1, LARGEST),
    increment: requireInteger("increment", spec.increment ?? 1, 1, LARGEST),
    structure,
    journal: structure === "alias" ? requireInteger("journal", journal, 1, LARGEST) : 0,
  };
}

/**
 * Allocates the state, without its sums: `LearnedLaw.rebuild` makes them.
 * @param seen (n), optional: targets counted beforehand, whole and ≥ 0. Not kept.
 * @throws OptionError, ShapeError, SamplerError, MemoryLimitError
 */
export function allocateLearnedTables(spec: LearnedUnigramSpec, n: number, seen?: ArrayLike<number>): LearnedTables {
  const valid = validateLearnedUnigramSpec(spec, n);
  if (seen !== undefined) requireSeen(seen, n);
  const counts = shareFloats(paddedLength(n));
  for (let id = 0; id < n; id++) counts[id] = valid.initial + valid.increment * (seen?.[id] ?? 0);
  const clock = shareFloats(LEARNED_CLOCK.length);
  if (valid.structure === "tree")
    return { spec: valid, n, counts, clock, tree: shareFloats(sumsLength(n)), alias: null };
  const alias = { threshold: shareFloats(n), alias: shareInts(n), journal: shareInts(valid.journal) };
  return { spec: valid, n, counts, clock, tree: null, alias };
}

/** Bytes of the tables of a valid spec. A rebuild of `alias` takes 32 bytes a class more for a moment. */
export function learnedBytes(spec: ValidLearnedUnigramSpec, n: number): number {
  const own = spec.structure === "tree" ? 8 * sumsLength(n) : 12 * n + 4 * spec.journal;
  return 8 * (paddedLength(n) + LEARNED_CLOCK.length) + own;
}

function requireSeen(seen: ArrayLike<number>, n: number): void {
  requireLength("counts", seen.length, n, "(n)");
  for (let index = 0; index < n; index++) {
    if (Number.isSafeInteger(seen[index]) && seen[index] >= 0) continue;
    throw new SamplerError(`counts[${index}] is ${seen[index]}; a learned count is a whole number, at least 0`, {
      index,
      value: seen[index],
    });
  }
}
