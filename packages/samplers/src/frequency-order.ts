import { EmptyInputError, requireAllFinite } from "@logq/core";
import { LogUniformLaw } from "./laws/log-uniform.js";

/** Draws of the law that stand for all of it, at evenly spaced quantiles: γ comes out within 0.01. */
const QUANTILES = 65536;

/** How well ids are sorted by frequency, the most frequent first. */
export interface FrequencyOrder {
  /**
   * Of two classes drawn by the log-uniform law: P(the lower id occurs more often) − P(it occurs less often), pairs of equal counts
   * apart (Goodman and Kruskal's γ). 1: sorted; 0: unrelated; −1: the rarest first. 1 if all counts are equal.
   */
  readonly gamma: number;
  /** `sorted` from γ = 0.9, `unsorted` below 0.5: there log-uniform sampling proposes the wrong classes, and its user wants a warning. */
  readonly verdict: "sorted" | "roughly" | "unsorted";
}

/**
 * Tells whether the log-uniform law suits these classes: it takes low ids for frequent ones, whatever they are. The correction by log Q
 * keeps the loss honest even so, but its variance suffers.
 * @param counts (n), how often each class occurs, by id
 * @throws EmptyInputError, NotFiniteError
 */
export function frequencyOrder(counts: ArrayLike<number>): FrequencyOrder {
  if (counts.length === 0) throw new EmptyInputError("counts are empty: there is no order to measure", { length: 0 });
  requireAllFinite("counts", counts);
  const law = new LogUniformLaw(counts.length);
  const drawn = Float64Array.from({ length: QUANTILES }, (_, i) => counts[law.draw((i + 0.5) / QUANTILES, 0)]);
  const { ascending, descending } = countPairs(drawn);
  const gamma = ascending + descending === 0 ? 1 : (descending - ascending) / (ascending + descending);
  return { gamma, verdict: gamma >= 0.9 ? "sorted" : gamma >= 0.5 ? "roughly" : "unsorted" };
}

/** Of the pairs i < j: how many have values[i] < values[j], and how many >. By merge sort, O(m log m); `values` is sorted on the way. */
function countPairs(values: Float64Array): { ascending: number; descending: number } {
  const scratch = new Float64Array(values.length);
  let ascending = 0;
  let descending = 0;
  for (let width = 1; width < values.length; width *= 2) {
    for (let start = 0; start + width < values.length; start += 2 * width) {
      countAcross(start, start + width, Math.min(start + 2 * width, values.length));
    }
  }
  return { ascending, descending };

  /** Counts the pairs with one value in each of two sorted runs, then merges them. */
  function countAcross(start: number, middle: number, end: number): void {
    let below = start;
    let upTo = start;
    for (let j = middle; j < end; j++) {
      while (below < middle && values[below] < values[j]) below++;
      while (upTo < middle && values[upTo] <= values[j]) upTo++;
      ascending += below - start;
      descending += middle - upTo;
    }
    scratch.set(values.subarray(start, end), start);
    let left = start;
    let right = middle;
    for (let out = start; out < end; out++) {
      const takeLeft = right === end || (left < middle && scratch[left] <= scratch[right]);
      values[out] = takeLeft ? scratch[left++] : scratch[right++];
    }
  }
}
