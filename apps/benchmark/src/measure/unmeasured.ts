import type { Cell, CellMeasurement, CellResult } from "./types.js";

/** A measurement that found nothing. */
export const UNMEASURED: CellMeasurement = {
  backend: null,
  steps: null,
  seconds: null,
  stepMilliseconds: null,
  stepMillisecondsLow: null,
  stepMillisecondsHigh: null,
  examplesPerSecond: null,
  tableBytes: null,
  gemmShare: null,
  crossEntropy: null,
  crossEntropyAtEqualSteps: null,
  bestCrossEntropy: null,
  recall: null,
  recallAtEqualSteps: null,
  equalSteps: null,
  gradientBias: null,
  gradientSpread: null,
  reason: null,
};

/** The record of a cell that could not be measured, with the error's message as the reason. */
export function failedCell(cell: Cell, error: Error): CellResult {
  return { ...cell, ...UNMEASURED, reason: error.message, failed: true };
}
