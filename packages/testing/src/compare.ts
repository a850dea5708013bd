/** How far two numbers may lie apart: |actual − expected| <= absolute + relative·|expected|. */
export interface Tolerance {
  /** Default 0. */
  readonly relative?: number;
  /** Default 0. */
  readonly absolute?: number;
}

export interface CompareOptions extends Tolerance {
  /** Allowed besides, element by element: for errors that follow from each element's inputs. */
  readonly bounds?: ArrayLike<number>;
  /** What is compared, for the report. */
  readonly name?: string;
  /** Shape of the array: the report then names places by their indices instead of one offset. */
  readonly shape?: readonly number[];
  /** NaN where NaN is expected is a match. Default false: an oracle that answers NaN is seldom right. */
  readonly equalNaN?: boolean;
}

/** A place where two arrays differ by more than they may. */
export interface Mismatch {
  readonly index: number;
  readonly actual: number;
  readonly expected: number;
  readonly difference: number;
}

export interface Comparison {
  readonly count: number;
  /** Finite on both sides, but too far apart. In ascending order of index. */
  readonly mismatches: readonly Mismatch[];
  /** NaN or an infinity on one side that the other does not share. */
  readonly notFinite: readonly Mismatch[];
  /** Of `mismatches`, the one that exceeds its tolerance most. */
  readonly worst: Mismatch | undefined;
}

/** Compares element by element; equal infinities match. */
export function compareArrays(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { relative = 0, absolute = 0, bounds, equalNaN = false }: CompareOptions,
): Comparison {
  const mismatches: Mismatch[] = [];
  const notFinite: Mismatch[] = [];
  let worst: Mismatch | undefined;
  let worstExcess = 0;
  for (let index = 0; index < expected.length; index++) {
    const a = actual[index]!;
    const e = expected[index]!;
    const difference = Math.abs(a - e);
    if (!Number.isFinite(a) || !Number.isFinite(e)) {
      const match = a === e || (equalNaN && Number.isNaN(a) && Number.isNaN(e));
      if (!match) notFinite.push({ index, actual: a, expected: e, difference });
      continue;
    }
    const allowed = absolute + relative * Math.abs(e) + (bounds?.[index] ?? 0);
    if (difference <= allowed) continue;
    const mismatch = { index, actual: a, expected: e, difference };
    mismatches.push(mismatch);
    const excess = difference - allowed;
    if (excess > worstExcess) {
      worst = mismatch;
      worstExcess = excess;
    }
  }
  return { count: expected.length, mismatches, notFinite, worst };
}

/**
 * Throws unless `actual` and `expected` have the same length and every element lies within the tolerance. The message tells how many
 * differ, the worst, the first few with both values, and NaN and infinities apart.
 */
export function expectAllClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  options: CompareOptions = {},
): void {
  const name = options.name ?? "values";
  if (actual.length !== expected.length) {
    throw new Error(`${name}: ${actual.length} values, but ${expected.length} are expected`);
  }
  const comparison = compareArrays(actual, expected, options);
  if (comparison.mismatches.length + comparison.notFinite.length > 0) throw new Error(report(comparison, options));
}

const FIRST = 5;

function report({ count, mismatches, notFinite, worst }: Comparison, options: CompareOptions): string {
  const { name = "values", relative = 0, absolute = 0, bounds, shape } = options;
  const wrong = mismatches.length + notFinite.length;
  const besides = bounds ? ", and bounds of their own" : "";
  const lines = [
    `${name}: ${wrong} of ${count} differ (allowed: relative ${relative}, absolute ${absolute}${besides})`,
  ];
  if (worst) lines.push(`  worst: ${show(worst, shape)}`);
  for (const mismatch of mismatches.slice(0, FIRST)) lines.push(`  ${show(mismatch, shape)}`);
  if (mismatches.length > FIRST) lines.push(`  … and ${mismatches.length - FIRST} more`);
  if (notFinite.length > 0) {
    lines.push(`  not finite on one side, or differently: ${notFinite.length}`);
    for (const mismatch of notFinite.slice(0, FIRST)) lines.push(`  ${show(mismatch, shape)}`);
  }
  return lines.join("\n");
}

function show({ index, actual, expected, difference }: Mismatch, shape: readonly number[] | undefined): string {
  const relative = difference / Math.abs(expected);
  const far = Number.isFinite(difference)
    ? `, apart by ${difference.toExponential(3)} (relative ${relative.toExponential(3)})`
    : "";
  return `[${indices(index, shape).join(", ")}]: actual ${actual}, expected ${expected}${far}`;
}

/** The indices of element `index` in a row-major array of `shape`. */
function indices(index: number, shape: readonly number[] | undefined): number[] {
  if (!shape) return [index];
  const out: number[] = [];
  let rest = index;
  for (const size of [...shape].reverse()) {
    out.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return out;
}

/** The largest |actual − truth|; NaN or a difference of infinities counts as +∞. */
export function largestError(actual: ArrayLike<number>, truth: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < truth.length; i++) {
    if (actual[i] === truth[i]) continue;
    const error = Math.abs(actual[i]! - truth[i]!);
    largest = Math.max(largest, Number.isNaN(error) ? Infinity : error);
  }
  return largest;
}

/**
 * The three-way oracle: `truth` in float64, `naive` the plain computation in the working precision, `actual` the one under test.
 * Passes if the largest error of `actual` is at most that of `naive` plus `margin` times the largest finite |truth|. Where the truth is not
 * finite, `actual` must be the same infinity.
 */
export function expectNoWorse(
  actual: ArrayLike<number>,
  naive: ArrayLike<number>,
  truth: ArrayLike<number>,
  { margin, name = "values", shape }: { margin: number; name?: string; shape?: readonly number[] },
): void {
  const naiveError = largestError(naive, truth);
  if (naiveError === Infinity) throw new Error(`${name}: the naive values are not finite where the truth is`);
  let scale = 0;
  for (let i = 0; i < truth.length; i++) if (Number.isFinite(truth[i])) scale = Math.max(scale, Math.abs(truth[i]!));
  const absolute = naiveError + margin * scale;
  expectAllClose(actual, truth, { absolute, name, ...(shape && { shape }) });
}
