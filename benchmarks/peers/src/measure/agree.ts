import { requireClose, WrongResultError } from "@logq/micro-benchmarks";
import type { Check } from "./contender.js";

/** How far a value may lie from that of the side it is compared with. */
export type Agreement =
  /** |a − e| <= relative·|e|, element by element. */
  | { readonly relative: number }
  /** |a − e| <= ofLargest · max |e|: for vectors of small and large parts that were summed in another order. */
  | { readonly ofLargest: number }
  /** At least this share of the elements is equal: for ranks, where near ties fall either way. */
  | { readonly equalShare: number };

export type Agreements = Readonly<Record<string, Agreement>>;

/** @throws WrongResultError with the values that differ */
export function requireAgreement(actual: Check, expected: Check, agreements: Agreements): void {
  for (const [what, agreement] of Object.entries(agreements)) {
    const [a, e] = [actual[what], expected[what]];
    if (a === undefined || e === undefined) {
      throw new WrongResultError(`${what} was not computed by both sides`, { what });
    }
    if ("equalShare" in agreement) requireShare(what, a, e, agreement.equalShare);
    else if ("relative" in agreement) requireClose(what, a, e, agreement);
    else requireClose(what, a, e, { absolute: agreement.ofLargest * largest(e) });
  }
}

function requireShare(what: string, actual: readonly number[], expected: readonly number[], least: number): void {
  const equal = expected.reduce((sum, value, i) => sum + (actual[i] === value ? 1 : 0), 0);
  const share = equal / Math.max(expected.length, actual.length);
  if (share >= least) return;
  throw new WrongResultError(`${what}: ${equal} of ${expected.length} values are equal; at least ${least} should be`, {
    what,
    share,
    least,
  });
}

const largest = (values: readonly number[]) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
