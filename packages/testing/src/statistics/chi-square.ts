import { gammaQ } from "./gamma.js";

export interface ChiSquareResult {
  readonly statistic: number;
  readonly degrees: number;
  /** P(a chi-square of so many degrees exceeds the statistic). 0 if something impossible was observed. */
  readonly pValue: number;
  /** Cells left after merging. */
  readonly cells: number;
}

export interface ChiSquareOptions {
  /** Cells are merged, smallest first, until each expects so many. Default 5, the customary rule. */
  readonly minimumExpected?: number;
}

/** P(X > statistic) of a chi-square variable. */
export function chiSquareUpperTail(statistic: number, degrees: number): number {
  return gammaQ(degrees / 2, statistic / 2);
}

/**
 * Pearson's test that `observed` counts come from independent draws with the `expected` counts. Both sum to the number of draws
 * (checked to 1e-6). A cell that expects 0 must be empty.
 */
export function chiSquareTest(
  observed: ArrayLike<number>,
  expected: ArrayLike<number>,
  { minimumExpected = 5 }: ChiSquareOptions = {},
): ChiSquareResult {
  requireSameTotals(observed, expected);
  const groups = mergeSmall(observed, expected, minimumExpected);
  const degrees = groups.length - 1;
  if (degrees < 1) throw new Error(`chi-square: ${groups.length} cell of ${observed.length} is left; draw more`);
  if (impossible(observed, expected)) return { statistic: Infinity, degrees, pValue: 0, cells: groups.length };
  const statistic = groups.reduce((sum, group) => sum + (group.observed - group.expected) ** 2 / group.expected, 0);
  return { statistic, degrees, pValue: chiSquareUpperTail(statistic, degrees), cells: groups.length };
}

/** Throws if `chiSquareTest` answers a p-value below `falseAlarmRate`; names the cells that contribute most. */
export function expectChiSquare(
  observed: ArrayLike<number>,
  expected: ArrayLike<number>,
  options: ChiSquareOptions & { readonly falseAlarmRate: number; readonly name?: string },
): ChiSquareResult {
  const result = chiSquareTest(observed, expected, options);
  if (result.pValue >= options.falseAlarmRate) return result;
  const worst = Array.from({ length: observed.length }, (_, i) => ({ i, z: deviation(observed[i]!, expected[i]!) }))
    .sort((a, b) => Math.abs(b.z) - Math.abs(a.z))
    .slice(0, 5)
    .map(({ i, z }) => `[${i}] ${observed[i]} for ${expected[i]} (${z.toFixed(1)} σ)`);
  throw new Error(
    `${options.name ?? "counts"}: chi-square ${result.statistic} on ${result.degrees} degrees, p ${result.pValue} below ` +
      `${options.falseAlarmRate}; furthest: ${worst.join(", ")}`,
  );
}

interface Group {
  observed: number;
  expected: number;
}

/** Groups of cells, smallest expectations first, each closed when it expects `minimum`; what is left joins the last group. */
function mergeSmall(observed: ArrayLike<number>, expected: ArrayLike<number>, minimum: number): Group[] {
  const order = Array.from({ length: expected.length }, (_, i) => i).sort((a, b) => expected[a]! - expected[b]!);
  const groups: Group[] = [];
  let open: Group = { observed: 0, expected: 0 };
  for (const i of order) {
    open.observed += observed[i]!;
    open.expected += expected[i]!;
    if (open.expected < minimum) continue;
    groups.push(open);
    open = { observed: 0, expected: 0 };
  }
  const last = groups.at(-1);
  if (last) {
    last.observed += open.observed;
    last.expected += open.expected;
  }
  return groups;
}

function requireSameTotals(observed: ArrayLike<number>, expected: ArrayLike<number>): void {
  if (observed.length !== expected.length) {
    throw new Error(`chi-square: ${observed.length} observed cells, but ${expected.length} expected ones`);
  }
  const drawn = total(observed);
  const wanted = total(expected);
  if (!(Math.abs(drawn - wanted) <= 1e-6 * drawn)) {
    throw new Error(`chi-square: ${drawn} draws observed, but the expected counts sum to ${wanted}`);
  }
}

function impossible(observed: ArrayLike<number>, expected: ArrayLike<number>): boolean {
  return Array.from(expected).some((value, i) => value === 0 && observed[i]! > 0);
}

function deviation(observed: number, expected: number): number {
  return observed === expected ? 0 : (observed - expected) / Math.sqrt(expected);
}

function total(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0);
}
