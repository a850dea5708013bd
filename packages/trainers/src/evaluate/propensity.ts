import { requireInteger } from "@logq/core";
import type { AnyDataset } from "@logq/datasets";
import { labelPropensities, type PropensityConstants, requirePropensityConstants } from "@logq/losses";

/** The constants A and B of `labelPropensities`, which are fitted to a kind of data. */
export type PropensityLaw = Pick<PropensityConstants, "A" | "B">;

/** What is used where nothing was fitted. Amazon's data have 0.6 and 2.6, Wikipedia's large ones 0.5 and 0.4. */
export const USUAL_PROPENSITY: PropensityLaw = { A: 0.55, B: 1.5 };

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
 * (n), 1/p_c, p by `labelPropensities`: how much finding class c counts where rare labels are often missing from the data. All 1 for fewer than 3 rows,
 * of which the law says nothing.
 * @throws OptionError for no rows or constants out of range
 */
export function inversePropensities(
  { counts, rows }: TrainingCounts,
  law: PropensityLaw = USUAL_PROPENSITY,
): Float64Array {
  requireInteger("rows of the training part", rows, 1);
  requirePropensityConstants(law);
  if (rows < 3) return new Float64Array(counts.length).fill(1);
  return labelPropensities(counts, { ...law, examples: rows }).map((p) => 1 / p);
}
