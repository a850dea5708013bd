import { EmptyInputError, OptionError, requireAllFinite, requireInteger } from "@logq/core";
import { tailWidth } from "./clusters.js";
import { type AdaptiveCosts, type CheckedCosts, checkCosts, headCost, tailCost } from "./product-cost.js";

export interface CutoffChoice {
  /** (clusters − 1), as AdaptiveSpec wants them. */
  readonly cutoffs: readonly number[];
  /** Expected cost of a batch, in the unit of AdaptiveCosts. */
  readonly cost: number;
  /** The cost of the same batch without tails. */
  readonly fullCost: number;
}

/**
 * The cutoffs of least expected cost for `clusters` clusters, the head among them, if targets are drawn as `counts` say. Dynamic programming from
 * the last tail to the first:
 *
 *     best_i(m) = min over j > m of tailCost_i(m, j) + best_{i+1}(j),   the head ends where head(h) + best_0(h) is least.
 *
 * A tail's cost is a sum of convex rising functions of (size)·(mass), so it satisfies the quadrangle inequality
 * f(a, c) + f(b, d) <= f(a, d) + f(b, c) for a <= b <= c <= d; the best j rises with m, and each step divides and conquers. Exact, in
 * O(clusters·n·log n); of several best choices the one with the least cutoffs, but for rounding.
 *
 * @param counts (n), >= 0, not all 0, and not rising: class 0 is the most frequent
 * @throws EmptyInputError, NotFiniteError, OptionError (counts that are negative, rise or are all 0; more clusters than classes; a tail of width 0; leastHead above n − clusters + 1)
 */
export function chooseCutoffs(counts: ArrayLike<number>, clusters: number, costs: AdaptiveCosts): CutoffChoice {
  const checked = checkCosts(costs);
  const mass = massBefore(counts);
  const n = counts.length;
  const K = requireInteger("clusters", clusters, 1, n) - 1;
  const fullCost = headCost(checked, n, 0);
  if (K === 0) return { cutoffs: [], cost: fullCost, fullCost };
  const { best, ends } = bestTails(checked, mass, K);
  let h = requireInteger("leastHead", checked.leastHead, 1, n - K);
  for (let m = h + 1; m <= n - K; m++) if (headCost(checked, m, K) + best[m] < headCost(checked, h, K) + best[h]) h = m;
  const cutoffs = [h];
  for (let i = 0; i < K - 1; i++) cutoffs.push(ends[i][cutoffs[i]]);
  return { cutoffs, cost: headCost(checked, h, K) + best[h], fullCost };
}

/** (n + 1): the share of the counts that lies before each class. */
function massBefore(counts: ArrayLike<number>): Float64Array {
  const n = counts.length;
  if (n === 0) throw new EmptyInputError("counts has no classes", { name: "counts" });
  requireAllFinite("counts", counts);
  const before = new Float64Array(n + 1);
  for (let id = 0; id < n; id++) {
    const values = { index: id, value: counts[id] };
    if (counts[id] < 0) throw new OptionError(`counts[${id}] is ${counts[id]}, but must be 0 or more`, values);
    if (id > 0 && counts[id] > counts[id - 1]) {
      const words = `counts[${id}] is ${counts[id]}, above the ${counts[id - 1]} before it: classes must be sorted`;
      throw new OptionError(`${words} by frequency, the most frequent first`, { ...values, before: counts[id - 1] });
    }
    before[id + 1] = before[id] + counts[id];
  }
  const sum = before[n];
  if (!(sum > 0 && sum < Infinity)) {
    throw new OptionError(`counts sum to ${sum}; the sum must be above 0 and finite`, { name: "counts", sum });
  }
  return before.map((value) => value / sum);
}

/** best[m]: the least cost of tails 0 … K − 1 that hold classes [m, n). ends[i][m]: where tail i ends if it begins at m. */
function bestTails(costs: CheckedCosts, mass: Float64Array, K: number): { best: Float64Array; ends: Int32Array[] } {
  const n = mass.length - 1;
  const ends = Array.from({ length: K }, () => new Int32Array(n + 1));
  let best = new Float64Array(n + 1).fill(Infinity);
  best[n] = 0;
  for (let i = K - 1; i >= 0; i--) {
    const width = tailWidth(costs.D, costs.divValue, i);
    const after = best;
    const cost = (m: number, j: number) => tailCost(costs, j - m, mass[j] - mass[m], width) + after[j];
    best = new Float64Array(n + 1).fill(Infinity);
    if (i === K - 1) {
      for (let m = 1; m < n; m++) best[m] = cost(m, n);
      ends[i].fill(n);
    } else {
      // K − i tails need as many classes, and i tails and a head before them too.
      divide(cost, best, ends[i], [i + 1, n - (K - i)], [i + 2, n - (K - 1 - i)]);
    }
  }
  return { best, ends };
}

/** best[m] = min of cost(m, j) over j > m in [lowest, highest], for m in [first, last]; ends[m] is the least such j, known to rise with m. */
function divide(
  cost: (m: number, j: number) => number,
  best: Float64Array,
  ends: Int32Array,
  [first, last]: readonly [number, number],
  [lowest, highest]: readonly [number, number],
): void {
  if (first > last) return;
  const m = (first + last) >>> 1;
  let end = Math.max(lowest, m + 1);
  let least = cost(m, end);
  for (let j = end + 1; j <= highest; j++) {
    const value = cost(m, j);
    if (value >= least) continue;
    least = value;
    end = j;
  }
  best[m] = least;
  ends[m] = end;
  divide(cost, best, ends, [first, m - 1], [lowest, end]);
  divide(cost, best, ends, [m + 1, last], [end, highest]);
}
