import { requireInteger, requireNumber } from "@logq/core";
import type { AnyDataset } from "@logq/datasets";

/** The constants A and B of the propensity law, which are fitted to a kind of data. */
export interface PropensityLaw {
  /** A, in [0, 10]. */
  readonly a: number;
  /** B, in [0, 1000]. */
  readonly b: number;
}

/** What is used where nothing was fitted. Amazon's data have 0.6 and 2.6, Wikipedia's large ones 0.5 and 0.4. */
export const USUAL_PROPENSITY: PropensityLaw = { a: 0.55, b: 1.5 };

/** How often each class is a label in the rows that a model was trained on. */
export interface TrainingCounts {
  /** (n) */
  readonly counts: ArrayLike<number>;
  /** N, rows of the training part. */
  readonly rows: number;
}

export function trainingCounts(dataset: AnyDataset): TrainingCounts {
  return { counts: dataset.classes.counts, rows: trainingRows(dataset) };
}

function trainingRows({ kind, splits }: AnyDataset): number {
  switch (kind) {
    case "labels":
      return (splits.train?.labelOffsets.length ?? 1) - 1;
    case "text":
      return splits.train?.tokens.length ?? 0;
    case "pairs":
      return splits.train?.items.length ?? 0;
    case "synthetic":
      return splits.train.targets.length;
  }
}

/**
 * (n), 1/p_c: how much finding class c counts where rare labels are often missing from the data (Jain, Prabhu and Varma 2016, Extreme
 * multi-label loss functions):
 *
 *     1/p_c = 1 + C·(N_c + B)^−A          C = (ln N − 1)·(B + 1)^A, at least 0
 *
 * @throws OptionError for no rows or constants out of range
 */
export function inversePropensities(
  { counts, rows }: TrainingCounts,
  { a, b }: PropensityLaw = USUAL_PROPENSITY,
): Float64Array {
  requireInteger("rows of the training part", rows, 1);
  requireNumber("propensity a", a, 0, 10);
  requireNumber("propensity b", b, 0, 1000);
  const factor = Math.max(0, Math.log(rows) - 1) * (b + 1) ** a;
  return Float64Array.from(counts, (count) => 1 + factor * (count + b) ** -a);
}
