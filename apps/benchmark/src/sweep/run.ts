import { LogqError } from "@logq/core";
import type { Cell, CellResult, Measurer } from "../measure/types.js";
import { failedCell } from "../measure/unmeasured.js";
import type { Progress } from "../progress.js";
import { TimeLeft } from "./estimate.js";
import type { ResultsStore } from "./store.js";

/** How a sweep ended. */
export interface SweepOutcome {
  /** Cells measured in this run, failures included. */
  readonly measured: number;
  /** Cells that an earlier run had finished. */
  readonly reused: number;
  /** Cells that could not be measured; their `reason` says why. */
  readonly failed: readonly CellResult[];
  readonly interrupted: boolean;
}

/** What a sweep works with. `seconds` is the training time of each cell. */
export interface SweepParts {
  readonly plan: readonly Cell[];
  readonly store: ResultsStore;
  readonly measurer: Measurer;
  readonly progress: Progress;
  readonly seconds: number;
  readonly signal: AbortSignal;
}

/**
 * Measures the cells of `plan` that the store has not yet, one after the other, and stores each as it is done. An abort ends the sweep after
 * dropping the cell that was under way. A LogqError spoils its own cell only; any other error ends the sweep.
 */
export async function runSweep(parts: SweepParts): Promise<SweepOutcome> {
  const { plan, store, progress } = parts;
  const pending = plan.filter((cell) => store.finished(cell) === undefined);
  const reused = plan.length - pending.length;
  const timeLeft = new TimeLeft(parts.seconds);
  const failed: CellResult[] = [];
  let measured = 0;
  progress.begin(plan.length, reused, timeLeft.of(pending));
  try {
    for (const [at, cell] of pending.entries()) {
      const started = performance.now();
      progress.cellStarted(cell, timeLeft.of(pending.slice(at)));
      const result = await measure(cell, parts);
      if (result === undefined) break;
      await store.add(result);
      timeLeft.learn(cell, (performance.now() - started) / 1000);
      measured++;
      if (result.failed) failed.push(result);
      progress.cellFinished(result, timeLeft.of(pending.slice(at + 1)));
    }
  } finally {
    progress.end();
  }
  return { measured, reused, failed, interrupted: measured < pending.length };
}

/** Undefined if the sweep was interrupted meanwhile. */
async function measure(cell: Cell, parts: SweepParts): Promise<CellResult | undefined> {
  const { measurer, progress, seconds, signal } = parts;
  if (signal.aborted) return undefined;
  try {
    const onProgress = (phase: string, fraction: number) => progress.cellProgress(phase, fraction);
    const found = await measurer.measureCell({ cell, seconds, signal, onProgress });
    return { ...cell, ...found, failed: false };
  } catch (error) {
    if (signal.aborted) return undefined;
    if (LogqError.isInstance(error)) return failedCell(cell, error);
    throw error;
  }
}
