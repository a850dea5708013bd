import { type ErrorValues, LogqError } from "@logq/core";

/** What is to be timed computes something else than its reference. It is not timed. */
export class WrongResultError extends LogqError {
  static readonly code = "LOGQ_WRONG_RESULT";

  constructor(message: string, values: ErrorValues = {}, options?: ErrorOptions) {
    super(WrongResultError.code, message, values, options);
  }
}

/** How far a number may lie from its reference: |actual − expected| <= absolute + relative·|expected|. */
export interface Tolerance {
  /** Default 0. */
  readonly relative?: number;
  /** Default 0. */
  readonly absolute?: number;
}

/**
 * Compares every element. Equal infinities match, NaN never does.
 * @throws WrongResultError with the first element that is wrong, and how many are
 */
export function requireClose(
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { relative = 0, absolute = 0 }: Tolerance = {},
): void {
  if (actual.length !== expected.length) {
    throw new WrongResultError(`${what}: ${actual.length} values instead of ${expected.length}`, {
      what,
      actual: actual.length,
      expected: expected.length,
    });
  }
  let wrong = 0;
  let first = -1;
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i]!, expected[i]!];
    if (a === e || Math.abs(a - e) <= absolute + relative * Math.abs(e)) continue;
    if (wrong++ === 0) first = i;
  }
  if (wrong === 0) return;
  const [a, e] = [actual[first], expected[first]];
  throw new WrongResultError(
    `${what}: ${wrong} of ${expected.length} values are wrong; [${first}] is ${a} instead of ${e}`,
    { what, wrong, index: first, actual: a, expected: e, relative, absolute },
  );
}

/** @throws WrongResultError with `message` and `values` unless `condition` holds */
export function requireThat(condition: boolean, message: string, values: ErrorValues): void {
  if (!condition) throw new WrongResultError(message, values);
}
