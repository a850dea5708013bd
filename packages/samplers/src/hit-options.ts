import { OptionError, requireOneOf } from "@logq/core";

export const ACCIDENTAL_HITS = ["keep", "remove"] as const;
/** What happens to a candidate that turns out to be a target of the row. */
export type AccidentalHits = (typeof ACCIDENTAL_HITS)[number];

export const EXCLUSIONS = ["none", "target", "seen"] as const;
/** Which classes a row refuses as candidates from the start; `seen` includes the targets. */
export type Exclusion = (typeof EXCLUSIONS)[number];

/**
 * How candidates meet the row's own classes, and what that does to log Q:
 *
 * | | shared by the batch | drawn for the row |
 * |---|---|---|
 * | keep, none | Q = S·q | Q = S·q |
 * | remove | pairs masked (`HitFinder`), Q stays S·q | the same |
 * | exclude | pairs masked, Q stays S·q: the draw cannot know the row | `drawExcluding`: Q = S·q/(1 − Σ_A q) |
 *
 * The true classes of a row never influence a draw unless `exclude` says so.
 */
export interface HitOptions {
  /** Default `keep`, or `remove` where something is excluded. */
  readonly accidentalHits?: AccidentalHits;
  /** Default `none`. */
  readonly exclude?: Exclusion;
}

/** Checks the options and fills in the defaults. @throws OptionError, also if hits are kept and excluded at once */
export function validateHitOptions(options: HitOptions): Required<HitOptions> {
  const exclude = requireOneOf("exclude", options.exclude ?? "none", EXCLUSIONS);
  const fallback = exclude === "none" ? "keep" : "remove";
  const accidentalHits = requireOneOf("accidentalHits", options.accidentalHits ?? fallback, ACCIDENTAL_HITS);
  if (accidentalHits === "keep" && exclude !== "none") {
    throw new OptionError(`accidentalHits "keep" contradicts exclude "${exclude}": an excluded class cannot be hit`, {
      accidentalHits,
      exclude,
    });
  }
  return { accidentalHits, exclude };
}
