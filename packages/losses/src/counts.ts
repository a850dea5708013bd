import type { LossSpec } from "./loss-spec.js";

/**
 * How often the tiles of a row count for each unit of its labels' mass, S being its draws; 0: once, whatever the labels are. Removed hits are
 * draws as well.
 *
 * | loss | |
 * |---|---|
 * | negative-sampling with k negatives a label | k/S |
 * | bce, gbce | 1/(1 + S) |
 * | ccl with weight w | w/S |
 */
export function tileFactorOf({ name, negativesPerLabel, negativeWeight }: LossSpec, S: number): number {
  switch (name) {
    case "negative-sampling":
      return negativesPerLabel / S;
    case "bce":
    case "gbce":
      return 1 / (1 + S);
    case "ccl":
      return negativeWeight / S;
    default:
      return 0;
  }
}

/** Whether `tileFactorOf` tells anything: such losses want `LossRows.tileFactor`. */
export function countsByLabels({ name, negativesPerLabel }: LossSpec): boolean {
  return name === "bce" || name === "gbce" || name === "ccl" || (name === "negative-sampling" && negativesPerLabel > 0);
}

/** Whether a loss wants `LossRows.draws`. */
export function countsDraws(spec: LossSpec): boolean {
  return countsByLabels(spec) || spec.name === "bpr";
}

/**
 * What bce and gbce multiply a label's term by, β/(1 + S). With α = S/(n − 1), the share of the other classes that is drawn, and t the calibration,
 * β = α(t(1 − 1/α) + 1/α) = 1 − t(1 − α) (Petrov and Macdonald 2023, gSASRec, equation 11): t = 0 is bce, t = 1 makes up for
 * negatives being fewer than classes, so that scores are log-odds if the negatives are uniform. With draws beyond n − 1 it is above 1.
 */
export function labelFactor({ name, calibration }: LossSpec, S: number, classes: number): number {
  const t = name === "gbce" ? calibration : 0;
  const alpha = classes === 1 ? 1 : S / (classes - 1);
  return (1 - t * (1 - alpha)) / (1 + S);
}
