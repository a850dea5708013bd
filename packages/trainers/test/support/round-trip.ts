import { join } from "node:path";
import { expect } from "vitest";
import { evaluateRun, saveModel, type TrainOptions, type TrainReport } from "../../dist/index.js";
import { withDirectory } from "./directories.js";
import { smallDataset, withTrained } from "./runs.js";

/** Trains, saves and evaluates from the directory, in the caller's thread and in a worker: the numbers are exactly those of before. Answers the report. */
export async function expectSameAfterLoading(
  kind: "text" | "pairs" | "labels",
  options: TrainOptions,
  metrics: string,
): Promise<TrainReport> {
  return withDirectory(async (directory) => {
    const dataset = await smallDataset(kind, directory);
    const run = join(directory, "run");
    const { report, before } = await withTrained(dataset, options, async (trainer, report) => {
      await saveModel(trainer, run, report);
      const { seconds: _, ...before } = await trainer.evaluate("test", metrics);
      return { report, before };
    });
    expect(before.labels).toBeGreaterThan(0);
    for (const workers of [0, 1]) {
      const { seconds: _, ...after } = await evaluateRun(run, { split: "test", metrics, workers });
      expect(after).toEqual({ split: "test", ...before });
    }
    return report;
  });
}
