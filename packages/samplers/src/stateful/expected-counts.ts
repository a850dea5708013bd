/** Where candidates of a class come from: B targets of share f, and S draws of probability p. All linear. */
export interface MixedCounts {
  readonly B: number;
  readonly f: number;
  readonly S: number;
  readonly p: number;
}

/**
 * The expected count of a class among both parts: E = B·f + S·p. Expectations add, whatever joins the parts. This is Q, whose log is subtracted: then
 * Σ value/Q over the candidates has the mean Σ value over the classes.
 */
export function mixedExpectedCount({ B, f, S, p }: MixedCounts): number {
  return B * f + S * p;
}

/**
 * The probability that a candidate picked at random is the class: (B·f + S·p)/(B + S), the Q* of Yang et al., "Mixed negative sampling for learning
 * two-tower neural networks in recommendations" (WWW 2020 companion). It is E/(B + S): the same for a softmax that corrects target and candidates alike, wrong
 * by the constant log(B + S) where that does not cancel (NCE, correction `partition`).
 */
export function mixedProbability({ B, f, S, p }: MixedCounts): number {
  return (B * f + S * p) / (B + S);
}

/**
 * The probability that the class comes at all: 1 − (1 − f)^B·(1 − p)^S (tensorflow/recommenders#635 has 1 − (1 − a)(1 − b)). It fits candidates that are
 * made distinct; of candidates with repeats it counts frequent classes too low.
 */
export function atLeastOnce({ B, f, S, p }: MixedCounts): number {
  return -Math.expm1(B * Math.log1p(-f) + S * Math.log1p(-p));
}
