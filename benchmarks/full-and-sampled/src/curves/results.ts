import type { CurvePoint } from "@logq/micro-benchmarks";
import type { TrainingRun } from "../shared/results.js";
import type { StudyResults } from "../shared/study.js";
import type { LevelTimes } from "./levels.js";
import type { CurvesSettings } from "./settings.js";

/** Raised when the meaning of a field changes. */
export const CURVES_FORMAT = 1;

/** What the curves' run found. */
export interface CurvesResults extends StudyResults {
  readonly settings: CurvesSettings;
  /** n */
  readonly classes: number;
  /** Words of an epoch. */
  readonly examples: number;
  /** Words that measurements look at. */
  readonly heldOut: number;
  readonly full: TrainingRun;
  readonly sampled: TrainingRun;
  readonly levels: readonly LevelTimes[];
  readonly ending: Ending;
}

/** The best measurement of each at the same epochs. */
export interface Ending {
  readonly full: CurvePoint;
  readonly sampled: CurvePoint;
  /** By which share sampling's best level is above full softmax's; below 0: it is better. */
  readonly difference: number;
}
