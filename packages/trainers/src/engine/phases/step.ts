import type { BatchBuilder } from "../batch-builder.js";
import type { BatchLayout } from "../batch-layout.js";

/** What is made ready of the batch of `step`, in units of the table phase before it. */
export interface Ahead {
  readonly units: number;
  run(unit: number, step: number): void;
}

/** A training step, as every member of the team takes it. */
export interface Step {
  /** Its number in the run. */
  readonly step: number;
  /** Which of the two batches it uses, and that batch. */
  readonly parity: number;
  readonly batch: BatchLayout;
  /** Who has built the batch. */
  readonly builder: BatchBuilder;
  /** What is made ready of the next batch in this step's table phase. */
  readonly ahead: Ahead | undefined;
  /** Brings the labels into the batch, which holds its candidates alone; undefined: they are there. */
  readonly labels: (() => void) | undefined;
  readonly stopRequested: () => boolean;
}

/** The phases of a kind of step: which units there are, in what order, and what the team waits for. */
export interface StepPhases {
  run(of: Step): void;
}
