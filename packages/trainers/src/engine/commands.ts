import type { Key } from "@logq/core";
import type { ListSourceSpec } from "../sources/source.js";
import type { EvaluationGoals } from "./evaluation.js";

/** Fills every table with its first values. */
export interface InitialiseCommand {
  readonly type: "initialise";
  /** Class rows start uniform in [−scale, scale]. */
  readonly scale: number;
}

/** Trains steps [first, first + count) on the source "train". */
export interface TrainCommand {
  readonly type: "train";
  readonly first: number;
  readonly count: number;
}

/**
 * One step on the rows, labels and hidden vectors that the caller has written into the batch of the step's parity: an external encoder's. Which step it
 * is stands in memory (`NEXT_STEP`), so that all of a layer's steps are one command, which is packed and read once.
 */
export interface StepCommand {
  readonly type: "step";
}

export const STEP: StepCommand = { type: "step" };

/** Batch number `batch` of an evaluation of examples [first, first + count) of a source. */
export interface EvaluateCommand {
  readonly type: "evaluate";
  readonly source: string;
  readonly first: number;
  readonly count: number;
  /** Set: the examples are those of the permutation that this key names. */
  readonly key: Key | undefined;
  /** Set: the examples are given here, and `source` is not looked at. */
  readonly list: ListSourceSpec | undefined;
  /** Batches [batch, batch + batches) of it. A ranking is read after each, so it asks for one at a time. */
  readonly batch: number;
  readonly batches: number;
  readonly goals: EvaluationGoals;
}

export type EngineCommand = InitialiseCommand | TrainCommand | StepCommand | EvaluateCommand;
