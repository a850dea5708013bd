import type { TrainingRun } from "../shared/results.js";
import type { StudyResults } from "../shared/study.js";
import type { MultilabelSettings } from "./settings.js";

/** Raised when the meaning of a field changes. */
export const MULTILABEL_FORMAT = 1;

/** What the multi-label run found. */
export interface MultilabelResults extends StudyResults {
  readonly settings: MultilabelSettings;
  /** Labels of all training rows, and how many labels have any. */
  readonly trainLabels: number;
  readonly seenLabels: number;
  /** Mean number of features of a training row. */
  readonly featuresPerRow: number;
  readonly full: TrainingRun;
  /** In the order of the settings' losses. */
  readonly sampled: readonly TrainingRun[];
}
