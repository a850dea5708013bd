import { SamplerError } from "@logq/core";
import type { Law } from "./types.js";

/**
 * The least mass a conditional law may keep. Below it, rejection would need more than 10^4 tries a candidate, and the
 * rounding of 1 − Σ q would show in log Q.
 */
export const LEAST_REMAINING_MASS = 1e-4;

/** The exclusion list of a draw that excludes nothing. */
export const NO_IDS = new Int32Array(0);

/** True if `id` is in the ascending slice ids[start .. end). */
export function contains(ids: Int32Array, start: number, end: number, id: number): boolean {
  let low = start;
  let high = end;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ids[middle] < id) low = middle + 1;
    else high = middle;
  }
  return low < end && ids[low] === id;
}

/** Σ p(id) over ids[start .. end), linear. Ids are distinct, so that it is the mass of a set. */
export function massOf(law: Law, ids: Int32Array, start: number, end: number): number {
  let mass = 0;
  for (let i = start; i < end; i++) mass += law.probability(ids[i]);
  return mass;
}

/** How many of ids[start .. end) have mass. */
export function supportOf(law: Law, ids: Int32Array, start: number, end: number): number {
  let count = 0;
  for (let i = start; i < end; i++) if (law.probability(ids[i]) > 0) count++;
  return count;
}

/** @throws SamplerError unless 1 − excludedMass ≥ 1e−4 */
export function requireRemainingMass(excludedMass: number, excludedCount: number): void {
  const remaining = 1 - excludedMass;
  if (!(remaining >= LEAST_REMAINING_MASS)) {
    throw new SamplerError(
      `${excludedCount} excluded classes leave ${remaining} of the law; at least ${LEAST_REMAINING_MASS} must remain`,
      { remaining, minimum: LEAST_REMAINING_MASS, excludedCount },
    );
  }
}

/**
 * Writes the distinct ids of ids[start .. end) in ascending order to out[at ..] and answers how many: the form that `drawExcluding`
 * takes. `out` is the caller's and has room for end − start ids. A slice that is sorted already costs one pass and no garbage.
 */
export function writeExclusion(out: Int32Array, at: number, ids: Int32Array, start: number, end: number): number {
  let ascending = true;
  for (let i = start; i < end; i++) {
    out[at + i - start] = ids[i];
    if (i > start && ids[i] < ids[i - 1]) ascending = false;
  }
  if (!ascending) out.subarray(at, at + end - start).sort();
  let count = 0;
  for (let i = at; i < at + end - start; i++) {
    if (count === 0 || out[i] !== out[at + count - 1]) out[at + count++] = out[i];
  }
  return count;
}
